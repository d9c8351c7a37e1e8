"""What a receipt says of the times of sending, and how many connections a replay may have."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Wirespool
from recording import proxy
from running import PATIENCE, Process
from sockets import Echoing, Serving, dial, read_all, read_exactly

CONNECTIONS = 60


def record(wirespool: Wirespool, capture: Path, to: str, connections: int, questions: int) -> None:
    """Record clients that ask, one connection after the other, and wait for each answer."""
    process, address = proxy(wirespool, to, capture, "--connections", str(connections))
    for _ in range(connections):
        with dial(address) as client:
            for _ in range(questions):
                client.sendall(b"?")
                read_exactly(client, 1)
            client.shutdown(socket.SHUT_WR)
            read_all(client)
    process.finish().done()


def timing(receipt: Path) -> Any:
    (connection,) = json.loads(receipt.read_text())["connections"]
    return connection["timing"]


def test_a_receipt_tells_how_exact_the_sends_were(
    wirespool: Wirespool, capture: Path, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    with Echoing() as server:
        record(wirespool, capture, server.address, connections=1, questions=5)
        result = wirespool.run("replay", capture, "--to", server.address, "--receipt", receipt).done()
    assert "timing error p50 " in result.stderr
    told = timing(receipt)
    assert told["count"] == 5
    assert 0 <= told["p50_us"] <= told["p99_us"] <= told["worst_us"]
    assert json.loads(receipt.read_text())["timing"] == told


def test_at_full_speed_no_send_has_a_time_to_keep(
    wirespool: Wirespool, capture: Path, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    with Echoing() as server:
        record(wirespool, capture, server.address, connections=1, questions=5)
        words = ["--to", server.address, "--speed", "max", "--receipt", str(receipt)]
        result = wirespool.run("replay", capture, *words).done()
    assert "timing" not in result.stderr
    assert timing(receipt) is None


def test_a_slow_answer_puts_a_send_behind_and_is_no_error_of_ours(
    wirespool: Wirespool, capture: Path, tmp_path: Path
) -> None:
    slowness = 0.3
    receipt = tmp_path / "receipt.json"

    def answer_late(connection: socket.socket) -> None:
        while asked := connection.recv(1):
            time.sleep(slowness)  # the peer is slow: this is what is tested
            connection.sendall(asked)

    with Echoing() as server:
        record(wirespool, capture, server.address, connections=1, questions=2)
    with Serving(answer_late) as late:
        result = wirespool.run("replay", capture, "--to", late.address, "--receipt", receipt).done()
    told = timing(receipt)
    # The recorded answer took some time, too.
    assert told["behind_us"] > slowness / 2 * 1e6
    assert " late because the other end was waited for" in result.stderr


@pytest.mark.parametrize("limit", ["-S", "-H"])
def test_a_replay_opens_as_many_connections_as_the_hard_limit_allows(
    wirespool: Wirespool, capture: Path, limit: str
) -> None:
    """A soft limit is raised; a hard one is named where it stops the replay."""
    with Echoing() as server:
        record(wirespool, capture, server.address, CONNECTIONS, questions=1)
        # All at once, so that all are open at once.
        words = ["replay", str(capture), "--to", server.address, "--speed", "max"]
        script = f'ulimit -S -n 40 && ulimit {limit} -n 40 && exec "$0" "$@"'
        result = Process(["sh", "-c", script, wirespool.program, *words]).finish(PATIENCE)
    if limit == "-S":
        assert "verified" in result.done().stderr
    else:
        assert "ulimit -n" in result.done(1).stderr
