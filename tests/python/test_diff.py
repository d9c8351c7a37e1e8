"""`diff`: two captures, message by message."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import Wirespool
from packets import Connection, write
from programs import FORMATS, Peers
from recording import record_session


def recorded(wirespool: Wirespool, path: Path, values: Sequence[object], words: str = "pickle") -> Path:
    """A capture of a client that sends these values."""
    listening, (host, port) = wirespool.serving("listen", "0", "-f", words, "--connections", "1")
    lines = "".join(json.dumps(value) + "\n" for value in values)
    address = f"{host}:{port}"
    wirespool.run("send", address, "-f", words, "-", "-o", path, stdin=lines.encode()).done()
    listening.finish().done()
    return path


def typed(wirespool: Wirespool, path: Path, lines: Sequence[str], form: str) -> Path:
    """A capture of a client that sends these lines of text."""
    listening, (host, port) = wirespool.serving("listen", "0", "-f", form, "--connections", "1")
    sent = "".join(f"{line}\n" for line in lines).encode()
    wirespool.run("send", f"{host}:{port}", "-f", form, "-", "-o", path, stdin=sent).done()
    listening.finish().done()
    return path


@pytest.fixture
def pair(wirespool: Wirespool, tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings of a program with a clock."""
    first = [{"time": 1, "items": [1, 2], "t": 20.0}, {"time": 2, "items": [], "t": 21.0}]
    second = [{"time": 5, "items": [2, 1], "t": 20.25}, {"time": 6, "items": [], "t": 21.0}]
    return (
        recorded(wirespool, tmp_path / "first.pcapng", first),
        recorded(wirespool, tmp_path / "second.pcapng", second),
    )


def test_a_capture_is_as_itself(wirespool: Wirespool, own: Peers, codec: str, capture: Path) -> None:
    record_session(wirespool, own, codec, capture)
    for words in ([], ["-f", FORMATS[codec]], ["--compare", "bytes"]):
        result = wirespool.run("diff", capture, capture, "--strict", *words).done()
        assert result.stdout == b""
        assert "verified" in result.stderr


def test_each_difference_is_a_line_that_says_where(wirespool: Wirespool, pair: tuple[Path, Path]) -> None:
    result = wirespool.run("diff", *pair).done(1)
    lines = result.stdout.decode().splitlines()
    assert lines[:4] == [
        "connection 0, client, message 0, offset 0, at $.time: expected 1, got 5",
        "connection 0, client, message 0, offset 0, at $.items[0]: expected 1, got 2",
        "connection 0, client, message 0, offset 0, at $.items[1]: expected 2, got 1",
        "connection 0, client, message 0, offset 0, at $.t: expected 20.0, got 20.25",
    ]
    assert len(lines) == 5
    assert lines[4].endswith("at $.time: expected 2, got 6")
    assert "failed" in result.stderr
    assert "got" not in result.stderr


def test_rules_say_what_is_equal(wirespool: Wirespool, pair: tuple[Path, Path], tmp_path: Path) -> None:
    rules = ["--ignore", "$.time", "--unordered", "items", "--tolerance", "t=0.5"]
    receipt = tmp_path / "receipt.json"
    result = wirespool.run("diff", *pair, *rules, "--receipt", receipt).done()
    assert "verified" in result.stderr
    written = json.loads(receipt.read_text())
    assert written["outcome"] == "verified"
    assert [Path(capture["path"]).name for capture in written["captures"]] == [
        "first.pcapng",
        "second.pcapng",
    ]
    (connection,) = written["connections"]
    assert (connection["expected"], connection["compared"], connection["matched"]) == (2, 2, 2)
    for left_out in range(0, len(rules), 2):
        fewer = rules[:left_out] + rules[left_out + 2 :]
        wirespool.run("diff", *pair, *fewer).done(1)


def test_a_rule_that_finds_nothing_is_named(wirespool: Wirespool, pair: tuple[Path, Path]) -> None:
    result = wirespool.run("diff", pair[0], pair[0], "--ignore", "tmie").done()
    assert "--ignore tmie applied to nothing" in result.stderr


def test_nothing_compared_has_failed(wirespool: Wirespool, pair: tuple[Path, Path]) -> None:
    for words in (["--ignore", "$"], ["--compare", "none"], ["--connection", "7"]):
        result = wirespool.run("diff", pair[0], pair[0], *words).done(1)
        assert "verified" not in result.stderr
        assert "failed" in result.stderr


def test_a_connection_in_one_capture_only_is_a_difference(wirespool: Wirespool, tmp_path: Path) -> None:
    captures = []
    for count in (1, 2):
        captures.append(tmp_path / f"{count}.pcapng")
        words: list[str | os.PathLike[str]] = [
            "-f",
            "pickle",
            "-o",
            captures[-1],
            "--connections",
            str(count),
        ]
        listening, (host, port) = wirespool.serving("listen", "0", *words)
        for _ in range(count):
            wirespool.run("send", f"{host}:{port}", "-f", "pickle", "[1]").done()
        listening.finish().done()
    one, two = captures
    assert "connection 1: failed, found 0 of 1 message" in wirespool.run("diff", two, one).done(1).stderr
    assert "only the first capture has it" in wirespool.run("diff", two, one).done(1).stderr
    assert "only the second capture has it" in wirespool.run("diff", one, two).done(1).stderr
    wirespool.run("diff", one, two, "--connection", "0").done()


