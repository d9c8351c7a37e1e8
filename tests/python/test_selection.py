"""Several captures are read as one; what of them is meant is chosen by address, time and value."""

import json
from pathlib import Path

import pytest
from conftest import Wirespool
from packets import BEGUN, Connection, write

ANY = ["show", "--json"]


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two connections, a second apart: one of IPv4 and one of IPv6."""
    first = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    first.say("client", b'{"humidity": 51, "1": 25}\n', 0.1).say("server", b"ok\n", 0.2)
    second = Connection(("2001:db8::1", 50_001), ("2001:db8::2", 8), at=1)
    second.say("client", b'{"humidity": 49, "1": 25}\n', 1.1).say("server", b"no\n", 1.2)
    for connection, at in ((first, 2), (second, 3)):
        connection.close("client", at).close("server", at)
    return write(tmp_path / "two.pcap", first, second)


def said(wirespool: Wirespool, *words: str | Path) -> list[tuple[int, object]]:
    """The messages that are shown: connection and value."""
    lines = wirespool.run("show", "--json", "-f", "text/line", *words).done().text.splitlines()
    return [(line["connection"], line["value"]) for line in map(json.loads, lines)]


FIRST = [(0, '{"humidity": 51, "1": 25}'), (0, "ok")]
SECOND = [(1, '{"humidity": 49, "1": 25}'), (1, "no")]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("--connection 1", SECOND),
        ("--connection 0 --connection 1", FIRST + SECOND),
        ("--port 7", FIRST),
        ("--port 50001", SECOND),
        ("--port 7 --port 8", FIRST + SECOND),
        ("--host 192.0.2.0/24", FIRST),
        ("--host 2001:db8::2", SECOND),
        ("--host [2001:db8::2]", SECOND),
        ("--host [2001:db8::]/32", SECOND),
        ("--host 192.0.2.1 --port 8", []),
        ("--side server", [FIRST[1], SECOND[1]]),
        ("--since +1s", SECOND),
        ("--until +1s", FIRST),
        ("--since +0.15s --until +1.15s", [FIRST[1], SECOND[0]]),
        ("--since 2023-11-14T22:13:21Z", SECOND),
        ("--until 2023-11-14", []),
        ("--where @.humidity>50", FIRST[:1]),
        ("--where $.humidity", [FIRST[0], SECOND[0]]),
        ("--where @=='ok'", FIRST[1:]),
        ("--where search(@,'o') --side server -n 1", FIRST[1:]),
    ],
)
def test_what_is_chosen_keeps_its_number(
    wirespool: Wirespool, two: Path, chosen: str, expected: list[tuple[int, object]]
) -> None:
    assert BEGUN == 1_700_000_000  # 2023-11-14T22:13:20Z
    assert said(wirespool, two, *chosen.split()) == expected


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ("--host localhost", "is no address"),
        ("--since yesterday", "is no time"),
        ("--host [192.0.2.1]", "is no address"),
        ("--where @.a>", "as a filter, it cannot be parsed"),
        ("--where Host", "as a filter, at position 0"),
        ("--where Host", "'@.humidity > 50 && "),
        ("--where $.a[", "at position 3"),
    ],
)
def test_what_cannot_be_chosen_by_is_refused(wirespool: Wirespool, two: Path, chosen: str, why: str) -> None:
    result = wirespool.run("show", two, *chosen.split()).done(2)
    assert why in result.stderr
    assert chosen.split()[0] in result.stderr


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ("--port 9", "the capture has 2 connections, see `wirespool info`"),
        ("--where @.humidity>99", "none of 4 messages was, of 2 connections in all"),
        ("--port 9 --raw --side client", "the capture has 2 connections, see `wirespool info`"),
    ],
)
def test_that_nothing_was_chosen_is_said_once(wirespool: Wirespool, two: Path, chosen: str, why: str) -> None:
    words = [] if "--raw" in chosen else ["-f", "text/line"]
    result = wirespool.run("show", two, *words, *chosen.split()).done()
    assert result.text == ""
    assert result.stderr == f"nothing was selected: {why}\n"


def test_raw_bytes_are_those_of_one_connection_or_it_is_refused(wirespool: Wirespool, two: Path) -> None:
    words = ("show", two, "--raw", "--side", "server")
    result = wirespool.run(*words).done(2)
    assert "both 0 and 1 are selected; choose by --connection" in result.stderr
    assert wirespool.run(*words, "--connection", "1").done().text == "no\n"
    assert wirespool.run(*words, "--port", "8").done().text == "no\n"
    assert wirespool.run(*words, "--connection", "2").done(2).text == ""


def test_standard_input_is_not_given_twice(wirespool: Wirespool, two: Path) -> None:
    for words in (["info", "-", "-"], ["show", "-", two, "-"], ["diff", "-", "-"]):
        result = wirespool.run(*words, stdin=two.read_bytes()).done(2)
        assert "is given twice, and can be read once only" in result.stderr


def test_messages_without_a_value_are_not_looked_into_and_counted(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    connection.say("client", b"\x80\x04K\x07.", 0.1).say("client", b"\x80\x04\xff", 0.2)
    path = write(tmp_path / "broken.pcap", connection.close("client", 0.3))
    result = wirespool.run("show", path, "-f", "pickle", "--json", "--where", "@ == 7").done()
    assert [json.loads(line)["value"] for line in result.text.splitlines()] == [7]
    assert "1 message could not be decoded and was not looked at" in result.stderr


@pytest.mark.parametrize(
    ("chosen", "expected"), [("--port 8", [1]), ("--host 192.0.2.2", [0]), ("--since +1s", [1]), ("", [0, 1])]
)
def test_info_and_replay_choose_connections(
    wirespool: Wirespool, two: Path, chosen: str, expected: list[int]
) -> None:
    told = json.loads(wirespool.run("info", two, "--json", *chosen.split()).done().text)
    assert [one["connection"] for one in told["connections"]] == expected
    dry = wirespool.run("replay", two, "--to", "9", "--dry-run", *chosen.split()).done().text
    assert [number for number in (0, 1) if f"connection {number}" in dry] == expected
    wirespool.run("diff", two, two, "--strict", *chosen.split()).done()


def test_a_connection_that_was_split_over_files_is_one_in_all_commands(
    wirespool: Wirespool, two: Path, tmp_path: Path
) -> None:
    data = two.read_bytes()
    place = 24
    for _ in range(4):
        place += 16 + int.from_bytes(data[place + 8 : place + 12], "little")
    parts = [tmp_path / "ring_00001.pcap", tmp_path / "ring_00002.pcap"]
    parts[0].write_bytes(data[:place])
    parts[1].write_bytes(data[:24] + data[place:])
    # As a shell lists them, or not.
    assert said(wirespool, *parts) == said(wirespool, *parts[::-1]) == FIRST + SECOND
    told = json.loads(wirespool.run("info", *parts, "--json").done().text)
    assert [file["file"] for file in told["captures"]] == [str(part) for part in parts]
    assert [one["capture"] for one in told["connections"]] == [0, 1]
    assert told["connections"][0]["sides"]["client"]["bytes"] == len(FIRST[0][1]) + 1
    wirespool.run("diff", two, two, "--strict").done()
    dry = wirespool.run("replay", *parts, "--to", "9", "--dry-run").done()
    whole = wirespool.run("replay", two, "--to", "9", "--dry-run").done()
    assert dry.text == whole.text
