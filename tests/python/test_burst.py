"""2,000 messages with no pause, whole or in pieces: nothing lost, split, joined or invented."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from conftest import Wirespool
from programs import FORMATS, Peers, tagged
from recording import record_burst
from running import Result

GUESS = ("--guess-window", "1s")
"""A machine under load may take more than 5 ms over a piece. Without schedulers it is not needed."""


def assert_all_came(result: Result, peers: Peers, codec: str) -> None:
    """Compare with all that was sent."""
    values = result.values
    if codec == "text":
        assert "".join(values) == "".join(peers.burst_values(codec))
        assert not [value for value in values if "\ufffd" in value]
        return
    expected = [tagged(value, protobuf=codec == "protobuf") for value in peers.burst_values(codec)]
    assert len(values) == len(expected)
    different = first_difference(values, expected)
    assert different is None, different


def first_difference(values: list[Any], expected: list[Any]) -> str | None:
    """The first message that differs: pytest's own diff of 2,000 takes longer than the test."""
    pairs = enumerate(zip(values, expected, strict=True))
    return next((f"message {i}: {got!r}, expected {want!r}" for i, (got, want) in pairs if got != want), None)


def test_a_burst_is_listened_to_whole(wirespool: Wirespool, peers: Peers, codec: str) -> None:
    guess = GUESS if codec == "protobuf" else ()
    process, address = wirespool.serving(
        "listen", "0", "-f", FORMATS[codec], "--json", "--connections", "1", *guess
    )
    peers.burst(codec, address).finish().done()
    assert_all_came(process.finish().done(), peers, codec)


def test_a_burst_is_recorded_whole(wirespool: Wirespool, peers: Peers, codec: str, capture: Path) -> None:
    taken = record_burst(wirespool, peers, codec, capture)
    guess = GUESS if codec == "protobuf" else ()
    assert_all_came(wirespool.show(capture, "-f", FORMATS[codec], *guess), peers, codec)
    raw = wirespool.run("show", capture, "--raw", "--connection", "0", "--side", "client").done().stdout
    assert taken == f"Received {len(raw)} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pieces_are_put_together_while_listening(
    wirespool: Wirespool, own: Peers, codec: str, seed: int
) -> None:
    guess = GUESS if codec == "protobuf" else ()
    process, address = wirespool.serving(
        "listen", "0", "-f", FORMATS[codec], "--json", "--connections", "1", *guess
    )
    own.burst(codec, address, pieces=seed).finish().done()
    assert_all_came(process.finish().done(), own, codec)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pieces_are_put_together_from_a_capture(
    wirespool: Wirespool, own: Peers, codec: str, seed: int, capture: Path
) -> None:
    record_burst(wirespool, own, codec, capture, pieces=seed)
    guess = GUESS if codec == "protobuf" else ()
    assert_all_came(wirespool.show(capture, "-f", FORMATS[codec], *guess), own, codec)
