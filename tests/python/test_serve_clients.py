"""`serve --match`, `--on-miss`, `--repeat`, `--wait`: who is who, and what becomes of the others."""

import json
import pickle
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import Wirespool
from programs import CHILD
from running import Address
from sockets import Answering, Echoing, dial, exchange, read_all


def record_lines(wirespool: Wirespool, capture: Path, *connections: Sequence[str]) -> None:
    """Record connections to an echo, one after the other, each with its lines."""
    with Echoing() as server:
        limit = ["--connections", str(len(connections))]
        process, address = wirespool.serving(
            "record", "--to", server.address, "-o", capture, "-f", "text/line", *limit
        )
        for lines in connections:
            say(address, lines)
        process.finish().done()


def say(address: Address, lines: Sequence[str]) -> None:
    """Exchange lines on a connection of their own."""
    with dial(address) as client:
        for line in lines:
            exchange(client, f"{line}\n".encode())


def test_clients_are_known_by_what_they_say(wirespool: Wirespool, capture: Path, tmp_path: Path) -> None:
    record_lines(wirespool, capture, ["раз", "a"], ["два", "b"], ["раз", "c"])
    receipt = tmp_path / "receipt.json"
    process, address = wirespool.serving("serve", capture, "--match", "content", "--receipt", receipt)
    for lines in (["два", "b"], ["раз", "a"], ["раз", "c"]):
        say(address, lines)
    result = process.finish().done()
    assert "verified: 3 connections" in result.stderr
    written = json.loads(receipt.read_text())
    assert [one["plays"] for one in written["connections"]] == [1, 1, 1]
    assert written["unmatched"] == {"closed": 0, "passed": 0, "clients": []}


def test_in_order_the_same_clients_fail(wirespool: Wirespool, capture: Path) -> None:
    record_lines(wirespool, capture, ["раз"], ["два"])
    process, address = wirespool.serving("serve", capture)
    for line in ("два", "раз"):
        with dial(address) as client:
            client.sendall(f"{line}\n".encode())
            client.shutdown(1)
            read_all(client)
    assert "0 of 2 messages as recorded" in process.finish().done(1).stderr


@pytest.mark.parametrize(("words", "status"), [(["--ignore", "id"], 0), (["--patience", "200ms"], 1)])
def test_a_first_message_is_known_by_its_value(
    wirespool: Wirespool, capture: Path, words: list[str], status: int
) -> None:
    kinds = ["up", "down"]
    with Answering(lambda heard: pickle.loads(heard)["kind"].encode()) as server:
        process, address = wirespool.serving(
            "record", "--to", server.address, "-o", capture, "-f", "pickle", "--connections", "2"
        )
        for number, kind in enumerate(kinds):
            assert ask(address, {"id": number, "kind": kind}) == kind
        process.finish().done()
    process, address = wirespool.serving("serve", capture, "--match", "content", *words)
    answers = [ask(address, {"kind": kind, "id": 7}) for kind in reversed(kinds)]
    assert answers == (["down", "up"] if status == 0 else ["", ""])
    assert ("it said" in process.finish().done(status).stderr) == (status == 1)


def ask(address: Address, question: dict[str, object]) -> str:
    """Send a pickle, half-close, and return the answer, empty if there is none."""
    with dial(address) as client:
        client.sendall(pickle.dumps(question))
        client.shutdown(1)
        return read_all(client).decode()


@pytest.mark.parametrize("matching", ["order", "content"])
def test_one_connection_too_many_of_a_command_fails(
    wirespool: Wirespool, capture: Path, matching: str
) -> None:
    record_lines(wirespool, capture, ["раз"])
    client = f"{CHILD[0]} {CHILD[2]} 'раз\n'"
    twice = f"{client}; {client} --unanswered"
    words = ["serve", str(capture), "--match", matching, "--", "sh", "-c", twice]
    result = wirespool.start(*words).finish().done(1)
    assert re.search(r"^client 127.0.0.1:\d+: closed: ", result.stderr, re.MULTILINE), result
    assert result.stderr.endswith("1 of 1 message as recorded; 1 client closed that nobody recorded\n"), (
        result
    )


