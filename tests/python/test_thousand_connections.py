"""A thousand clients that begin a message and never end it are bounded together."""

import pickle
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import Wirespool
from sockets import dial

CLIENTS = 1000
BEGUN = b"\x80\x04B" + (2 << 20).to_bytes(4, "little") + b"x" * (1 << 20)
"""Half of a pickle."""


@pytest.fixture(autouse=True)
def many_sockets() -> Iterator[None]:
    """As many open sockets as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def peak_memory(pid: int) -> int:
    """The most that a process had in memory so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found.group(1)) // 1024


def test_a_thousand_unfinished_messages_take_no_more_than_is_allowed(wirespool: Wirespool) -> None:
    process, address = wirespool.serving(
        "listen", "0", "-f", "pickle", "--events", "--limit", "process=64MiB"
    )
    with ExitStack() as stack:
        clients: list[socket.socket] = []
        for _ in range(CLIENTS):
            client = stack.enter_context(dial(address))
            client.sendall(BEGUN)
            clients.append(client)
        with dial(address) as another:
            another.sendall(pickle.dumps("well"))
            process.wait_for("well")
        for client in clients:
            client.shutdown(socket.SHUT_WR)
        # Each client's end is said after all that it sent.
        process.wait_for("client  closed its side", count=CLIENTS + 1, patience=60)
        memory = peak_memory(process.pid)
    faults = re.findall(r"  (\d+)  client  \d+ B  (limit|truncated) at byte", process.output())
    assert len({connection for connection, _ in faults}) == CLIENTS
    assert "limit process=N allows more" in process.output()
    print(f"{memory} MiB for {CLIENTS} connections of 1 MiB each")
    assert process.running
    assert memory < 256, f"{memory} MiB"
