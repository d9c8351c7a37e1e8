"""`wirespool.open`, `replay` and `diff`: what of captures is meant, and how it is put together."""

import datetime
import ipaddress
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import wirespool
from packets import BEGUN, Connection, write
from running import PATIENCE, Process
from sockets import Echoing, dial, read_all

FIRST = [(0, '{"humidity": 51, "1": 25}'), (0, "ok")]
SECOND = [(1, '{"humidity": 49, "1": 25}'), (1, "no")]
PCAP_HEADER = 24


def at(seconds: float, zone: datetime.tzinfo = datetime.UTC) -> datetime.datetime:
    """So long after the first packet."""
    return datetime.datetime.fromtimestamp(BEGUN + seconds, zone)


@pytest.fixture
def talks() -> list[Connection]:
    """Two connections, a second apart: one of IPv4 and one of IPv6, which lacks bytes at its end."""
    first = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    first.say("client", b'{"humidity": 51, "1": 25}\n', 0.1).say("server", b"ok\n", 0.2)
    second = Connection(("2001:db8::1", 50_001), ("2001:db8::2", 8), at=1)
    second.say("client", b'{"humidity": 49, "1": 25}\n', 1.1).say("server", b"no\n", 1.2)
    first.close("client", 2).close("server", 2)
    second.lose("client", 5).close("client", 3).close("server", 3)
    return [first, second]


@pytest.fixture
def two(talks: list[Connection], tmp_path: Path) -> Path:
    """Both in one capture."""
    return write(tmp_path / "two.pcap", *talks)


def said(*path: Path, **chosen: Any) -> list[tuple[int, object]]:
    """The messages that are chosen: connection and value."""
    opened = wirespool.open(path, "text/line", **chosen)
    messages = [(message.connection, message.value) for message in opened]
    assert [(message.connection, message.value) for message in opened] == messages
    return messages


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, FIRST + SECOND),
        ({"connection": 1}, SECOND),
        ({"connection": range(2)}, FIRST + SECOND),
        ({"port": 7}, FIRST),
        ({"port": [7, 50_001]}, FIRST + SECOND),
        ({"host": "192.0.2.0/24"}, FIRST),
        ({"host": ipaddress.ip_address("2001:db8::2")}, SECOND),
        ({"host": ipaddress.ip_network("0.0.0.0/0")}, FIRST),
        ({"host": iter([ipaddress.ip_network("2001:db8::/32"), "192.0.2.1"])}, FIRST + SECOND),
        ({"host": "192.0.2.1", "port": 8}, []),
        ({"side": "server"}, [FIRST[1], SECOND[1]]),
        ({"since": "+1s"}, SECOND),
        ({"since": at(1)}, SECOND),
        ({"since": at(1, datetime.timezone(datetime.timedelta(hours=-7)))}, SECOND),
        ({"since": BEGUN + 1}, SECOND),
        ({"since": BEGUN + 0.15, "until": BEGUN + 1.15}, [FIRST[1], SECOND[0]]),
        ({"until": "2023-11-14"}, []),
        ({"until": datetime.datetime.max.replace(tzinfo=datetime.UTC)}, FIRST + SECOND),
        ({"where": "@.humidity > 50"}, FIRST[:1]),
        ({"where": "search(@, 'o')", "side": "server", "connection": 0}, FIRST[1:]),
    ],
)
def test_what_is_chosen_keeps_its_number(
    two: Path, chosen: dict[str, Any], expected: list[tuple[int, object]]
) -> None:
    assert said(two, **chosen) == expected


def test_a_time_is_exact_to_the_microsecond(two: Path) -> None:
    *_, last = wirespool.open(two, "text/line")
    assert said(two, since=last.time) == SECOND[1:]
    assert said(two, since=last.time + datetime.timedelta(microseconds=1)) == []


