"""`wirespool.replay` and `wirespool.serve`: receipts, and how blocks end."""

import json
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import wirespool
from recording import refusing
from running import Process
from sockets import Answering, Echoing, Serving, dial, exchange, read_all, read_exactly

COUNTERS = [
    "planned",
    "sent",
    "bytes_sent",
    "expected",
    "compared",
    "matched",
    "differing",
    "missed",
    "bytes_received",
    "unexpected_bytes",
]


@pytest.fixture
def recorded(capture: Path) -> Path:
    """A connection with two lines, each echoed."""
    with Echoing() as server, wirespool.record(capture, to=server.address, format="text/line") as recording:
        with dial(recording.address) as client:
            for line in (b"one\n", b"two\n"):
                exchange(client, line)
            client.shutdown(socket.SHUT_WR)
            read_all(client)
    return capture


def talk(address: tuple[str, int], *lines: bytes) -> None:
    """Be the recorded client, or one like it."""
    with dial(address) as client:
        for line in lines:
            client.sendall(line)
            read_exactly(client, len(line))


def test_a_receipt_counts_what_was_done(recorded: Path) -> None:
    with Echoing() as server:
        receipt = wirespool.replay(recorded, to=server.address, speed="max")
    assert (receipt.outcome, receipt.ok, receipt.role) == ("verified", True, "client")
    (one,) = receipt.connections
    assert {name: getattr(one, name) for name in COUNTERS} == {
        "planned": 2,
        "sent": 2,
        "bytes_sent": 8,
        "expected": 2,
        "compared": 2,
        "matched": 2,
        "differing": 0,
        "missed": 0,
        "bytes_received": 8,
        "unexpected_bytes": 0,
    }
    assert (one.connection, one.outcome, one.failures, one.differences) == (0, "verified", [], [])
    assert receipt.differences == []
    assert str(receipt).splitlines()[-1].startswith("verified")
    assert repr(receipt) == str(receipt)
    receipt.check()


def test_a_receipt_names_what_differs(recorded: Path) -> None:
    def shout(connection: socket.socket) -> None:
        while data := connection.recv(100):
            connection.sendall(data.upper())

    with Serving(shout) as server:
        receipt = wirespool.replay(recorded, to=server.address, speed="max")
    assert (receipt.outcome, receipt.ok) == ("failed", False)
    difference = receipt.differences[0]
    assert (difference.connection, difference.index, difference.offset) == (0, 1, 0)
    assert (difference.expected, difference.got) == ('"one"', '"ONE"')
    assert "ONE" in str(difference)
    with pytest.raises(wirespool.Mismatch, match="ONE") as raised:
        receipt.check()
    assert isinstance(raised.value, AssertionError)
    assert raised.value.receipt is receipt


def test_a_receipt_is_plain_data_too(recorded: Path) -> None:
    with Echoing() as server:
        receipt = wirespool.replay(recorded, to=server.address, speed="max")
    plain: dict[str, Any] = receipt.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["outcome"], plain["connections"][0]["matched"]) == ("verified", 2)


def test_a_server_that_cannot_be_reached_is_a_failure_of_the_receipt(recorded: Path) -> None:
    holder, address = refusing()
    with holder:
        receipt = wirespool.replay(recorded, to=address, speed="max")
    assert receipt.outcome == "failed"
    assert "refused" in " ".join(receipt.connections[0].failures)


def test_a_server_that_is_silent_is_waited_for_as_long_as_was_said(recorded: Path) -> None:
    with Answering(lambda data: data) as server:
        begun = time.monotonic()
        receipt = wirespool.replay(recorded, to=server.address, speed="max", patience=0.2)
    assert receipt.outcome == "failed"
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), "fast"])
def test_a_speed_that_is_none_is_refused(recorded: Path, speed: Any) -> None:
    with pytest.raises(wirespool.UsageError, match="speed"):
        wirespool.replay(recorded, to="127.0.0.1:9", speed=speed)
    with pytest.raises(TypeError):
        wirespool.replay(recorded, to="127.0.0.1:9", speed=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="length of time"):
        wirespool.replay(recorded, to="127.0.0.1:9", patience=-1)


