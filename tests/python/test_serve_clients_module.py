"""`wirespool.serve`: who a client is taken for, and what becomes of the others."""

import socket
from pathlib import Path
from typing import Any

import pytest
import wirespool
from programs import free_port
from running import Address
from sockets import Answering, Echoing, dial, exchange, read_all


@pytest.fixture
def recorded(capture: Path) -> Path:
    """Two connections to an echo, one after the other: "one" and "two"."""
    with Echoing() as server, wirespool.record(capture, server.address, format="text/line") as recording:
        for word in (b"one\n", b"two\n"):
            talk(recording.address, word)
    return capture


def talk(address: Address, line: bytes) -> None:
    """Be a client that is echoed."""
    with dial(address) as client:
        exchange(client, line)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""


def refused(address: Address, line: bytes) -> bool:
    """Whether a client that says this is closed without an answer."""
    with dial(address) as client:
        try:
            client.sendall(line)
            return read_all(client) == b""
        except ConnectionError:
            return True


def test_clients_are_known_by_what_they_say_first(recorded: Path) -> None:
    with wirespool.serve(recorded, match="content") as server:
        talk(server.address, b"two\n")
        talk(server.address, b"one\n")
    assert server.receipt is not None
    assert server.receipt.verified
    assert server.receipt.unmatched.clients == []


def test_a_client_that_nobody_recorded_is_closed_and_a_mismatch(recorded: Path) -> None:
    with pytest.raises(wirespool.Mismatch, match="three") as raised:
        with wirespool.serve(recorded, match="content") as server:
            talk(server.address, b"one\n")
            assert refused(server.address, b"three\n")
            talk(server.address, b"two\n")
    receipt = raised.value.receipt
    assert receipt is not None
    assert [one.outcome for one in receipt.connections] == ["verified", "verified"]
    assert (receipt.unmatched.closed, receipt.unmatched.passed) == (1, 0)
    (stranger,) = receipt.unmatched.clients
    assert (stranger.bytes_received, stranger.passed_to) == (6, None)
    assert "three" in stranger.reason


def test_a_client_too_many_is_a_mismatch_until_the_end_of_the_block(recorded: Path) -> None:
    with pytest.raises(wirespool.Mismatch), wirespool.serve(recorded) as server:
        talk(server.address, b"one\n")
        talk(server.address, b"two\n")
        assert refused(server.address, b"two\n")
    assert server.receipt is not None
    assert server.receipt.unmatched.closed == 1


def test_a_client_that_nobody_recorded_is_passed_on_where_that_is_said(recorded: Path) -> None:
    with Answering(lambda data: data.upper()) as other:
        on_miss = f"pass:{other.address}"
        with wirespool.serve(recorded, match="content", on_miss=on_miss) as server:
            talk(server.address, b"one\n")
            with dial(server.address) as client:
                client.sendall(b"three\n")
                client.shutdown(socket.SHUT_WR)
                assert read_all(client) == b"THREE\n"
            talk(server.address, b"two\n")
    assert server.receipt is not None
    (stranger,) = server.receipt.unmatched.clients
    assert (server.receipt.unmatched.passed, stranger.passed_to) == (1, other.address)
    assert (stranger.bytes_received, stranger.bytes_sent) == (6, 6)


def test_a_connection_is_played_again_and_again_where_that_is_said(recorded: Path) -> None:
    with wirespool.serve(recorded, match="content", repeat=True) as server:
        for line in (b"one\n", b"two\n", b"one\n", b"one\n"):
            talk(server.address, line)
    assert server.receipt is not None
    assert [(one.plays, one.matched, one.outcome) for one in server.receipt.connections] == [
        (3, 3, "verified"),
        (1, 1, "verified"),
    ]


def test_no_more_connections_are_played_than_asked_for(recorded: Path) -> None:
    with pytest.raises(wirespool.Mismatch, match="only 1 were asked for") as raised:
        with wirespool.serve(recorded, connections=1) as server:
            talk(server.address, b"one\n")
    assert raised.value.receipt is not None
    assert [one.outcome for one in raised.value.receipt.connections] == ["verified", "failed"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"match": "port"}, "order or content"),
        ({"on_miss": "open"}, "close, or pass:ADDR"),
        ({"on_miss": "pass:nowhere:at:all"}, "no address"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(recorded: Path, arguments: Any, words: str) -> None:
    with pytest.raises(wirespool.UsageError, match=words):
        wirespool.serve(recorded, **arguments)


def test_passing_on_to_itself_is_refused(recorded: Path, tmp_path: Path) -> None:
    port, output = free_port(), tmp_path / "again.pcapng"
    with pytest.raises(wirespool.UsageError, match="where wirespool itself listens"):
        wirespool.serve(recorded, listen=port, on_miss=f"pass:127.0.0.1:{port}", output=output)
    assert not output.exists()
    with pytest.raises(wirespool.UsageError, match="where wirespool itself listens"):
        wirespool.record(output, port, listen=port)
    assert not output.exists()