def test_captures_are_merged_and_chosen_from_as_one(talks: list[Connection], tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.pcap", talk) for number, talk in enumerate(talks)]
    assert said(*paths[::-1], since="+0.15s") == FIRST[1:] + SECOND
    assert said(*paths, port=8) == SECOND


def test_events_and_gaps_are_chosen_too(two: Path) -> None:
    def kinds(**chosen: Any) -> list[str]:
        return [event.kind for event in wirespool.open(two, **chosen).events()]

    assert kinds(connection=0) == ["open", "data", "data", "eof", "eof"]
    assert kinds(connection=0, side="client") == ["open", "data", "eof"]
    assert kinds(connection=0, until="+0.15s") == ["open", "data"]
    assert [gap.length for gap in wirespool.open(two).gaps] == [5]
    for chosen in ({"port": 7}, {"side": "server"}, {"until": "+2s"}):
        assert wirespool.open(two, **chosen).gaps == []
    # An event has no value.
    assert len(wirespool.open(two, where="@ == 'ok'").gaps) == 1


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"connection": -1}, "connection: -1 is none"),
        ({"connection": []}, "connection: it is empty"),
        ({"port": [80, 65_536]}, "port: 65536 is none"),
        ({"host": "localhost"}, 'host: "localhost" is no address'),
        ({"side": "left"}, 'side: "left" is none'),
        ({"since": "yesterday"}, 'since: "yesterday" is no time'),
        ({"until": BEGUN * 10**9}, "until: 1700000000000000000 is out of range"),
        ({"until": float("nan")}, "until: nan is out of range"),
        ({"since": at(1).replace(tzinfo=None)}, "since: the datetime has no time zone"),
        ({"where": "@.a >"}, "where: .* is no condition"),
        ({"reassembly": {"overlaps": "last"}}, "reassembly: there is no 'overlaps'"),
        ({"reassembly": {"overlap": "both"}}, "reassembly: overlap is"),
        ({"reassembly": {"held_in_all": -1}}, "reassembly: held_in_all is an int"),
        ({"reassembly": {"known_connections": 0}}, "reassembly: known_connections is an int from 1"),
        ({"reassembly": {"give_up_after": "2m"}}, "reassembly: give_up_after is a number of seconds"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(two: Path, chosen: dict[str, Any], why: str) -> None:
    with pytest.raises(wirespool.UsageError, match=why):
        wirespool.open(two, **chosen)


@pytest.mark.parametrize(
    "chosen",
    [
        {"connection": "1"},
        {"connection": [0, None]},
        {"port": 7.5},
        {"host": b"192.0.2.1"},
        {"since": [1]},
        {"reassembly": "last"},
    ],
)
def test_what_is_of_another_type_is_a_type_error(two: Path, chosen: dict[str, Any]) -> None:
    (keyword,) = chosen
    with pytest.raises(TypeError, match=keyword):
        wirespool.open(two, **chosen)


def test_what_could_not_be_chosen_by_is_a_warning(tmp_path: Path) -> None:
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    connection.say("client", b"\x80\x04K\x07.", 0.1).say("client", b"\x80\x04\xff", 0.2)
    path = write(tmp_path / "broken.pcap", connection.close("client", 0.3))
    opened = wirespool.open(path, "pickle", where="@ == 7")
    assert [message.value for message in opened] == [7]
    assert opened.warnings == ["1 message could not be decoded and was not looked at"]
    assert wirespool.open(path, connection=3).warnings == ["there is no connection 3: there are 1, from 0"]


def test_connections_are_put_together_as_asked(tmp_path: Path) -> None:
    talk = Connection(("10.0.0.1", 50_000), ("10.0.0.2", 80)).say("client", b"a", 1)
    # The second of two that arrive in the wrong order comes once more, and says something else.
    talk.say_late("client", b"hole ", b"first", 2)
    late = talk.packets.pop()
    talk.say_again("client", b"other", 2.1)
    talk.packets.append((2.2, late[1]))
    path = write(tmp_path / "overlap.pcap", talk)
    for which, expected in (("first", b"ahole first"), ("last", b"ahole other")):
        opened = wirespool.open(path, reassembly={"overlap": which})  # type: ignore[typeddict-item]
        assert b"".join(event.bytes or b"" for event in opened.events()) == expected


def test_a_hole_is_waited_for_as_long_as_asked(tmp_path: Path) -> None:
    talk = Connection(("10.0.0.1", 50_000), ("10.0.0.2", 80)).say("client", b"first\n", 1)
    talk.lose("client", 5).say("client", b"later\n", 10).say("client", b"later\n", 100)
    path = write(tmp_path / "one.pcap", talk)
    assert wirespool.open(path).warnings == []
    (warning,) = wirespool.open(path, reassembly={"give_up_after": 30.0}).warnings
    assert "1 hole given up that nothing filled for 30s" in warning
    assert wirespool.open(path, reassembly={"give_up_after": None, "held_per_side": 1 << 20}).warnings == []


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"port": 7}, [0]),
        ({"host": ipaddress.ip_address("2001:db8::1")}, [1]),
        ({"since": at(1)}, [1]),
        ({"until": "+1s"}, [0]),
        ({"connection": [0, 1]}, [0, 1]),
    ],
)
def test_replay_and_diff_choose_connections(two: Path, chosen: dict[str, Any], expected: list[int]) -> None:
    with Echoing() as server:
        receipt = wirespool.replay(
            two, server.address, speed="max", compare="none", across_gaps=True, **chosen
        )
    assert [one.connection for one in receipt.connections] == expected
    receipt = wirespool.diff(two, two, format="text/line", **chosen)
    assert [one.connection for one in receipt.connections] == expected