def test_a_stranger_is_passed_on_and_noted(wirespool: Wirespool, capture: Path, tmp_path: Path) -> None:
    record_lines(wirespool, capture, ["раз"])
    receipt = tmp_path / "receipt.json"
    with Answering(lambda heard: b"elsewhere: " + heard) as elsewhere:
        process, address = wirespool.serving(
            "serve",
            capture,
            "--match",
            "content",
            "--on-miss",
            f"pass:{elsewhere.address}",
            "--receipt",
            receipt,
        )
        with dial(address) as client:
            client.sendall("кто здесь?\n".encode())
            client.shutdown(1)
            assert read_all(client) == "elsewhere: кто здесь?\n".encode()
        say(address, ["раз"])
        result = process.finish().done()
    assert f"passed to {elsewhere.address}, 19 bytes there, 30 back" in result.stderr
    (stranger,) = json.loads(receipt.read_text())["unmatched"]["clients"]
    assert (stranger["passed_to"], stranger["bytes_received"]) == (elsewhere.address, 19)


def test_recorded_connections_are_played_again_until_ctrl_c(wirespool: Wirespool, capture: Path) -> None:
    record_lines(wirespool, capture, ["раз"], ["два"])
    process, address = wirespool.serving("serve", capture, "--repeat", "--match", "content")
    for line in ("два", "раз", "раз", "два", "раз"):
        say(address, [line])
    result = process.signal(signal.SIGINT).finish().done()
    assert "connection 0: verified, played 3 times" in result.stderr
    assert "connection 1: verified, played 2 times" in result.stderr


def test_a_command_may_use_a_connection_again_and_again(wirespool: Wirespool, capture: Path) -> None:
    record_lines(wirespool, capture, ["раз"])
    client = f"{CHILD[0]} {CHILD[2]} 'раз\n'"
    words = ["serve", str(capture), "--repeat", "--", "sh", "-c", f"{client}; {client}; {client}"]
    assert "played 3 times" in wirespool.start(*words).finish().done().stderr


def test_a_mock_that_nobody_used_has_failed(wirespool: Wirespool, capture: Path) -> None:
    record_lines(wirespool, capture, ["раз"])
    process = wirespool.start("serve", capture, "--repeat", "--", "true")
    assert "no client came for it" in process.finish().done(1).stderr


def test_the_first_client_is_waited_for_no_longer_than_said(wirespool: Wirespool, capture: Path) -> None:
    record_lines(wirespool, capture, ["раз"])
    result = wirespool.start("serve", capture, "--wait", "50ms").finish().done(1)
    assert "stalled: no client came for it within 0." in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--match", "colour"], "it is order or content"),
        (["--on-miss", "ignore"], "write close, or pass:ADDR"),
        (["--on-miss", "pass:nowhere"], "the port is missing"),
        (["--wait", "5"], "with its unit"),
    ],
)
def test_what_makes_no_sense_is_refused(
    wirespool: Wirespool, capture: Path, words: list[str], said: str
) -> None:
    record_lines(wirespool, capture, ["раз"])
    assert said in wirespool.run("serve", capture, *words).done(2).stderr


def test_strangers_are_not_passed_on_to_the_one_who_passes_them_on(
    wirespool: Wirespool, capture: Path
) -> None:
    record_lines(wirespool, capture, ["раз"])
    # A port that is free for sure: of a server that has just ended.
    with Echoing() as server:
        address = server.address
    result = wirespool.run("serve", capture, "--listen", address, "--on-miss", f"pass:{address}").done(2)
    assert "--on-miss" in result.stderr
    assert "where wirespool itself listens" in result.stderr
