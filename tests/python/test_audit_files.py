"""`wirespool audit` of several files, of files that are no pickles, and with requests that are expected."""

import bz2
import collections
import datetime
import json
import lzma
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import packets
import pytest
from conftest import Wirespool

SYSTEM = f"{os.system.__module__}.system"
PLAIN = pickle.dumps({"a": list(range(100))})
TIME = pickle.dumps([datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC), {"x": 1}])
EXPECTED = "--expect", "datetime.datetime", "--expect", "datetime.timezone", "--expect", "datetime.timedelta"


class Call:
    """Pickles as a call of os.system."""

    def __init__(self, *arguments: Any) -> None:
        """Take its arguments."""
        self.arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        """What loading does."""
        return os.system, self.arguments


EVIL = pickle.dumps(Call("id"))


def test_a_bound_on_what_is_printed_bounds_nothing_else(wirespool: Wirespool) -> None:
    data = pickle.dumps(1) * 3 + EVIL + EVIL
    result = wirespool.run("audit", "-", "-n", "1", stdin=data).done(1)
    assert result.lines[0].startswith("pickle 3, ")
    assert result.lines[2:] == ["5 pickles: 3 plain data only, 2 request 2 calls"]
    (first,) = wirespool.run("audit", "-", "-n", "1", "--json", stdin=data).done(1).json
    assert first["verdict"] == "plain_data"


def test_several_files_are_named_in_what_is_found(wirespool: Wirespool, tmp_path: Path) -> None:
    (tmp_path / "plain.pkl").write_bytes(PLAIN)
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    result = wirespool.run("audit", tmp_path / "plain.pkl", tmp_path / "evil.pkl").done(1)
    assert result.lines[0] == f"{tmp_path}/evil.pkl: pickle 0, byte 0, {len(EVIL)} B: requests 1 call"
    assert result.lines[2:] == ["2 pickles: 1 plain data only, 1 requests 1 call"]
    both = wirespool.run("audit", "--json", tmp_path / "plain.pkl", tmp_path / "evil.pkl").done(1).json
    assert [Path(one["file"]).name for one in both] == ["plain.pkl", "evil.pkl"]
    assert "file" not in wirespool.run("audit", "--json", tmp_path / "plain.pkl").done().json[0]
    wirespool.run("audit", tmp_path / "plain.pkl", tmp_path / "plain.pkl").done()


def test_a_file_that_cannot_be_read_stops_no_other_one(wirespool: Wirespool, tmp_path: Path) -> None:
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    (tmp_path / "model.pt").write_bytes(b"PK\x03\x04" + bytes(30))
    files = tmp_path / "missing.pkl", tmp_path / "model.pt", tmp_path / "evil.pkl"
    result = wirespool.run("audit", *files).done(2)
    assert result.lines[-1] == "1 pickle: 1 requests 1 call; 2 files could not be read"
    assert "missing.pkl" in result.stderr
    assert "zip" in result.stderr


def test_a_file_without_a_pickle_among_others_is_a_finding(wirespool: Wirespool, tmp_path: Path) -> None:
    (tmp_path / "plain.pkl").write_bytes(PLAIN)
    (tmp_path / "empty.pkl").touch()
    result = wirespool.run("audit", tmp_path / "plain.pkl", tmp_path / "empty.pkl").done(1)
    assert result.lines == [
        f"{tmp_path}/empty.pkl: no pickle was found",
        "1 pickle: 1 plain data only; 1 file without a pickle",
    ]


def split(tmp_path: Path, *chunks: bytes) -> tuple[Path, Path]:
    """A connection that a ring buffer has put into two files, cut before the last chunk."""
    connection = packets.Connection(("10.0.0.1", 1000), ("10.0.0.2", 2000))
    for at, chunk in enumerate(chunks[:-1]):
        connection.say("client", chunk, at=1 + at)
    first = packets.write(tmp_path / "1.pcap", connection)
    connection.packets.clear()
    connection.say("client", chunks[-1], at=100).close("client", 101).close("server", 102)
    return first, packets.write(tmp_path / "2.pcap", connection)


