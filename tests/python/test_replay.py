"""A capture → `replay --to` → a fresh server: it cannot tell the replay from the client."""

from pathlib import Path

import pytest
from conftest import Wirespool
from programs import FORMATS, Peers
from recording import SPEED, record_burst, record_session, refusing


@pytest.mark.parametrize("by", ["bytes", "values"])
def test_a_replay_makes_the_server_print_the_same(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path, by: str
) -> None:
    lines = record_session(wirespool, peers, codec, capture)
    server = peers.server(codec)
    words = ["-f", FORMATS[codec]] if by == "values" else []
    result = wirespool.run("replay", capture, "--to", server.address, "--speed", SPEED, *words).done()
    assert server.received() == lines == peers.printed(codec)
    # One-way traffic: there was nothing to compare.
    assert "delivered" in result.stderr
    assert "verified" not in result.stderr
    assert "failed" not in result.stderr


def test_a_replay_into_a_server_that_dies_has_failed(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path
) -> None:
    record_burst(wirespool, peers, codec, capture)
    server = peers.own_server("dying_server.py")
    result = wirespool.run("replay", capture, "--to", server.address, "--speed", "max").done(1)
    assert "failed" in result.stderr
    assert "delivered" not in result.stderr
    assert "verified" not in result.stderr
    assert server.process.finish().status == 1


def test_a_replay_at_a_server_that_cannot_bear_the_burst_has_failed(
    wirespool: Wirespool, peers: Peers, capture: Path
) -> None:
    """The pickle server, which dies of the first read that begins inside a pickle."""
    record_burst(wirespool, peers, "pickle", capture)
    server = peers.server("pickle")
    result = wirespool.run("replay", capture, "--to", server.address, "--speed", "max").done(1)
    assert "failed" in result.stderr
    assert "delivered" not in result.stderr
    assert "Traceback" in server.process.finish().done(1).stderr


def test_a_replay_of_a_burst_arrives_whole(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path
) -> None:
    taken = record_burst(wirespool, peers, codec, capture)
    sink = peers.own_server("sink_server.py")
    result = wirespool.run("replay", capture, "--to", sink.address, "--speed", "max").done()
    assert sink.received() == [taken]
    assert "delivered" in result.stderr


def test_a_replay_to_nobody_has_failed(wirespool: Wirespool, own: Peers, capture: Path) -> None:
    record_session(wirespool, own, "text", capture)
    holder, address = refusing()
    with holder:
        result = wirespool.run("replay", capture, "--to", address)
    assert result.status in (1, 3), result
    assert address in result.stderr
    assert "delivered" not in result.stderr
