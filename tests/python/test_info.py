"""What `info` says of connections: how fast, what segments did, who closed and how, and the sum of it all."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from conftest import Wirespool
from packets import Connection, write
from running import Address

SERVER: Address = ("192.0.2.2", 7)


def client(number: int) -> Address:
    """An address of a client."""
    return (f"192.0.2.{100 + number}", 50_000)


def cells(table: str, connection: int, side: str) -> dict[str, str]:
    """What a table says of a side, by the titles of its columns."""
    lines = table.splitlines()
    titles = next(line for line in lines if line.lstrip().startswith("client "))
    at = next(place for place, line in enumerate(lines) if line.startswith(f"{connection}  "))
    line = lines[at + (side == "server")]
    names = titles.replace("stray resets", "stray_resets").split()
    starts = [titles.replace("stray resets", "stray_resets").index(name) for name in names]
    ends = [*starts[1:], None]
    return {name: line[start:end].strip() for name, start, end in zip(names, starts, ends, strict=True)}


def connections(wirespool: Wirespool, capture: Path, *words: str) -> list[dict[str, Any]]:
    """The list in `info --json`."""
    told = json.loads(wirespool.run("info", capture, "--json", *words).done().text)
    return list(told["connections"])


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A connection of four seconds, of which each side did something odd."""
    talk = Connection(client(0), SERVER).say("client", b"0123456789\n", 0.5).say("server", b"ok\n", 1)
    talk.say_again("client", b"0123456789\n", 1.5).say_again("server", b"no\n", 2)
    talk.say("client", b"more\n", 3).close("server", 3.5).close("client", 4)
    return write(tmp_path / "odd.pcap", talk)


def test_the_table_says_how_fast_a_side_was_and_what_it_sent_again(wirespool: Wirespool, odd: Path) -> None:
    table = wirespool.run("info", odd, "-f", "text/line").done().text
    assert "odd.pcap: 9 packets, " in table
    sent = cells(table, 0, "client")
    assert (sent["seconds"], sent["bytes"], sent["rate"]) == ("4.000", "16", "4.00 B/s")
    assert (sent["messages"], sent["messages/s"]) == ("2", "0.50")
    assert (sent["retransmitted"], sent["differing"], sent["ended"]) == ("11 B in 1", "", "closed")
    answered = cells(table, 0, "server")
    assert (answered["differing"], answered["ended"]) == ("2 B in 1", "closed first")
    # What nobody did has no column, and one connection is its own sum.
    assert not {"discarded", "urgent", "stray_resets", "missing", "roles"} & sent.keys()
    assert "from clients" not in table


def test_json_has_the_same_numbers_for_each_side(wirespool: Wirespool, odd: Path) -> None:
    (connection,) = connections(wirespool, odd, "-f", "text/line")
    assert (connection["roles"], connection["ended"], connection["ended_first"]) == (
        "seen",
        "closed",
        "server",
    )
    sent, answered = connection["sides"]["client"], connection["sides"]["server"]
    assert (sent["bytes_per_second"], sent["messages_per_second"]) == (4.0, 0.5)
    assert (sent["retransmissions"], sent["retransmitted_bytes"]) == (1, 11)
    assert (answered["differing_overlaps"], answered["differing_bytes"]) == (1, 2)
    assert (sent["discarded_bytes"], sent["urgent"], sent["stray_resets"]) == (0, 0, 0)


def test_what_took_no_time_has_no_rate(wirespool: Wirespool, tmp_path: Path) -> None:
    capture = write(tmp_path / "still.pcap", Connection(client(0), SERVER).say("client", b"all\n", 0))
    (connection,) = connections(wirespool, capture)
    assert connection["duration"] == 0
    assert connection["sides"]["client"]["bytes_per_second"] is None
    assert "rate" not in wirespool.run("info", capture).done().text


def test_one_packet_is_no_packets(wirespool: Wirespool, tmp_path: Path) -> None:
    talk = Connection(client(0), SERVER, handshake=False).say("client", b"all\n", 0)
    assert "one.pcap: 1 packet, " in wirespool.run("info", write(tmp_path / "one.pcap", talk)).done().text


