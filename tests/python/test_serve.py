"""A capture → `serve` ← a client: the recorded server, without the server."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import Wirespool
from programs import CHILD, FORMATS, Peers
from recording import record_session
from sockets import Echoing, dial, exchange, read_all


@pytest.mark.parametrize("by", ["bytes", "values"])
def test_a_client_that_sends_the_same_is_verified(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path, by: str
) -> None:
    record_session(wirespool, peers, codec, capture)
    words = ["-f", FORMATS[codec]] if by == "values" else []
    process, address = wirespool.serving("serve", capture, *words)
    peers.client(codec, address).finish().done()
    result = process.finish().done()
    assert "verified" in result.stderr
    assert "failed" not in result.stderr


def test_a_client_cut_short_has_failed(wirespool: Wirespool, peers: Peers, codec: str, capture: Path) -> None:
    record_session(wirespool, peers, codec, capture)
    process, address = wirespool.serving("serve", capture)
    peers.client(codec, address, count=2).finish().done()
    result = process.finish().done(1)
    assert "failed" in result.stderr
    assert "verified" not in result.stderr


def test_a_client_that_sends_something_else_has_failed(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path
) -> None:
    record_session(wirespool, peers, codec, capture)
    process, address = wirespool.serving("serve", capture)
    with dial(address) as client:
        client.sendall(b"something else")
        client.shutdown(1)
        read_all(client)
    result = process.finish().done(1)
    assert "failed" in result.stderr
    assert "verified" not in result.stderr


def test_the_recorded_answers_are_given(wirespool: Wirespool, capture: Path) -> None:
    questions = ["один".encode(), "два".encode(), "три".encode()]
    with Echoing() as server:
        process, address = wirespool.serving(
            "record", "--to", server.address, "-o", capture, "--connections", "1"
        )
        with dial(address) as client:
            for question in questions:
                exchange(client, question)
        process.finish().done()
    process, address = wirespool.serving("serve", capture)
    with dial(address) as client:
        for question in questions:
            exchange(client, question)
    result = process.finish().done()
    assert "verified" in result.stderr


def record_echo(wirespool: Wirespool, capture: Path, *connections: Sequence[str]) -> None:
    """Record connections to an echo, one after the other, each with its texts."""
    with Echoing() as server:
        process, address = wirespool.serving(
            "record", "--to", server.address, "-o", capture, "--connections", str(len(connections))
        )
        for texts in connections:
            with dial(address) as client:
                for text in texts:
                    exchange(client, text.encode())
        process.finish().done()


@pytest.mark.parametrize(
    ("words", "status", "outcome"),
    [
        (["раз", "два"], 0, "verified"),
        (["раз", "два", "--status", "5"], 5, "verified"),
        (["раз"], 1, "failed"),
        (["раз", "--status", "5"], 5, "failed"),
        (["раз", "два", "--signal", "15"], 143, "verified"),
    ],
)
def test_a_command_is_served_and_its_status_wins(
    wirespool: Wirespool, capture: Path, words: list[str], status: int, outcome: str
) -> None:
    record_echo(wirespool, capture, ["раз", "два"])
    result = wirespool.start("serve", capture, "--", *CHILD, *words).finish().done(status)
    assert result.lines == [f"Received: {word}" for word in words if word in ("раз", "два")]
    assert f"\n{outcome}: " in result.stderr, result


def test_a_command_that_never_connects_has_failed(wirespool: Wirespool, capture: Path) -> None:
    record_echo(wirespool, capture, ["раз"])
    result = wirespool.start("serve", capture, "--", "true").finish().done(1)
    assert "no client came for it" in result.stderr


def test_a_command_that_cannot_be_run_serves_nobody(
    wirespool: Wirespool, capture: Path, tmp_path: Path
) -> None:
    record_echo(wirespool, capture, ["раз"])
    output = tmp_path / "replay.pcapng"
    result = wirespool.start("serve", capture, "-o", output, "--", "./no-such-program").finish().done(2)
    assert "COMMAND: cannot run ./no-such-program" in result.stderr
    assert not output.exists()


def test_nobody_came_is_no_success(wirespool: Wirespool, own: Peers, capture: Path) -> None:
    record_session(wirespool, own, "text", capture)
    process, _ = wirespool.serving("serve", capture, "--duration", "200ms")
    result = process.finish().done(1)
    assert "failed" in result.stderr
