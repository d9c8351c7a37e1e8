"""A server that gives each client another token: what can be carried over, and what must be ignored."""

from pathlib import Path

import pytest
from conftest import Wirespool
from programs import Peers
from recording import proxy

FORMAT = ["-f", "pickle/u32be"]
CARRY = ["--carry", "server:$.token→client:$.token"]
IGNORE = ["--ignore", '$["served by"]']


@pytest.fixture
def recorded(wirespool: Wirespool, own: Peers, capture: Path) -> Path:
    """A session with one token."""
    server = own.own_server("token_server.py")
    process, address = proxy(wirespool, server.address, capture, "--connections", "1")
    own.own("token_client.py", address[0], str(address[1])).finish().done()
    server.process.finish().done()
    process.finish().done()
    return capture


def test_a_token_of_yesterday_is_refused_and_the_refusals_are_shown(
    wirespool: Wirespool, own: Peers, recorded: Path
) -> None:
    server = own.own_server("token_server.py")
    result = wirespool.run("replay", recorded, "--to", server.address, *FORMAT).done(1)
    assert result.stderr.count("who are you?") == 3
    assert "$.token" in result.stderr
    assert "failed: 1 connection" in result.stderr


@pytest.mark.parametrize("arrow", ["→", "->"])
def test_a_token_that_is_carried_over_is_accepted(
    wirespool: Wirespool, own: Peers, recorded: Path, arrow: str
) -> None:
    """It is of another length nearly every time: the prefix of each message must follow."""
    carry = ["--carry", f"server:$.token{arrow}client:$.token"]
    for _ in range(3):
        server = own.own_server("token_server.py")
        words = [*FORMAT, *carry, *IGNORE]
        result = wirespool.run("replay", recorded, "--to", server.address, *words).done()
        assert "verified: 1 connection" in result.stderr
        server.process.finish().done()


def test_what_is_neither_carried_nor_ignored_differs_alone(
    wirespool: Wirespool, own: Peers, recorded: Path
) -> None:
    server = own.own_server("token_server.py")
    result = wirespool.run("replay", recorded, "--to", server.address, *FORMAT, *IGNORE)
    assert result.done(1).stderr.count("who are you?") == 3
    server = own.own_server("token_server.py")
    result = wirespool.run("replay", recorded, "--to", server.address, *FORMAT, *CARRY)
    # One in a thousand has the number that was recorded.
    if result.status:
        assert "served by" in result.done(1).stderr
        assert "who are you?" not in result.stderr


def test_an_ignore_of_everything_is_never_verified(wirespool: Wirespool, own: Peers, recorded: Path) -> None:
    for words in (["--ignore", "$"], ["--compare", "none"]):
        server = own.own_server("token_server.py")
        result = wirespool.run("replay", recorded, "--to", server.address, *FORMAT, *words).done()
        assert "verified" not in result.stderr
        assert "delivered" in result.stderr
        server = own.own_server("token_server.py")
        words = [*words, "--strict"]
        wirespool.run("replay", recorded, "--to", server.address, *FORMAT, *words).done(1)


def test_the_recorded_token_is_served_and_accepted(wirespool: Wirespool, own: Peers, recorded: Path) -> None:
    """The client takes any token: with the server gone, it gets the recorded one."""
    process, address = wirespool.serving("serve", recorded, *FORMAT)
    client = own.own("token_client.py", address[0], str(address[1]))
    assert client.finish().done().lines[:3] == [f"Received object: {{'sum': {total}}}" for total in (0, 1, 3)]
    assert "verified: 1 connection" in process.finish().done().stderr