def test_guessed_roles_are_said_where_the_beginning_was_missed(wirespool: Wirespool, tmp_path: Path) -> None:
    whole = Connection(client(0), SERVER).say("client", b"a\n", 1)
    begun = Connection(client(1), SERVER, handshake=False).say("client", b"b\n", 2)
    capture = write(tmp_path / "missed.pcap", whole, begun)
    table = wirespool.run("info", capture).done().text
    assert [cells(table, number, "client")["roles"] for number in (0, 1)] == ["", "guessed"]
    assert [one["roles"] for one in connections(wirespool, capture)] == ["seen", "guessed"]


@pytest.mark.parametrize(
    ("ends", "ended", "first", "of_client", "of_server"),
    [
        ([("client", "close"), ("server", "close")], "closed", "client", "closed first", "closed"),
        ([("server", "close")], "half-closed", "server", "open", "half-closed"),
        ([("server", "reset")], "reset", "server", "", "reset"),
        ([("client", "close"), ("server", "reset")], "reset", "client", "closed first", "reset"),
        ([], "open", None, "open", "open"),
    ],
)
def test_who_ended_a_connection_and_how_is_said_in_order(
    wirespool: Wirespool,
    tmp_path: Path,
    ends: list[tuple[Any, str]],
    ended: str,
    first: str | None,
    of_client: str,
    of_server: str,
) -> None:
    talk = Connection(client(0), SERVER).say("client", b"a\n", 1)
    for number, (side, how) in enumerate(ends):
        if how == "close":
            talk.close(side, 2 + number)
        else:
            talk.reset(side, 2 + number)
    capture = write(tmp_path / "ends.pcap", talk)
    (connection,) = connections(wirespool, capture)
    assert (connection["ended"], connection["ended_first"]) == (ended, first)
    table = wirespool.run("info", capture).done().text
    assert cells(table, 0, "client")["ended"] == of_client
    assert cells(table, 0, "server")["ended"] == of_server


