"""Recordings that several tests begin with."""

import socket
from pathlib import Path

from conftest import Wirespool
from programs import Peers
from running import Address, Process

SPACING = 0.2
"""Seconds between the messages of a capture that is replayed at SPEED."""

SPEED = "4"
"""Leaves 50 ms between messages, so that the servers still read each by itself."""


def proxy(wirespool: Wirespool, to: str, capture: Path, *words: str) -> tuple[Process, Address]:
    """Start `record` in front of a server."""
    return wirespool.serving("record", "--to", to, "-o", capture, *words)


def record_session(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path, count: int = 3
) -> list[str]:
    """Record a client through the proxy to its server; the lines that the server printed."""
    server = peers.server(codec)
    process, address = proxy(wirespool, server.address, capture, "--connections", "1")
    peers.client(codec, address, count, interval=SPACING).finish().done()
    lines = server.received()
    process.finish().done()
    return lines


def record_burst(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path, *, pieces: int | None = None
) -> str:
    """Record 2,000 messages sent with no pause; what the sink says that it took."""
    sink = peers.own_server("sink_server.py")
    process, address = proxy(wirespool, sink.address, capture, "--connections", "1")
    peers.burst(codec, address, pieces=pieces).finish().done()
    (taken,) = sink.received()
    process.finish().done()
    return taken


def refusing() -> tuple[socket.socket, str]:
    """A port that refuses, and stays ours: bound, but not listening until told to."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, f"127.0.0.1:{holder.getsockname()[1]}"
