"""What `info --explain` predicts is what happens to servers that take one recv for one message."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from conftest import Wirespool
from programs import FORMATS, Peers
from recording import proxy

COUNT = 2000
RECV = {"text": 1024, "pickle": 4096, "protobuf": 4096}
"""By codec, what the servers give to recv: the originals' own numbers."""

GUESS = ("--guess-window", "1s")
"""A machine under load may take more than 5 ms over a piece."""


def record_held_up(wirespool: Wirespool, peers: Peers, codec: str, capture: Path) -> tuple[list[str], str]:
    """Record a burst to a server that is stopped after its first message until all have come.

    The lines that the server printed of messages, and the name of the exception that ended it, if any.
    """
    server = peers.server(codec)
    recorder, address = proxy(
        wirespool, server.address, capture, "--connections", "1", "-f", "raw", "--json", "--events"
    )
    client = peers.held_burst(codec, address, COUNT)
    server.wait_for("^Received")
    server.process.signal(signal.SIGSTOP)
    client.stdin.write(b"\n")
    client.stdin.close()
    # A direction's end is taken only when all before it was handed on.
    recorder.wait_for('"side":"client".*"event":"eof"')
    server.process.signal(signal.SIGCONT)
    ended = server.process.finish()
    client.finish()
    recorder.finish().done()
    exception = ended.stderr.rstrip().rpartition("\n")[2].partition(":")[0].rpartition(".")[2]
    return [line for line in ended.lines if line.startswith("Received")], exception


def explained(wirespool: Wirespool, capture: Path, *words: str) -> dict[str, Any]:
    """The prediction."""
    result = wirespool.run("info", capture, "--explain", "--json", *words).done()
    found: dict[str, Any] = json.loads(result.text)["explain"]
    return found


def findings(explanation: dict[str, Any], reading: str | None) -> dict[str, dict[str, Any]]:
    """What goes wrong with one way of reading, by its kind."""
    return {one["trouble"]: one for one in explanation["findings"] if one["reading"] == reading}


def test_the_prediction_for_a_burst_is_what_happens(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path
) -> None:
    printed, exception = record_held_up(wirespool, peers, codec, capture)
    words = ("-f", FORMATS[codec], "--recv", str(RECV[codec]), *GUESS)
    explanation = explained(wirespool, capture, *words)
    (side,) = explanation["sides"]
    predicted = side["held_up"]
    assert predicted["right"] + predicted["wrong"] == len(printed), predicted
    stopped = predicted["stopped"]
    assert (stopped["error"] if stopped else "") == exception, stopped
    if codec != "text":  # whose messages are what came at once
        assert side["messages"] == COUNT
    if peers.name == "originals":
        right = {"text": 1, "pickle": 2, "protobuf": 1}[codec]
        assert (predicted["right"], len(printed) <= right) == (right, codec != "text")
        assert exception == {"text": "", "pickle": "UnpicklingError", "protobuf": "DecodeError"}[codec]