def test_a_pickle_that_two_captures_hold_together_is_audited_whole(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    files = split(tmp_path, EVIL[:20], EVIL[20:])
    for given in (files, files[::-1]):
        (one,) = wirespool.run("audit", "--json", *given).done(1).json
        assert one["verdict"] == "requests"
        assert one["size"] == len(EVIL)
        assert (one["connection"], Path(one["file"]).name) == (0, "2.pcap")
    files = split(tmp_path, PLAIN[:20], PLAIN[20:])
    assert wirespool.run("audit", *files).done().lines == ["1 pickle: 1 plain data only"]


def test_each_pickle_of_several_captures_names_its_file(wirespool: Wirespool, tmp_path: Path) -> None:
    files = split(tmp_path, EVIL, EVIL)
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    found = wirespool.run("audit", "--json", files[0], tmp_path / "evil.pkl", files[1]).done(1).json
    assert sorted(Path(one["file"]).name for one in found) == ["1.pcap", "2.pcap", "evil.pkl"]
    assert {one["connection"] for one in found if "connection" in one} == {0}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello there, this is a text\nof lines\n", "text"),
        (b"id,name\n1,anna\n2,bob\n", "text"),
        (b"#!/bin/sh\necho hi\n", "text"),
        (b"import os\nprint(os)\n", "text"),
        (b"Python and more\nof it\n", "text"),
        (b'{"a": [1, 2]}\n', "text"),
        (b"<!DOCTYPE html><html></html>\n", "text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40), "PNG"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "ELF"),
        (b"\x93NUMPY\x01\0v\0{'descr': '<f8'}" + bytes(40), "numpy"),
        (lzma.compress(PLAIN), "xz"),
        (bz2.compress(PLAIN), "bzip2"),
        (zlib.compress(PLAIN), "zlib"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\n", "LFS"),
    ],
)
def test_a_file_that_is_something_else_is_said_to_look_like_it(
    wirespool: Wirespool, data: bytes, words: str
) -> None:
    result = wirespool.run("audit", "-", stdin=data).done(1)
    assert "looks like" in result.lines[0]
    assert f"{words}" in result.lines[0]
    assert "--resync" not in result.stderr
    (record,) = wirespool.run("audit", "-", "--json", stdin=data).done(1).json
    assert words in record["looks_like"]


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'id'\ntR!! and more text\n",
        pickle.dumps([1, {"a": 2}], 0)[:-4],
        b"\xff",
        b"ab",
        PLAIN + b"and then a text\n",
    ],
)
def test_what_may_be_a_broken_pickle_looks_like_nothing_else(wirespool: Wirespool, data: bytes) -> None:
    assert "looks like" not in wirespool.run("audit", "-", stdin=data).done(1).text


def test_what_something_else_asks_for_is_listed_all_the_same(wirespool: Wirespool) -> None:
    data = b"\x89PNG\r\n" + b"cos\nsystem\n(S'id'\ntR."
    (record,) = wirespool.run("audit", "-", "--json", stdin=b"\x89" + EVIL[:-1] + b"\xff").done(1).json
    assert record["requests"][0]["name"] == "system"
    (record,) = wirespool.run("audit", "-", "--json", stdin=data).done(1).json
    assert "os" in [request.get("module") for request in record["requests"]]


def test_bytes_that_were_given_up_are_said_with_what_looks_for_more(wirespool: Wirespool) -> None:
    data = PLAIN + b"\xff" * 112
    hint = "112 bytes from an error on were not read as pickles; --resync looks for more"
    assert hint in wirespool.run("audit", "-", stdin=data).done(1).stderr
    assert wirespool.run("audit", "-", "--resync", stdin=data).done(1).stderr == ""
    assert wirespool.run("audit", "-", stdin=PLAIN).done().stderr == ""