def test_a_reset_that_nobody_takes_ends_nothing_and_is_counted(wirespool: Wirespool, tmp_path: Path) -> None:
    talk = Connection(client(0), SERVER).say("client", b"a\n", 1).say("server", b"b\n", 2)
    talk.say("client", b"c\n", 3).reset("server", 4, back=2).close("client", 5).close("server", 6)
    capture = write(tmp_path / "stray.pcap", talk)
    (connection,) = connections(wirespool, capture)
    assert (connection["ended"], connection["sides"]["server"]["stray_resets"]) == ("closed", 1)
    assert cells(wirespool.run("info", capture).done().text, 0, "server")["stray_resets"] == "1"


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Three connections: one has the most messages, one the most bytes, one is the longest."""
    many = Connection(client(0), SERVER, 2).say("client", b"1\n2\n3\n4\n", 3)
    large = Connection(client(1), SERVER, 2.5).say("server", b"a" * 99 + b"\n", 3.5)
    long = Connection(client(2), SERVER, 2.75).say("client", b"hello\n", 9).lose("client", 5)
    long.say("client", b"x\n", 10).say("server", b"y\n", 11)
    return write(tmp_path / "three.pcap", many, large, long)


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        ("", [0, 1, 2]),
        ("--sort bytes", [1, 2, 0]),
        ("--sort messages", [0, 2, 1]),
        ("--sort duration -n 2", [2, 0]),
        ("--sort opened -n 1", [0]),
        ("-n 0", []),
    ],
)
def test_connections_are_sorted_and_the_first_of_them_shown(
    wirespool: Wirespool, three: Path, order: str, numbers: list[int]
) -> None:
    words = ["-f", "text/line", *order.split()]
    assert [one["connection"] for one in connections(wirespool, three, *words)] == numbers
    table = wirespool.run("info", three, *words).done().text
    assert [int(number) for number in re.findall(r"^(\d+)  192", table, re.MULTILINE)] == numbers


def test_one_line_sums_up_all_connections_however_many_are_shown(wirespool: Wirespool, three: Path) -> None:
    table = wirespool.run("info", three, "-f", "text/line", "-n", "1").done().text
    assert table.splitlines()[-1] == (
        "3 connections (1 shown): 16 B from clients, 102 B from servers, 8 messages, 5 B missing in 1 gap"
    )
    bare = wirespool.run("info", three).done().text
    assert "\n3 connections: 16 B from clients, 102 B from servers, 5 B missing in 1 gap\n" in bare


def test_messages_that_were_not_counted_are_nothing_to_sort_by(wirespool: Wirespool, three: Path) -> None:
    assert (
        "--sort: messages are counted only"
        in wirespool.run("info", three, "--sort", "messages").done(2).stderr
    )


def test_what_stands_before_the_damage_is_told_and_then_the_error(wirespool: Wirespool, three: Path) -> None:
    damaged = three.with_name("damaged.pcap")
    damaged.write_bytes(three.read_bytes() + b"\xff" * 64)
    result = wirespool.run("info", damaged).done(2)
    assert "\n3 connections: 16 B from clients" in result.text
    assert "damaged.pcap is damaged at byte" in result.stderr.splitlines()[-1]
    told = wirespool.run("info", "--json", damaged).done(2).json[0]
    assert len(told["connections"]) == 3
    assert "is damaged at byte" in told["warnings"][-1]


def test_headers_that_were_made_up_have_no_transport_figures(wirespool: Wirespool, capture: Path) -> None:
    wirespool.run("demo", cwd=capture.parent).done()
    recorded = capture.parent / "demo" / "text.pcapng"
    (connection, *_) = connections(wirespool, recorded)
    assert "bytes_per_second" in connection["sides"]["client"]
    assert not {"retransmitted_bytes", "stray_resets"} & connection["sides"]["client"].keys()


def test_a_hundred_addresses_that_only_dial_are_a_hundred_connections(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    talks = [Connection((f"10.0.0.{number}", 50_000), SERVER) for number in range(100)]
    told = wirespool.run("info", write(tmp_path / "dialled.pcap", *talks)).done().text
    assert told.splitlines()[-1] == "100 connections: 0 B from clients, 0 B from servers"


def test_no_connection_is_said_with_why(wirespool: Wirespool, tmp_path: Path) -> None:
    path = write(tmp_path / "one.pcap", Connection(client(0), SERVER).say("client", b"one", at=1))
    nothing = write(tmp_path / "none.pcap")
    assert wirespool.run("info", nothing).done().lines[1:] == ["no connection: there is no packet"]
    assert wirespool.run("info", path, "--port", "9").done().lines[1:] == ["no connection is selected"]
    # A packet of IPv4 with two bytes of UDP's header.
    udp = bytes.fromhex("4500001600000000401100000a0000010a0000020035")
    with nothing.open("ab") as file:
        file.write(struct.pack("<IIII", 1, 0, len(udp), len(udp)) + udp)
    words = "no connection: no packet could be read as TCP"
    assert words in wirespool.run("info", nothing).done().lines


def test_from_when_to_when_packets_were_is_said(wirespool: Wirespool, tmp_path: Path) -> None:
    talk = Connection(client(0), SERVER, at=1).say("client", b"one", at=3).close("client", at=65)
    told = wirespool.run("info", write(tmp_path / "timed.pcap", talk)).done().lines[0]
    assert told.endswith(", from 2023-11-14T22:13:21Z to 2023-11-14T22:14:25Z")


def test_a_hole_at_the_end_lasts_no_longer_than_its_connection(wirespool: Wirespool, tmp_path: Path) -> None:
    """It had the time of the last packet of all, years later where captures were read together."""
    early = Connection(client(0), SERVER).say("client", b"one", at=1)
    early.lose("client", 4).close("server", at=2)
    late = Connection(client(1), SERVER, 999_999).say("client", b"one", at=1_000_000)
    path = write(tmp_path / "one.pcap", early, late)
    (first, _) = connections(wirespool, path)
    assert first["sides"]["client"]["missing_bytes"] == 4
    assert first["duration"] < 10
    events = wirespool.run("show", path, "--json").done().json
    (gap,) = (event for event in events if event.get("event") == "gap")
    assert gap["frame"] == 4