def test_a_served_client_is_verified_and_the_receipt_stays(recorded: Path) -> None:
    with wirespool.serve(recorded) as server:
        assert server.receipt is None
        talk(server.address, b"one\n", b"two\n")
    assert server.receipt is not None
    assert (server.receipt.outcome, server.receipt.role) == ("verified", "server")


def test_a_client_that_says_something_else_is_a_mismatch(recorded: Path) -> None:
    with pytest.raises(wirespool.Mismatch, match="other") as raised:
        with wirespool.serve(recorded, patience=1) as server, dial(server.address) as client:
            client.sendall(b"other\n")
            client.shutdown(socket.SHUT_WR)
            read_all(client)
    assert raised.value.receipt is server.receipt


def test_that_nobody_came_is_a_mismatch_at_once(recorded: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(wirespool.Mismatch, match="no client"), wirespool.serve(recorded):
        pass
    assert time.monotonic() - begun < 2


def test_a_client_that_has_only_just_connected_is_still_served(recorded: Path) -> None:
    for _ in range(20):
        with wirespool.serve(recorded, speed="max") as server:
            client = dial(server.address)
            client.sendall(b"one\ntwo\n")
            client.shutdown(socket.SHUT_WR)
        with client:
            assert read_all(client) == b"one\ntwo\n"


def test_a_client_that_hangs_is_waited_for_as_long_as_was_said(recorded: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(wirespool.Mismatch), wirespool.serve(recorded, patience=0.3) as server:
        client = dial(server.address)
    client.close()
    assert time.monotonic() - begun < 5


def test_an_error_in_the_block_goes_first(recorded: Path) -> None:
    with pytest.raises(ZeroDivisionError), wirespool.serve(recorded) as server:
        raise ZeroDivisionError
    assert server.receipt is not None
    assert not server.receipt.ok


def test_a_server_is_stopped_without_a_verdict(recorded: Path) -> None:
    server = wirespool.serve(recorded)
    server.stop()
    server.stop()
    assert server.receipt is not None
    assert server.receipt.outcome == "failed"


def test_nothing_recorded_is_nothing_verified(capture: Path) -> None:
    with wirespool.record(capture, to="127.0.0.1:9"):
        pass
    receipt = wirespool.replay(capture, to="127.0.0.1:9")
    assert receipt.outcome == "failed"
    with pytest.raises(wirespool.Mismatch):
        receipt.check()


def test_ctrl_c_ends_a_replay(recorded: Path) -> None:
    # A hundred times slower than recorded, at a server that takes everything.
    with Echoing() as server:
        program = (
            "import sys, wirespool\n"
            "print('begun', flush=True)\n"
            "wirespool.replay(sys.argv[1], to=sys.argv[2], speed=1e-6)\n"
        )
        process = Process([sys.executable, "-c", program, recorded, server.address])
        process.wait_for("begun")
        time.sleep(0.3)
        result = process.signal(signal.SIGINT).finish().done(-signal.SIGINT)
    assert "KeyboardInterrupt" in result.stderr


def test_ctrl_c_ends_the_wait_at_the_end_of_a_block(recorded: Path) -> None:
    program = (
        "import socket, sys, wirespool\n"
        "with wirespool.serve(sys.argv[1], patience=1000) as server:\n"
        "    client = socket.create_connection(server.address)\n"
        "    print('waiting', flush=True)\n"
    )
    process = Process([sys.executable, "-c", program, recorded])
    process.wait_for("waiting")
    time.sleep(0.3)
    result = process.signal(signal.SIGINT).finish().done(-signal.SIGINT)
    assert "KeyboardInterrupt" in result.stderr