def test_serve_chooses_connections(two: Path) -> None:
    with pytest.raises(wirespool.UsageError, match="host: "):
        wirespool.serve(two, host="localhost")
    with wirespool.serve(two, port=7, wait=PATIENCE) as server, dial(server.address) as client:
        client.sendall(b'{"humidity": 51, "1": 25}\n')
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"ok\n"
    assert server.receipt is not None
    assert [one.connection for one in server.receipt.connections] == [0]


def test_a_capture_is_followed_as_it_grows(two: Path, tmp_path: Path) -> None:
    """It waits without the GIL: the file is written by another thread."""
    growing = tmp_path / "growing.pcap"
    whole = two.read_bytes()
    growing.write_bytes(b"")
    heard = threading.Semaphore(0)

    def record() -> None:
        with growing.open("ab", buffering=0) as file:
            file.write(whole[: PCAP_HEADER + 5])
            file.write(whole[PCAP_HEADER + 5 :])
            for _ in FIRST + SECOND:
                heard.acquire()
        growing.unlink()

    recording = threading.Thread(target=record)
    recording.start()
    opened = wirespool.open(growing, "text/line", follow=True)
    messages = []
    for message in opened:
        messages.append((message.connection, message.value))
        heard.release()
    recording.join()
    assert messages == FIRST + SECOND


def test_following_takes_one_file_and_times_by_the_clock(two: Path) -> None:
    with pytest.raises(wirespool.UsageError, match="follow takes one capture"):
        wirespool.open([two, two], follow=True)
    with pytest.raises(wirespool.UsageError, match="by the clock only"):
        wirespool.open(two, since="+1s", follow=True)
    with pytest.raises(wirespool.UsageError, match="is no file that grows"):
        wirespool.open("/dev/null", follow=True)


def test_ctrl_c_ends_following(two: Path) -> None:
    program = """if True:
        import sys, wirespool
        for message in wirespool.open(sys.argv[1], "text/line", follow=True):
            print(message.value, flush=True)
    """
    process = Process([sys.executable, "-c", program, str(two)])
    process.wait_for("no")
    result = process.signal(signal.SIGINT).finish()
    assert "KeyboardInterrupt" in result.stderr
