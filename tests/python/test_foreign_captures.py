"""Captures that tcpdump took are played to a server, and served to a client, as recordings of our own are."""

import socket
from pathlib import Path

import pytest
from conftest import Wirespool
from programs import REPOSITORY
from sockets import Serving, dial, read_all, read_exactly, reset

CAPTURES = REPOSITORY / "tests" / "data" / "capture"
QUESTION, ANSWER = b"temperature?\n", "21.5 °C\n".encode()

WHOLE = sorted(path.name for path in CAPTURES.glob("exchange*.pcap*"))


def answer(connection: socket.socket) -> None:
    """The server that was recorded."""
    for _ in range(2):
        assert read_exactly(connection, len(QUESTION)) == QUESTION
        connection.sendall(ANSWER)
    assert read_all(connection) == b""


@pytest.mark.parametrize("words", [[], ["-f", "text/line"]], ids=["by bytes", "by lines"])
@pytest.mark.parametrize("name", WHOLE)
def test_an_exchange_is_verified_from_either_side(wirespool: Wirespool, name: str, words: list[str]) -> None:
    with Serving(answer) as server:
        result = wirespool.run("replay", CAPTURES / name, "--to", server.address, "--strict", *words).done()
    assert "verified: 1 connection, sent 2 of 2 messages, 2 of 2 messages as recorded" in result.stderr
    process, address = wirespool.serving("serve", CAPTURES / name, "--strict", *words)
    with dial(address) as client:
        for _ in range(2):
            client.sendall(QUESTION)
            assert read_exactly(client, len(ANSWER)) == ANSWER
    assert (
        "verified: 1 connection, sent 2 of 2 messages, 2 of 2 messages as recorded"
        in process.finish().done().stderr
    )


def test_there_are_captures_of_every_kind() -> None:
    assert len(WHOLE) >= 9, WHOLE


@pytest.mark.parametrize("name", WHOLE)
def test_another_temperature_is_a_difference(wirespool: Wirespool, name: str) -> None:
    def colder(connection: socket.socket) -> None:
        read_exactly(connection, len(QUESTION))
        connection.sendall(ANSWER)
        read_exactly(connection, len(QUESTION))
        connection.sendall(ANSWER.replace(b"21", b"20"))
        read_all(connection)

    with Serving(colder) as server:
        result = wirespool.run("replay", CAPTURES / name, "--to", server.address, "-f", "text/line").done(1)
    assert 'message 3, offset 9: expected "21.5 °C", got "20.5 °C"' in result.stderr


def test_an_abort_is_played_and_expected(wirespool: Wirespool) -> None:
    capture = CAPTURES / "reset.pcap"

    def abort(connection: socket.socket) -> None:
        assert read_exactly(connection, len(QUESTION)) == QUESTION
        reset(connection)

    with Serving(abort) as server:
        result = wirespool.run("replay", capture, "--to", server.address).done()
    assert "delivered: 1 connection" in result.stderr
    process, address = wirespool.serving("serve", capture)
    with dial(address) as client:
        client.sendall(QUESTION)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert "verified: 1 connection" in process.finish().done().stderr


def test_a_capture_begun_late_is_played_but_tainted(wirespool: Wirespool) -> None:
    capture = CAPTURES / "begun-late.pcap"
    with Serving(answer) as server:
        result = wirespool.run("replay", capture, "--to", server.address).done()
        wirespool.run("replay", capture, "--to", server.address, "--strict").done(1)
    assert "tainted: its beginning was not recorded" in result.stderr


def test_what_was_probed_is_said_once(wirespool: Wirespool) -> None:
    """The client probed the silent connection with an old byte: that is no byte more."""
    took: list[bytes] = []
    with Serving(lambda connection: took.append(read_all(connection))) as server:
        words = ["--to", server.address, "--speed", "max"]
        result = wirespool.run("replay", CAPTURES / "keep-alive.pcap", *words).done()
    assert took == [QUESTION * 2]
    assert "delivered: 1 connection" in result.stderr


def test_packets_cut_short_by_the_recorder_are_not_played(wirespool: Wirespool, tmp_path: Path) -> None:
    capture = CAPTURES / "cut-to-48.pcap"
    with Serving(lambda connection: None) as server:
        for words in ([], ["--across-gaps"]):
            result = wirespool.run("replay", capture, "--to", server.address, *words).done(1)
            assert "the capture lacks 44 bytes of it" in result.stderr
    assert "failed" in result.stderr
