"""`auto`: sessions of real packages are told apart, and nothing is taken for what it is not."""

import collections
import importlib.util
import os
import pickle
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import packets
import pytest
import sessions
import wirespool
from conftest import Wirespool
from google.protobuf.message import Message

SIDES = int(os.environ.get("WIRESPOOL_EXAMPLES", "1000"))
SEED = int(os.environ.get("WIRESPOOL_SEED", "1"))
USEFUL = 0.95
"""Of how many sides of a kind that have three messages or more it has to be said what they are."""

NAMES: tuple[packets.Side, packets.Side] = ("client", "server")
Pairs = list[dict[packets.Side, sessions.Side]]


@pytest.fixture(scope="module")
def temp_event_type(generated: dict[str, Path]) -> Callable[..., Message]:
    """The class that protoc makes of the telemetry's schema."""
    path = generated["own"] / "task3_pb2.py"
    if found := sys.modules.get("task3_pb2"):
        return found.TempEvent  # type: ignore[no-any-return]
    specification = importlib.util.spec_from_file_location("task3_pb2", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.TempEvent  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def pairs(temp_event_type: Callable[..., Message]) -> tuple[Pairs, sessions.Sessions]:
    """The two sides of many connections."""
    made = sessions.Sessions(SEED, temp_event_type)
    return [{name: made.side() for name in NAMES} for _ in range(SIDES // 2)], made


@pytest.fixture(scope="module")
def many(pairs: tuple[Pairs, sessions.Sessions], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of them, the sides' chunks in any order between each other."""
    sides, made = pairs
    connections = []
    for index, pair in enumerate(sides):
        at = index * 10.0
        connection = packets.Connection(("10.0.0.1", 1024 + index), ("10.0.0.2", 9000), at)
        waiting = {name: list(side.chunks) for name, side in pair.items()}
        while any(waiting.values()):
            name = made.rng.choice([name for name, chunks in waiting.items() if chunks])
            at += made.rng.choice([0.000_1, 0.001])
            connection.say(name, waiting[name].pop(0), at)
        for name, side in pair.items():
            if side.ends:
                connection.close(name, at := at + 0.001)
        connections.append(connection)
    return packets.write(tmp_path_factory.mktemp("detect") / "many.pcap", *connections)


def test_no_session_is_taken_for_what_it_is_not_and_most_are_known(
    wirespool: Wirespool, pairs: tuple[Pairs, sessions.Sessions], many: Path
) -> None:
    table: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    known: dict[str, list[bool]] = collections.defaultdict(list)
    wrong = []
    [capture] = wirespool.run("info", "--json", many).done().json
    for found, pair in zip(capture["connections"], pairs[0], strict=True):
        for name, side in pair.items():
            format_, reason = found["sides"][name]["format"], found["sides"][name]["reason"]
            table[side.kind][format_] += 1
            if format_ not in {side.right, "raw"} | side.allowed:
                wrong.append((found["connection"], name, side.kind, format_, reason))
            if side.is_useful and side.count >= 3:
                known[side.kind.rstrip(" 012345")].append(format_ == side.right)
    print(*(f"{kind}: {dict(answers)}" for kind, answers in sorted(table.items())), sep="\n")
    assert not wrong
    assert {"pickle", "pickle/u32be", "protobuf/varint", "lines", "text", "random bytes"} <= set(known)
    for kind, answers in known.items():
        assert sum(answers) >= USEFUL * len(answers), f"{kind}: {table}"


def test_the_messages_of_sessions_are_those_that_were_sent(
    pairs: tuple[Pairs, sessions.Sessions], many: Path
) -> None:
    read: dict[tuple[int, str], list[Any]] = collections.defaultdict(list)
    for message in wirespool.open(many, format="auto"):
        read[message.connection, message.side].append(message)
    recognised = 0
    for index, pair in enumerate(pairs[0]):
        for name, side in pair.items():
            messages = read[index, name]
            assert b"".join(message.raw for message in messages) == side.data
            formats = {message.format for message in messages}
            assert formats <= {side.right, "raw"} | side.allowed, (index, name, side.kind)
            if formats == {side.right} and side.right not in ("raw", "text"):
                assert len(messages) == side.count or side.kind in ("truncated", "damaged")
                recognised += 1
    assert recognised > SIDES / 3


def test_show_says_on_stderr_what_it_has_found_and_why(wirespool: Wirespool, tmp_path: Path) -> None:
    records = [sessions.u32be(pickle.dumps({"number": number})) for number in range(12)]
    connection = packets.Connection(("10.0.0.1", 1), ("10.0.0.2", 2))
    for at, record in enumerate(records):
        connection.say("client", record, at)
    connection.say("server", b"\x00\x01\xff", 20)
    capture = packets.write(tmp_path / "log.pcap", connection)
    result = wirespool.show(capture)
    assert [record["format"] for record in result.json] == ["pickle/u32be"] * 12 + ["raw"]
    client, server = result.stderr.splitlines()
    assert client == "connection 0, client: pickle/u32be: 12 messages, each a whole pickle behind its length"
    assert server.startswith("connection 0, server: raw: ")
    [only] = wirespool.show(capture, "--side", "client").stderr.splitlines()
    assert only == client
    assert not wirespool.show(capture, "-f", "raw").stderr
    [found] = wirespool.run("info", "--json", capture).done().json
    sides = found["connections"][0]["sides"]
    assert sides["client"]["reason"] == "12 messages, each a whole pickle behind its length"
    [named] = wirespool.run("info", "--json", "-f", "raw", capture).done().json
    assert "reason" not in named["connections"][0]["sides"]["client"]


def test_many_reasons_are_cut_short(wirespool: Wirespool, tmp_path: Path) -> None:
    connections = [
        packets.Connection(("10.0.0.1", 1 + index), ("10.0.0.2", 2)).say("client", b"line\n" * (1 + index), 1)
        for index in range(50)
    ]
    result = wirespool.show(packets.write(tmp_path / "many.pcap", *connections))
    lines = result.stderr.splitlines()
    assert len(lines) == 9
    assert "info --json" in lines[-1]


def test_a_live_side_is_shown_while_it_waits_for_more(wirespool: Wirespool) -> None:
    process, address = wirespool.serving("listen", "0", "-f", "auto", "--json", "--connections", "1")
    with socket.create_connection(address) as client:
        client.sendall(b"hello\n")
        process.wait_for(r'"value":"hello"')
        process.wait_for(r"^connection 0, client: text/line: a line of UTF-8 text", "stderr")
        client.sendall(b"more\n")
        process.wait_for(r'"value":"more"')
    process.finish().done()


def test_the_module_finds_formats_out_while_it_listens() -> None:
    with wirespool.listen(format="auto") as server:
        with socket.create_connection(server.address) as client:
            for number in range(3):
                client.sendall(sessions.u32be(pickle.dumps([number])))
            client.shutdown(socket.SHUT_WR)
            messages = [message for _, message in zip(range(3), server, strict=False)]
    assert [message.value for message in messages] == [[0], [1], [2]]
    assert {message.format for message in messages} == {"pickle/u32be"}


def test_too_few_messages_behind_lengths_are_raw_and_the_table_says_how_to_read_them(
    wirespool: Wirespool, capture: Path
) -> None:
    process, (host, port) = wirespool.serving(
        "listen", "0", "-f", "auto", "-o", capture, "--connections", "1"
    )
    with socket.create_connection((host, port)) as client:
        client.sendall(b"\x00\x00\x00\x02\x08\x01" * 2)
    process.finish().done()
    table = wirespool.run("info", capture).done().text
    assert "0, client, is raw: " in table
    assert "lengths of u32be lead through 2 messages" in table
    assert "-f protobuf/u32be" in table
