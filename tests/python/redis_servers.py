"""Servers of Redis, each empty, on a port of its own; and a client of theirs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from programs import HOST, Server, free_port
from running import PATIENCE, Address, Process


class RedisServers:
    """Starts them, and ends them with the test."""

    def __init__(self, program: str, folder: Path) -> None:
        """Take the program's path, and where its servers may write."""
        self._program = program
        self._folder = folder
        self._started: list[Process] = []

    def fresh(self) -> Server:
        """Start one that knows nothing and will keep nothing."""
        for _ in range(10):
            # It takes port 0 for no TCP at all.
            port = free_port()
            words = ["--bind", HOST, "--port", str(port), "--dir", str(self._folder)]
            process = Process([self._program, *words, "--save", "", "--appendonly", "no"])
            self._started.append(process)
            try:
                process.wait_for(r"Ready to accept connections")
            except AssertionError:
                if process.running or "Address already in use" not in process.finish().text:
                    raise
                continue
            return Server(process, port)
        raise AssertionError("no free port for redis-server in 10 tries")

    def end(self) -> None:
        """End all that still run."""
        for process in self._started:
            process.kill()


@contextmanager
def connected(address: Address, **options: Any) -> Iterator[Any]:
    """A client with one connection that gives up at once: a second try would be a second connection.

    `Any`, since redis-py's annotations do not know that a pipeline's calls can be chained.
    """
    pool = redis.ConnectionPool(
        host=address[0],
        port=address[1],
        # RESP3 begins with HELLO, whose answer counts the server's connections.
        protocol=2,
        max_connections=1,
        socket_timeout=PATIENCE,
        retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        decode_responses=True,
        **options,
    )
    try:
        yield redis.Redis(connection_pool=pool)
    finally:
        pool.disconnect()