def test_what_is_expected_is_listed_and_no_finding(wirespool: Wirespool) -> None:
    wirespool.run("audit", "-", stdin=TIME).done(1)
    result = wirespool.run("audit", "-", *EXPECTED, stdin=TIME + PLAIN).done()
    assert result.lines[0].endswith("calls")
    assert all(", expected" in line for line in result.lines[1:-1])
    assert result.lines[-1] == "2 pickles: 1 plain data only, 1 requests what is expected"
    record, _ = wirespool.run("audit", "-", "--json", *EXPECTED, stdin=TIME + PLAIN).done().json
    assert {request["expected"] for request in record["requests"]} == {True}


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps([datetime.datetime(2026, 11, 22), Call("id")]),
        # In its arguments, in its state, on its class, by a computed name, of a computed class.
        b"cdatetime\ndatetime\n(cos\nsystem\ntR.",
        b"cdatetime\ndatetime\n)R}S'a'cos\nsystem\nsb.",
        b"cdatetime\ndatetime\n}S'a'I1\nsb.",
        b"\x80\x04\x8c\x08datetimecdatetime\ndatetime\n)R\x93.",
        b"cdatetime\ndatetime\n)R)R.",
        # Other names, and an error.
        b"cdatetime\ndatetime.now\n)R.",
        b"cdatetime.datetime\ndatetime\n)R.",
        b"Pdatetime.datetime\n.",
        b"cdatetime\ndatetime\n)R\xff",
        b"\xffcdatetime\ndatetime\n)R.",
        b"cdatetime\ndatetime\n)R",
    ],
)
def test_nothing_else_is_expected_for_that(wirespool: Wirespool, data: bytes) -> None:
    wirespool.run("audit", "-", *EXPECTED, stdin=data).done(1)


def test_a_call_with_an_argument_that_is_not_expected_is_not_expected(wirespool: Wirespool) -> None:
    data = pickle.dumps(collections.defaultdict(list))
    (record,) = (
        wirespool.run("audit", "-", "--json", "--expect", "collections.defaultdict", stdin=data).done(1).json
    )
    assert not any("expected" in request for request in record["requests"])
    both = "--expect", "collections.defaultdict", "--expect", "builtins.list"
    wirespool.run("audit", "-", *both, stdin=data).done()


def test_a_name_with_dots_is_expected_by_a_colon(wirespool: Wirespool) -> None:
    data = b"cshop\nOrder.Line\n)R."
    wirespool.run("audit", "-", "--expect", "shop.Order.Line", stdin=data).done(1)
    wirespool.run("audit", "-", "--expect", "shop:Order.Line", stdin=data).done()


@pytest.mark.parametrize("name", ["datetime", "datetime.*", "", ".", "a.", "a:b:c"])
def test_an_expected_name_is_one_exact_name(wirespool: Wirespool, name: str) -> None:
    assert "MODULE.NAME" in wirespool.run("audit", "-", "--expect", name, stdin=PLAIN).done(2).stderr


def test_characters_that_act_on_a_terminal_are_shown_as_python_shows_them(wirespool: Wirespool) -> None:
    text = "\x1b[2J\r\t\x9b\u202e\U000e0041\\'é"
    lines = wirespool.run("audit", "-", stdin=pickle.dumps(Call(text))).done(1).lines
    assert r"system('\x1b[2J\r\t\x9b\u202e\U000e0041\\\'é')" in lines[1]
    record = wirespool.run("audit", "-", "--json", stdin=pickle.dumps(Call(text))).done(1).stdout
    assert json.loads(record)["requests"][0]["arguments"] == [text]


def test_the_first_line_and_the_summary_count_in_the_same_words(wirespool: Wirespool) -> None:
    data = b"(cos\nsystem\n)Rcos\nsystem\n)Rcm\nf\nt."
    lines = wirespool.run("audit", "-", stdin=data).done(1).lines
    assert lines[0].endswith("requests 2 calls and 1 name")
    assert lines[-1] == "1 pickle: 1 requests 2 calls and 1 name"


@pytest.mark.parametrize(
    ("option", "words"),
    [("--connection", "numbered from 0"), ("--port", "up to 65535"), ("-n", "a whole number")],
)
def test_what_is_no_number_is_said_with_what_is_expected(
    wirespool: Wirespool, option: str, words: str
) -> None:
    assert words in wirespool.run("audit", "-", option, "x", stdin=PLAIN).done(2).stderr
