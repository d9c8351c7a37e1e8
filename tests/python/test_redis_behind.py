"""Redis as what another program depends on: the program is tested from a capture, with Redis gone."""

import json
import socket
import sys
import threading
from pathlib import Path

import pytest
from conftest import Wirespool
from programs import HOST
from recording import proxy
from redis_servers import RedisServers, connected
from running import PATIENCE, Address
from sockets import Serving, dial, read_all

PROGRAM = """
import os
import redis

host, port = os.environ["WIRESPOOL_ADDR"].rsplit(":", 1)
with redis.Redis(host=host, port=int(port), protocol=2, decode_responses=True) as client:
    print(client.incrby("visits", 2), client.get("greeting"))
"""


class Counter(Serving):
    """Counts visits in Redis: a name a line, and the answer in JSON."""

    def __init__(self, key: str = "visits:%s") -> None:
        """Listen; where Redis is, is said later."""
        super().__init__(self._handle_client)
        self._key = key
        self._redis: Address | None = None
        self._told = threading.Event()

    def use(self, redis: Address) -> None:
        """Say where Redis is."""
        self._redis = redis
        self._told.set()

    def _handle_client(self, client: socket.socket) -> None:
        assert self._told.wait(PATIENCE), "nobody said where Redis is"
        assert self._redis is not None
        with connected(self._redis) as redis:
            while name := client.recv(100).decode().strip():
                visits = redis.incr(self._key % name)
                client.sendall(json.dumps({"name": name, "visits": visits}).encode() + b"\n")


def visit(address: Address, names: list[str]) -> list[int]:
    """How often each had been there."""
    visits = []
    with dial(address) as client, client.makefile("rb") as answers:
        for name in names:
            client.sendall(name.encode() + b"\n")
            visits.append(json.loads(answers.readline())["visits"])
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""
    return visits


@pytest.fixture
def captures(wirespool: Wirespool, redis_servers: RedisServers, tmp_path: Path) -> list[Path]:
    """What a client says to the counter, and the counter to Redis, which is then gone."""
    server = redis_servers.fresh()
    paths = [tmp_path / "counter.pcapng", tmp_path / "redis.pcapng"]
    with Counter() as counter:
        once = ("-f", "text/line", "--connections", "1")
        outer, address = proxy(wirespool, counter.address, paths[0], *once)
        inner, redis = proxy(wirespool, server.address, paths[1], *once)
        counter.use(redis)
        assert visit(address, ["anna", "boris", "anna"]) == [1, 1, 2]
        outer.finish().done()
        inner.finish().done()
    server.process.kill()
    return paths


def test_a_program_is_verified_with_its_redis_gone(wirespool: Wirespool, captures: list[Path]) -> None:
    with Counter() as counter:
        process, address = wirespool.serving("replay", *captures, "--to", counter.address, "--listen", "0")
        counter.use(address)
        result = process.finish().done()
    assert "verified: 2 connections" in result.stderr


def test_a_program_that_asks_redis_for_something_else_is_found_out(
    wirespool: Wirespool, captures: list[Path]
) -> None:
    with Counter("hits:%s") as counter:
        words = ["--to", counter.address, "--listen", "0", "--patience", "500ms"]
        process, address = wirespool.serving("replay", *captures, *words)
        counter.use(address)
        result = process.finish().done(1)
    assert '"visits:anna"' in result.stderr
    assert '"hits:anna"' in result.stderr
    # It answered its client as before, since Redis is played as recorded whatever it is asked.
    assert "connection 0: verified" in result.stderr


def test_a_program_is_recorded_and_served_by_one_command_each(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program)]
    server = redis_servers.fresh()
    with connected((HOST, server.port)) as client:
        client.mset({"visits": "40", "greeting": "hi"})
    result = wirespool.run("record", "--to", server.address, "-o", capture, "--", *command).done()
    assert result.lines == ["42 hi"]
    server.process.kill()
    result = wirespool.run("serve", capture, "--", *command).done()
    assert result.lines == ["42 hi"]
    assert "verified: 1 connection" in result.stderr
