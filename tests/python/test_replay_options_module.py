"""`wirespool.replay` and `wirespool.serve`: what is played, when, and what is left of it."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import packets
import pytest
import wirespool
from programs import free_port
from recording import refusing
from running import PATIENCE, Address
from sockets import Echoing, Serving, dial, exchange, read_all

CLIENT, SERVER = ("10.0.0.1", 40_000), ("10.0.0.2", 7)


@pytest.fixture
def recorded(capture: Path) -> Path:
    """Three connections to an echo, one after the other: "one", "two" and "three"."""
    with Echoing() as server, wirespool.record(capture, server.address, format="text/line") as recording:
        for word in (b"one\n", b"two\n", b"three\n"):
            with dial(recording.address) as client:
                exchange(client, word)
                client.shutdown(socket.SHUT_WR)
                assert read_all(client) == b""
    return capture


@pytest.fixture
def echo() -> Iterator[Echoing]:
    """Where it is played."""
    with Echoing() as server:
        yield server


def said(capture: Path) -> list[str]:
    """What clients say in a capture."""
    return [message.value for message in wirespool.open(capture) if message.side == "client"]


@pytest.mark.parametrize(
    ("connection", "played"), [(1, [1]), ([0, 2], [0, 2]), (iter((2,)), [2]), (None, [0, 1, 2])]
)
def test_only_the_connections_asked_for_are_played(
    recorded: Path, echo: Echoing, connection: Any, played: list[int]
) -> None:
    receipt = wirespool.replay(recorded, echo.address, speed="max", connection=connection)
    assert [one.connection for one in receipt.connections] == played
    assert (receipt.outcome, receipt.notes) == ("verified", [])


def test_a_choice_of_nothing_has_failed(recorded: Path) -> None:
    holder, address = refusing()
    with holder:
        receipt = wirespool.replay(recorded, address, connection=7)
        with pytest.raises(wirespool.UsageError, match="connection: it is empty"):
            wirespool.replay(recorded, address, connection=())
    assert receipt.outcome == "failed"
    assert [one.connection for one in receipt.connections] == [7]


def test_a_connection_that_is_not_there_is_a_failure(recorded: Path, echo: Echoing) -> None:
    receipt = wirespool.replay(recorded, echo.address, speed="max", connection=[1, 7])
    assert [(one.connection, one.outcome) for one in receipt.connections] == [(1, "verified"), (7, "failed")]
    assert receipt.outcome == "failed"


def test_connections_follow_each_other_when_asked(recorded: Path) -> None:
    now, most = 0, 0
    counting = threading.Lock()

    def handle(connection: socket.socket) -> None:
        nonlocal now, most
        with counting:
            now += 1
            most = max(most, now)
        while data := connection.recv(100):
            connection.sendall(data)
        with counting:
            now -= 1

    with Serving(handle) as server:
        receipt = wirespool.replay(recorded, server.address, speed="max", serial=True)
    assert (receipt.outcome, most) == ("verified", 1)


def test_several_captures_are_played_as_one_and_named_by_their_digests(
    recorded: Path, echo: Echoing, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(recorded.read_bytes())
    receipt = wirespool.replay([recorded, str(copy)], echo.address, speed="max")
    assert (receipt.outcome, len(receipt.connections)) == ("verified", 6)
    digest = hashlib.sha256(recorded.read_bytes()).hexdigest()
    named = [(one.path, one.sha256) for one in receipt.captures]
    assert named == [(str(recorded), digest), (str(copy), digest)]


def test_a_replay_records_itself(recorded: Path, echo: Echoing, tmp_path: Path) -> None:
    again = tmp_path / "again.pcapng"
    wirespool.replay(recorded, echo.address, speed="max", serial=True, output=again)
    assert said(again) == said(recorded) == ["one", "two", "three"]
    with pytest.raises(FileExistsError) as raised:
        wirespool.replay(recorded, echo.address, speed="max", output=str(again))
    assert raised.value.filename == str(again)
    wirespool.replay(recorded, echo.address, speed="max", output=again, force=True, connection=1)
    assert said(again) == ["two"]


def test_a_recorded_server_records_itself(recorded: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.pcap"
    with wirespool.serve(recorded, connection=0, wait=PATIENCE, output=again) as server:
        with dial(server.address) as client:
            exchange(client, b"one\n")
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b""
    assert [message.raw for message in wirespool.open(again, format="text/line")] == [b"one\n", b"one\n"]
    with pytest.raises(FileExistsError):
        wirespool.serve(recorded, output=again)


@pytest.mark.parametrize("pace", [{"rate": 1000}, {"cap_idle": 0.01}, {"speed": 1e6}])
def test_a_long_silence_need_not_be_waited_for(echo: Echoing, tmp_path: Path, pace: dict[str, float]) -> None:
    connection = packets.Connection(CLIENT, SERVER)
    for hour, word in enumerate((b"one\n", b"two\n", b"three\n")):
        connection.say("client", word, hour * 3600 + 1).say("server", word, hour * 3600 + 2)
    capture = packets.write(tmp_path / "hours.pcap", connection.close("client", 7300).close("server", 7300))
    receipt = wirespool.replay(capture, echo.address, **pace)  # type: ignore[arg-type]
    assert receipt.outcome == "verified", receipt
    assert receipt.timing is not None
    assert receipt.timing.count == 3
    assert 0 <= receipt.timing.p50 <= receipt.timing.p99 <= receipt.timing.worst < PATIENCE


def test_at_full_speed_nothing_has_a_time(recorded: Path, echo: Echoing) -> None:
    assert wirespool.replay(recorded, echo.address, speed="max").timing is None


def test_what_is_missing_taints_the_verdict(echo: Echoing, tmp_path: Path) -> None:
    connection = packets.Connection(CLIENT, SERVER)
    connection.say("client", b"one\n", 1).lose("client", 3).say("client", b"two\n", 2)
    connection.say("server", b"one\ntwo\n", 3)
    capture = packets.write(tmp_path / "holes.pcap", connection)
    refused = wirespool.replay(capture, echo.address, speed="max")
    assert (refused.outcome, refused.connections[0].gaps) == ("failed", 1)
    receipt = wirespool.replay(capture, echo.address, speed="max", across_gaps=True)
    assert (receipt.outcome, receipt.tainted, receipt.verified) == ("verified", True, False)
    reasons = " ".join(receipt.connections[0].tainted)
    assert "lacks 3 bytes" in reasons
    assert "ended with the connection open" in reasons
    receipt.check()
    with pytest.raises(wirespool.Mismatch, match="tainted"):
        receipt.check(strict=True)


def test_damage_of_the_capture_taints(recorded: Path, echo: Echoing) -> None:
    recorded.write_bytes(recorded.read_bytes() + b"\6\0\0\0\x40\0\0\0torn")
    receipt = wirespool.replay(recorded, echo.address, speed="max")
    assert len(receipt.damage) == 1
    assert receipt.damage[0].startswith(f"{recorded}: ")


class Shop(Serving):
    """Asks another server about each line, and passes the answer on."""

    def __init__(self, other: Address) -> None:
        """Listen."""

        def handle(client: socket.socket) -> None:
            with dial(other) as dependency:
                questions, answers = client.makefile("rb"), dependency.makefile("rb")
                while question := questions.readline():
                    dependency.sendall(question)
                    client.sendall(b"says " + answers.readline())

        super().__init__(handle)


def test_a_server_is_played_from_both_sides(tmp_path: Path) -> None:
    asked, answered = tmp_path / "asked.pcapng", tmp_path / "answered.pcapng"
    with Echoing() as echo, wirespool.record(answered, echo.address, format="text/line") as inner:
        with Shop(inner.address) as shop, wirespool.record(asked, shop.address, format="text/line") as outer:
            with dial(outer.address) as client:
                client.sendall(b"one\n")
                assert client.makefile("rb").readline() == b"says one\n"
                client.shutdown(socket.SHUT_WR)
                assert read_all(client) == b""
    dependency = ("127.0.0.1", free_port())
    with Shop(dependency) as shop:
        receipt = wirespool.replay([asked, answered], shop.address, listen=dependency, speed="max")
    assert (receipt.outcome, receipt.role) == ("verified", "both"), receipt
    assert sorted(one.role for one in receipt.connections) == ["client", "server"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rate": 0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": 10, "speed": 2}, "rate and speed exclude each other"),
        ({"rate": 10, "cap_idle": 1}, "rate and cap_idle exclude each other"),
        ({"serial": True, "listen": 9}, "serial and listen exclude each other"),
        ({"listen": 0}, "port"),
        ({"cap_idle": -1}, "length of time"),
        ({"output": "capture.txt"}, "pcap"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(recorded: Path, arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        wirespool.replay(recorded, "127.0.0.1:9", **arguments)


def test_nothing_is_left_of_a_replay_that_could_not_begin(recorded: Path, tmp_path: Path) -> None:
    output = tmp_path / "again.pcapng"
    with pytest.raises(wirespool.UsageError, match="only connections to"):
        wirespool.replay(recorded, "127.0.0.1:9", listen=free_port(), output=output)
    assert not output.exists()


@pytest.mark.parametrize("connection", ["1", 1.5, [None]])
def test_a_connection_is_a_number(recorded: Path, connection: Any) -> None:
    with pytest.raises(TypeError):
        wirespool.replay(recorded, "127.0.0.1:9", connection=connection)
