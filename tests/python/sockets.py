"""Servers and connections inside the test's own process, where a test must control every byte."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from programs import HOST
from running import PATIENCE, Address

Handle = Callable[[socket.socket], None]


class Serving:
    """A server on a thread for each connection, until the end of the `with` block."""

    def __init__(self, handle: Handle) -> None:
        """Listen; `handle` is given each connection, which is closed when it returns."""
        self._handle = handle
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []
        """What went wrong in a handler: a failed assertion there fails the test at the block's end."""

    @property
    def address(self) -> str:
        """As the command line takes it."""
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        """Begin to accept."""
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # the block has ended
            connection.settimeout(PATIENCE)
            self._connections.append(connection)
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._handle(connection)
        except BaseException as error:
            self.errors.append(error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and fail if a handler failed and the test did not."""
        # Closing alone would leave accept() blocked.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE if error is None else 0)
            if error is None:
                assert not thread.is_alive(), "a connection's handler did not end"
        if error is None and self.errors:
            raise self.errors[0]


class Echoing(Serving):
    """Sends everything back as it comes, and ends when the client does."""

    def __init__(self) -> None:
        """Listen."""
        super().__init__(self._echo)

    @staticmethod
    def _echo(connection: socket.socket) -> None:
        with suppress(ConnectionError):  # a reset is an end too; whoever cares looks at the other side
            while data := connection.recv(65536):
                connection.sendall(data)


class Answering(Serving):
    """Reads until the client half-closes, then answers, then closes."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        """Listen; `answer` makes the answer of all that came."""

        def handle(connection: socket.socket) -> None:
            connection.sendall(answer(read_all(connection)))

        super().__init__(handle)


def dial(address: Address) -> socket.socket:
    """A connection whose every operation has a limit."""
    return socket.create_connection(address, timeout=PATIENCE)


def read_exactly(connection: socket.socket, length: int) -> bytes:
    """So many bytes, however they come."""
    data = bytearray()
    while len(data) < length:
        part = connection.recv(length - len(data))
        assert part, f"closed after {len(data)} of {length} bytes"
        data += part
    return bytes(data)


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the other side's end."""
    data = bytearray()
    while part := connection.recv(65536):
        data += part
    return bytes(data)


def exchange(connection: socket.socket, data: bytes) -> None:
    """Send to an echo and wait for the answer: so the bytes are one read, and have arrived."""
    connection.sendall(data)
    assert read_exactly(connection, len(data)) == data


def reset(connection: socket.socket) -> None:
    """Abort a connection: RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def unread(port: int) -> int:
    """How many bytes wait for whoever listens on a port of loopback, by the system's own table."""
    queues = [row[4] for row in connection_table() if row[1].endswith(f":{port:04X}") and row[3] == "01"]
    return sum(int(queue.split(":")[1], 16) for queue in queues)


def unacknowledged(port: int) -> int:
    """How many bytes the system has still to bring to a port of loopback."""
    queues = [row[4] for row in connection_table() if row[2].endswith(f":{port:04X}")]
    return sum(int(queue.split(":")[0], 16) for queue in queues)


def connection_table() -> list[list[str]]:
    """The system's TCP connections: number, local and remote address, state, queues, and more."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("this system does not tell what waits in its connections")
    return [line.split() for line in table.read_text().splitlines()[1:]]
