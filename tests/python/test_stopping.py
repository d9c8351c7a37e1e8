"""Ctrl-C and SIGTERM in the middle of a replay: it ends at once, and what was not played has failed."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Wirespool
from packets import Connection, write
from running import PATIENCE, Process
from sockets import Serving, dial, read_all, read_exactly

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)


def capture(folder: Path) -> Path:
    """A question, a minute of silence, the answer, another minute, and a large farewell."""
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    connection.say("client", b"first\n", 0.01).say("server", b"FIRST\n", 60)
    for i in range(500):
        connection.say("client", b"." * 60_000, 120 + i / 1e6)
    return write(folder / "long.pcap", connection.close("client", 121).close("server", 122))


class Silent(Serving):
    """A server that says only what it is told to."""

    def __init__(self, says: bytes = b"") -> None:
        """Listen."""
        self.took, self._over = threading.Event(), threading.Event()
        self._says = says
        super().__init__(self._handle_silently)

    def _handle_silently(self, connection: socket.socket) -> None:
        assert read_exactly(connection, 6) == b"first\n"
        connection.sendall(self._says)
        self.took.set()
        assert self._over.wait(PATIENCE)

    @contextmanager
    def taking(self, process: Process) -> Iterator[None]:
        """When it has had the first message; and it ends with the block."""
        try:
            assert self.took.wait(PATIENCE), str(process)
            yield
        finally:
            self._over.set()


def stopped(process: Process, number: signal.Signals, receipt: Path) -> dict[str, int]:
    """Stop it; its receipt's only connection."""
    result = process.signal(number).finish().done(1)
    assert "stopped before all was played" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("failed: 1 connection")
    (connection,) = json.loads(receipt.read_text())["connections"]
    assert connection["outcome"] == "failed"
    found: dict[str, int] = connection
    return found


@SIGNALS
@pytest.mark.parametrize(
    ("says", "words", "sent"),
    [
        (b"", ["--speed", "max"], 1),  # it waits for an answer
        (b"FIRST\n", [], 1),  # it waits for the time to come
        (b"FIRST\n", ["--speed", "max"], None),  # it waits for the server to read
    ],
    ids=["hearing", "pausing", "writing"],
)
def test_a_replay_is_stopped_wherever_it_waits(
    wirespool: Wirespool,
    tmp_path: Path,
    number: signal.Signals,
    says: bytes,
    words: list[str],
    sent: int | None,
) -> None:
    receipt, replayed = tmp_path / "receipt.json", tmp_path / "replayed.pcapng"
    words = [*words, "--receipt", str(receipt), "-o", str(replayed), "--patience", "1h"]
    with Silent(says) as server:
        process = wirespool.start("replay", capture(tmp_path), "--to", server.address, *words)
        with server.taking(process):
            told = stopped(process, number, receipt)
    if sent is not None:
        assert (told["planned"] > sent, told["sent"]) == (True, sent)
    # What was said until then has been recorded.
    said = wirespool.run("show", replayed, "--raw", "--side", "client").done().stdout
    assert said.startswith(b"first\n")


@SIGNALS
def test_a_served_session_is_stopped_where_it_waits(
    wirespool: Wirespool, tmp_path: Path, number: signal.Signals
) -> None:
    receipt = tmp_path / "receipt.json"
    words = ["--receipt", str(receipt), "--patience", "1h", "--speed", "max"]
    process, address = wirespool.serving("serve", capture(tmp_path), *words)
    with dial(address) as client:
        client.sendall(b"first\n")
        assert read_exactly(client, 6) == b"FIRST\n"
        told = stopped(process, number, receipt)
        assert (told["sent"], told["matched"]) == (1, 1)
        with pytest.raises(ConnectionError):
            client.sendall(b"." * 100_000)
            client.sendall(b"." * 100_000)
            read_all(client)


@SIGNALS
def test_waiting_for_a_first_client_is_stopped(
    wirespool: Wirespool, tmp_path: Path, number: signal.Signals
) -> None:
    process, _ = wirespool.serving("serve", capture(tmp_path))
    result = process.signal(number).finish().done(1)
    assert "stopped before a client came" in result.stderr
