"""The flags that say how connections are put together, in every command that reads captures."""

import json
from pathlib import Path

import pytest
from conftest import Wirespool
from packets import Connection, write
from running import Address

ENDS: tuple[Address, Address] = (("10.0.0.1", 50_000), ("10.0.0.2", 80))
READERS = (
    ("show",),
    ("info",),
    ("audit",),
    ("replay", "--to", "127.0.0.1:1"),
    ("serve",),
    ("diff",),
)


def one_way(path: Path) -> Path:
    """A capture with a hole, behind which more is sent for three minutes without a word of the peer."""
    talk = Connection(*ENDS).say("client", b"first\n", 1).lose("client", 5)
    for minute in range(4):
        talk.say("client", b"later\n", 10 + 60 * minute)
    return write(path, talk)


def test_a_hole_of_a_one_way_capture_is_given_up_after_a_time_and_that_is_said(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    capture = one_way(tmp_path / "one.pcap")
    shown = wirespool.run("show", capture, "-f", "text").done()
    assert "1 hole given up that nothing filled for 2m" in shown.stderr
    patient = wirespool.run("show", capture, "-f", "text", "--give-up-after", "never").done()
    assert "given up" not in patient.stderr
    assert patient.stdout == shown.stdout


def test_the_last_bytes_of_an_overlap_count_where_they_are_asked_for(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    talk = Connection(*ENDS).say("client", b"a", 1)
    # The second of two that arrive in the wrong order comes once more, and says something else.
    talk.say_late("client", b"hole ", b"first", 2)
    late = talk.packets.pop()
    talk.say_again("client", b"other", 2.1)
    talk.packets.append((2.2, late[1]))
    capture = write(tmp_path / "overlap.pcap", talk)
    for which, said in (("first", "first"), ("last", "other")):
        shown = wirespool.run("show", capture, "--overlap", which, "--raw", "--side", "client").done()
        assert shown.stdout.decode() == f"ahole {said}"


def test_connections_that_were_forgotten_are_said_in_json(wirespool: Wirespool, tmp_path: Path) -> None:
    talks = [Connection((f"10.0.0.{n}", 50_000), ENDS[1], n) for n in range(3, 8)]
    capture = write(tmp_path / "many.pcap", *talks)
    shown = json.loads(wirespool.run("info", "--json", "--known-connections", "2", capture).done().stdout)
    assert any("more than 2 connections at a time" in words for words in shown["warnings"])


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_every_command_that_reads_captures_has_the_flags(
    wirespool: Wirespool, command: tuple[str, ...]
) -> None:
    shown = wirespool.run(*command, "--help").done().stdout.decode()
    for flag in ("overlap", "held-per-side", "held-in-all", "give-up-after", "known-connections"):
        assert f"--{flag}" in shown


@pytest.mark.parametrize("given", ["", "MB", "12XB", "-1", "99999999999999GB"])
def test_a_size_that_is_none_is_refused_with_an_example(wirespool: Wirespool, given: str) -> None:
    refused = wirespool.run("show", f"--held-in-all={given}", "x.pcap").done(2)
    assert "64MB or 16MiB" in refused.stderr
