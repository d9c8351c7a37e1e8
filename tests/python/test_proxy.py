"""What a proxy must pass on besides bytes: ends, resets, refusals, and many connections at once."""

import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Wirespool
from recording import proxy, refusing
from sockets import Answering, Echoing, Serving, dial, exchange, read_all, read_exactly, reset


def events(wirespool: Wirespool, capture: Path) -> list[tuple[str, str | None]]:
    """The events that are no messages, with their sides."""
    shown = wirespool.show(capture, "-f", "raw", "--events").json
    return [(record["event"], record.get("side")) for record in shown if "event" in record]


def test_half_close_passes_through(wirespool: Wirespool, capture: Path) -> None:
    """The server answers only after the client's end, and the client still takes the answer."""
    with Answering(lambda request: request[::-1]) as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1")
        with dial(address) as client:
            client.sendall(b"request")
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"tseuqer"
        process.finish().done()
    ends = [event for event in events(wirespool, capture) if event[0] == "eof"]
    assert ends == [("eof", "client"), ("eof", "server")]
    shown = wirespool.show(capture, "-f", "text").json
    assert [(r["side"], r["value"]) for r in shown] == [("client", "request"), ("server", "tseuqer")]


def test_a_server_that_closes_first(wirespool: Wirespool, capture: Path) -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"greeting")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b"thanks"

    with Serving(greet) as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1")
        with dial(address) as client:
            assert read_all(client) == b"greeting"
            client.sendall(b"thanks")
        process.finish().done()
    ends = [event for event in events(wirespool, capture) if event[0] == "eof"]
    assert ends == [("eof", "server"), ("eof", "client")]


def test_a_reset_by_the_client_reaches_the_server(wirespool: Wirespool, capture: Path) -> None:
    outcome: list[BaseException | bytes] = []
    ended = threading.Event()

    def read(connection: socket.socket) -> None:
        connection.sendall(read_exactly(connection, 5))
        try:
            outcome.append(connection.recv(1))
        except OSError as error:
            outcome.append(error)
        ended.set()

    with Serving(read) as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1")
        client = dial(address)
        exchange(client, b"hello")
        reset(client)
        assert ended.wait(20), "the server was not told"
        process.finish().done()
    assert isinstance(outcome[0], ConnectionResetError), outcome
    assert ("reset", "client") in events(wirespool, capture)


def test_a_reset_by_the_server_reaches_the_client(wirespool: Wirespool, capture: Path) -> None:
    def abort(connection: socket.socket) -> None:
        connection.sendall(read_exactly(connection, 5))
        read_exactly(connection, 4)
        reset(connection)

    with Serving(abort) as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1")
        with dial(address) as client:
            exchange(client, b"hello")
            client.sendall(b"more")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        process.finish().done()
    assert ("reset", "server") in events(wirespool, capture)


def test_an_upstream_that_refuses_is_told_and_recording_goes_on(wirespool: Wirespool, capture: Path) -> None:
    holder, upstream = refusing()
    with holder:
        process, address = proxy(wirespool, upstream, capture)
        with dial(address) as client, suppress(ConnectionResetError):  # as good a way to be told
            assert client.recv(1) == b""
        process.wait_for(rf"{upstream}.*refused", "stderr")
        assert process.running
        holder.listen(1)
        holder.settimeout(20)
        with dial(address) as client:
            server, _ = holder.accept()
            with server:
                server.settimeout(20)
                client.sendall(b"here now")
                assert read_exactly(server, 8) == b"here now"
        process.signal(signal.SIGTERM).finish().done()
    shown = wirespool.show(capture, "-f", "text").json
    assert [record["value"] for record in shown] == ["here now"]


def test_fifty_connections_at_once(wirespool: Wirespool, capture: Path) -> None:
    connections, rounds = 50, 20
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", str(connections))
        clients = [dial(address) for _ in range(connections)]
        failures: list[BaseException] = []
        together = threading.Barrier(connections)

        def converse(number: int) -> None:
            try:
                with clients[number] as client:
                    together.wait(20)
                    for i in range(rounds):
                        exchange(client, f"{number}:{i};".encode())
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=converse, args=(n,), daemon=True) for n in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "a connection hangs"
        assert failures == []
        process.finish().done()
    said: dict[tuple[int, str], str] = {}
    for record in wirespool.show(capture, "-f", "text").json:
        key = (record["connection"], record["side"])
        said[key] = said.get(key, "") + record["value"]
    assert {connection for connection, _ in said} == set(range(connections))
    expected = sorted("".join(f"{n}:{i};" for i in range(rounds)) for n in range(connections))
    for side in ("client", "server"):
        assert sorted(text for (_, from_side), text in said.items() if from_side == side) == expected


def test_the_server_speaks_first(wirespool: Wirespool, capture: Path) -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall("здравствуй".encode())
        read_all(connection)

    with Serving(greet) as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1")
        with dial(address) as client:
            assert read_exactly(client, 20).decode() == "здравствуй"
        process.finish().done()
    (record,) = wirespool.show(capture, "-f", "text").json
    assert (record["side"], record["value"]) == ("server", "здравствуй")


def test_a_server_that_does_not_read_holds_the_client_back(wirespool: Wirespool, capture: Path) -> None:
    """Backpressure: what the proxy takes in beyond the sockets' own buffers is bounded."""
    go_on = threading.Event()
    taken: list[int] = []

    def slow(connection: socket.socket) -> None:
        assert go_on.wait(30)
        taken.append(len(read_all(connection)))

    with Serving(slow) as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1")
        with dial(address) as client:
            client.settimeout(1)
            sent = 0
            with pytest.raises(TimeoutError):
                while sent < 64 << 20:
                    sent += client.send(bytes(1 << 20))
            client.settimeout(20)
            go_on.set()
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b""
        process.finish().done()
    assert taken == [sent]
