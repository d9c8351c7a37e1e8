"""Captures are written anew as one clean capture, all of what they carry or what is chosen of it."""

import json
from pathlib import Path

import pytest
from conftest import Wirespool
from packets import Connection, write


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two connections, a second apart: one of IPv4 and one of IPv6."""
    first = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7)).say("client", b"one", 0.1)
    second = Connection(("2001:db8::1", 50_001), ("2001:db8::2", 8), at=1).say("client", b"two", 1.1)
    for connection, at in ((first, 2), (second, 3)):
        connection.close("client", at).close("server", at)
    return write(tmp_path / "two.pcap", first, second)


def said(wirespool: Wirespool, capture: Path) -> list[str]:
    """The texts in a capture."""
    lines = wirespool.show(capture, "-f", "text").text.splitlines()
    return [line["value"] for line in map(json.loads, lines)]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("", ["one", "two"]),
        ("--connection 1", ["two"]),
        ("--connection 0 --connection 1", ["one", "two"]),
        ("--port 7", ["one"]),
        ("--port 7 --port 8", ["one", "two"]),
        ("--host 2001:db8::/32", ["two"]),
        ("--host 192.0.2.1 --port 8", []),
        ("--since +0.5s", ["two"]),
        ("--until +0.5s", ["one"]),
        # It opened before that, though it goes on.
        ("--since +0.05s --until +1s", []),
    ],
)
def test_chosen_connections_are_written_whole(
    wirespool: Wirespool, two: Path, tmp_path: Path, chosen: str, expected: list[str]
) -> None:
    clean = tmp_path / "clean.pcapng"
    result = wirespool.run("convert", two, clean, *chosen.split()).done()
    assert said(wirespool, clean) == expected
    assert f"clean.pcapng: connections {len(expected)}, " in result.stderr
    left_out = 2 - len(expected)
    assert (f"left out: {left_out} connection" in result.stderr) == (left_out > 0)
    found = json.loads(wirespool.run("info", "--json", clean).done().stdout)["connections"]
    assert [[end["how"] for end in one["ends"]] for one in found] == [["closed", "closed"]] * len(expected)


def test_a_number_that_no_connection_has_is_said(wirespool: Wirespool, two: Path, tmp_path: Path) -> None:
    result = wirespool.run("convert", two, tmp_path / "clean.pcap", "--connection", "2").done()
    assert "there is no connection 2: there are 2, from 0" in result.stderr


@pytest.mark.parametrize(("overlap", "expected"), [("first", "abcd"), ("last", "abCD")])
def test_the_policy_decides_what_is_written(
    wirespool: Wirespool, tmp_path: Path, overlap: str, expected: str
) -> None:
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7)).lose("client", 2)
    connection.say("client", b"cd", 0.1).say_again("client", b"CD", 0.2)
    connection.say_again("client", b"ab", 0.3, back=4).close("client", 0.4).close("server", 0.4)
    capture, clean = write(tmp_path / "differing.pcap", connection), tmp_path / "clean.pcap"
    wirespool.run("convert", capture, clean, "--overlap", overlap).done()
    assert "".join(said(wirespool, clean)) == expected


@pytest.mark.parametrize("name", ["clean", "clean.txt", "clean.pcap.gz", "clean.pcapng.zst", "-"])
def test_another_ending_is_refused_with_those_that_there_are(
    wirespool: Wirespool, two: Path, tmp_path: Path, name: str
) -> None:
    result = wirespool.run("convert", two, name, cwd=tmp_path).done(2)
    assert "end its name in .pcapng or .pcap" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["two.pcap"]


def test_a_file_that_is_there_is_replaced_only_by_force_and_an_original_never(
    wirespool: Wirespool, two: Path, tmp_path: Path
) -> None:
    clean = tmp_path / "clean.pcap"
    clean.write_bytes(b"mine")
    assert "--force" in wirespool.run("convert", two, clean).done(2).stderr
    assert clean.read_bytes() == b"mine"
    wirespool.run("convert", two, clean, "--force").done()
    assert said(wirespool, clean) == ["one", "two"]
    before = two.read_bytes()
    wirespool.run("convert", two, two, "--force").done(2)
    assert two.read_bytes() == before


def test_what_stands_before_damage_is_written(wirespool: Wirespool, two: Path, tmp_path: Path) -> None:
    two.write_bytes(two.read_bytes()[:-7])
    clean = tmp_path / "clean.pcap"
    result = wirespool.run("convert", two, clean).done()
    assert "two.pcap: " in result.stderr
    assert said(wirespool, clean) == ["one", "two"]