def test_messages_that_are_missing_or_too_many_are_differences(wirespool: Wirespool, tmp_path: Path) -> None:
    one = recorded(wirespool, tmp_path / "one.pcapng", ["a"], "text/line")
    two = recorded(wirespool, tmp_path / "two.pcapng", ["a", "b"], "text/line")
    assert "found 1 of 2 messages, 1 equal" in wirespool.run("diff", two, one).done(1).stderr
    assert "1 message too many (4 bytes)" in wirespool.run("diff", one, two).done(1).stderr


def test_each_capture_is_read_as_it_was_recorded(wirespool: Wirespool, tmp_path: Path) -> None:
    values: list[object] = [{"a": 1, "b": 2}, {"c": 3}]
    prefixed = recorded(wirespool, tmp_path / "prefixed.pcapng", values, "pickle/u32be")
    bare = recorded(wirespool, tmp_path / "bare.pcapng", values, "pickle")
    text = recorded(wirespool, tmp_path / "text.pcapng", ["a", "b"], "text/line")
    for pair in ((prefixed, bare), (bare, prefixed)):
        result = wirespool.run("diff", *pair, "--ignore", "b").done()
        assert "verified" in result.stderr
        assert "each is read as its own" in result.stderr
    result = wirespool.run("diff", bare, text).done(1)
    assert "both are read as the first" in result.stderr
    assert "recorded as" not in wirespool.run("diff", bare, bare).done().stderr
    assert "recorded as" not in wirespool.run("diff", prefixed, bare, "-f", "raw").done(1).stderr


def test_texts_in_two_encodings_are_compared_as_what_they_say(wirespool: Wirespool, tmp_path: Path) -> None:
    said = {"utf-8": "да", "cp1251": "да", "utf-16le": "да", "latin-1": "да".encode().decode("latin-1")}
    utf8, cp1251, utf16, latin1 = (
        typed(wirespool, tmp_path / f"{encoding}.pcapng", [text], f"text:{encoding}/line")
        for encoding, text in said.items()
    )
    for pair in ((utf8, cp1251), (cp1251, utf8), (utf16, utf8), (cp1251, utf16)):
        assert "each is read as its own" in wirespool.run("diff", *pair).done().stderr
    # The same bytes, which are not the same text.
    differing = wirespool.run("diff", latin1, utf8).done(1)
    assert 'message 0, offset 0: expected "Ð´Ð°", got "да"' in differing.text


def test_a_note_of_a_line_without_an_end_is_of_none_that_has_one(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    pair = [
        typed(wirespool, tmp_path / f"{word}.pcapng", [word], "text:utf-16le/line") for word in ("да", "нет")
    ]
    assert "has no end" not in wirespool.run("diff", *pair).done(1).stderr


def test_a_capture_that_was_recorded_as_auto_is_read_as_the_other(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    """A message of a schema is never found by its looks."""
    events = [{"device_id": 1}, {"device_id": 2}]
    form = "protobuf:pb.TempEvent/u32be"
    known = recorded(wirespool, tmp_path / "known.pcapng", events, form)
    unknown = tmp_path / "unknown.pcapng"
    words = ["listen", "0", "-f", "auto", "--connections", "1", "-o", str(unknown)]
    listening, (host, port) = wirespool.serving(*words)
    lines = "".join(json.dumps(event) + "\n" for event in events)
    wirespool.run("send", f"{host}:{port}", "-f", form, "-", stdin=lines.encode()).done()
    listening.finish().done()
    for pair in ((known, unknown), (unknown, known)):
        result = wirespool.run("diff", *pair, "--strict").done()
        assert "recorded as" not in result.stderr


def test_a_capture_that_says_no_format_is_read_as_the_other(wirespool: Wirespool, tmp_path: Path) -> None:
    """Sets may be in any order: only where both are read as values are they equal."""
    said = recorded(wirespool, tmp_path / "said.pcapng", [{"$set": [1, 9]}], "pickle")
    silent = recorded(wirespool, tmp_path / "silent.pcap", [{"$set": [9, 1]}], "pickle")
    for pair in ((said, silent), (silent, said)):
        wirespool.run("diff", *pair, "--ignore", "nothing").done()


def talk(path: Path, number: int) -> Path:
    """A capture of two questions and their answers, with this number in each."""
    connection = Connection(("127.0.0.1", 40_000), ("127.0.0.1", 5_000))
    for turn in range(2):
        connection.say("client", b"ask %d\n" % number, turn + 0.1)
        connection.say("server", b"yes %d\n" % number, turn + 0.2)
    return write(path, connection.close("client", 3).close("server", 4))


def test_the_differences_of_both_sides_are_in_order(wirespool: Wirespool, tmp_path: Path) -> None:
    captures = [talk(tmp_path / f"{number}.pcap", number) for number in (1, 2)]
    result = wirespool.run("diff", *captures, "-f", "text/line").done(1)
    places = [line.split(", offset")[0] for line in result.stdout.decode().splitlines()]
    assert places == [
        f"connection 0, {side}, message {index}"
        for index, side in enumerate(["client", "server", "client", "server"])
    ]


def test_what_cannot_be_read_is_bad_input(
    wirespool: Wirespool, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    wirespool.run("diff", pair[0], tmp_path / "nowhere.pcapng").done(2)
    assert "is no path" in wirespool.run("diff", *pair, "--ignore", "a b").done(2).stderr
    result = wirespool.run("diff", *pair, "--ignore", "a", "--compare", "bytes").done(2)
    assert "--compare: ignore is about values" in result.stderr
