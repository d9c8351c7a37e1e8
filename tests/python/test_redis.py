"""Redis, and redis-py: a server and a client that know nothing of wirespool, in every role."""

import json
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from conftest import Wirespool
from programs import HOST, Server
from recording import SPACING, proxy
from redis_servers import RedisServers, connected
from running import PATIENCE, Address, until
from sockets import dial, unread

NEWS = ["один", "два", "три"]
GREETING = "привет"

FORMATS = pytest.mark.parametrize("words", [[], ["-f", "text/line"]], ids=["by bytes", "by lines"])


def session(address: Address) -> list[Any]:
    """What a program does with Redis; each answer, as redis-py gives it."""
    with connected(address) as client:
        answers = [
            client.set("greeting", GREETING),
            client.get("greeting"),
            client.get("nothing"),
            client.incr("visits"),
            client.rpush("queue", "a", "b", "c"),
            client.lpop("queue"),
            client.lrange("queue", 0, -1),
            client.hset("reading", mapping={"humidity": "60", "temp_cel": "25"}),
            client.hgetall("reading"),
        ]
        with client.pipeline(transaction=False) as pipeline:
            for i in range(20):
                pipeline.set(f"key {i}", i).get(f"key {i}")
            answers += pipeline.execute()
        with client.pipeline(transaction=True) as transaction:
            answers += transaction.incr("visits").lpush("queue", "z").llen("queue").execute()
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            client.incr("queue")
        return answers


def record(wirespool: Wirespool, server: Server, capture: Path) -> list[Any]:
    """Record a session; its answers."""
    process, address = proxy(wirespool, server.address, capture, "--connections", "1")
    answers = session(address)
    process.finish().done()
    assert answers[:4] == [True, GREETING, None, 1]
    return answers


@FORMATS
def test_a_replay_to_a_fresh_redis_is_verified(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path, words: list[str]
) -> None:
    record(wirespool, redis_servers.fresh(), capture)
    fresh = redis_servers.fresh()
    result = wirespool.run("replay", capture, "--to", fresh.address, *words).done()
    assert "verified: 1 connection" in result.stderr
    assert "failed" not in result.stderr
    # It was not only told so: it did it.
    with connected((HOST, fresh.port)) as client:
        assert client.get("visits") == "2"
        assert client.lrange("queue", 0, -1) == ["z", "b", "c"]


def test_a_replay_to_a_used_redis_names_what_differs(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path, tmp_path: Path
) -> None:
    record(wirespool, redis_servers.fresh(), capture)
    used, receipt = redis_servers.fresh(), tmp_path / "receipt.json"
    with connected((HOST, used.port)) as client:
        client.set("visits", 41)
    words = ["-f", "text/line", "--receipt", str(receipt)]
    result = wirespool.run("replay", capture, "--to", used.address, *words).done(1)
    assert "verified" not in result.stderr
    (connection,) = json.loads(receipt.read_text())["connections"]
    assert connection["differing"] == 2
    assert connection["matched"] == connection["expected"] - 2
    # By itself and in the transaction; each message is named by its number in the capture.
    alone, in_transaction = connection["differences"]
    assert f'message {alone["index"]}, offset {alone["offset"]}: expected ":1", got ":42"' in result.stderr
    shown = {message["index"]: message for message in wirespool.show(capture, "-f", "text/line").json}
    for difference, recorded in (alone, ":1"), (in_transaction, ":2"):
        message = shown[difference["index"]]
        assert (message["side"], message["value"]) == ("server", recorded)
        assert message["offset"] == difference["offset"]


def test_a_replay_to_a_redis_that_wants_a_password_has_failed(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path
) -> None:
    record(wirespool, redis_servers.fresh(), capture)
    closed = redis_servers.fresh()
    with connected((HOST, closed.port)) as client:
        client.config_set("requirepass", "secret")
    words = ["-f", "text/line", "--patience", "200ms"]
    result = wirespool.run("replay", capture, "--to", closed.address, *words).done(1)
    assert "NOAUTH Authentication required." in result.stderr
    assert "failed: 1 connection" in result.stderr


@FORMATS
def test_redis_py_gets_the_recorded_answers_with_redis_gone(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path, words: list[str]
) -> None:
    server = redis_servers.fresh()
    answers = record(wirespool, server, capture)
    server.process.kill()
    with pytest.raises(ConnectionRefusedError):
        dial((HOST, server.port))
    process, address = wirespool.serving("serve", capture, *words)
    assert session(address) == answers
    assert "verified: 1 connection" in process.finish().done().stderr


def test_another_session_than_the_recorded_one_has_failed(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path
) -> None:
    record(wirespool, redis_servers.fresh(), capture)
    process, address = wirespool.serving("serve", capture, "-f", "text/line", "--patience", "100ms")
    with connected(address) as client, pytest.raises(redis.ConnectionError):
        while True:
            client.set("greeting", "прощай")
    result = process.finish().done(1)
    assert f'expected "{GREETING}", got "прощай"' in result.stderr
    assert "verified" not in result.stderr


def news(address: Address, publish_to: Address) -> tuple[list[str], list[int]]:
    """Have news published once a subscription stands: what was heard, and by how many."""
    with connected(address) as reader, connected(publish_to) as publisher:
        with reader.pubsub() as subscription:
            subscription.subscribe("news")
            assert heard(subscription)["type"] == "subscribe"
            readers = []
            for item in NEWS:
                # The recorded distance keeps the two connections' order when they are replayed.
                time.sleep(SPACING)
                readers.append(publisher.publish("news", item))
            return [heard(subscription)["data"] for _ in NEWS], readers


def heard(subscription: Any) -> Any:
    """The next thing that Redis pushes."""
    message = subscription.get_message(timeout=PATIENCE)
    assert message is not None, "nothing came"
    return message


def test_what_is_published_is_pushed_again(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path
) -> None:
    server = redis_servers.fresh()
    process, address = proxy(wirespool, server.address, capture, "--connections", "2")
    assert news(address, address) == (NEWS, [1, 1, 1])
    process.finish().done()

    fresh = redis_servers.fresh()
    result = wirespool.run("replay", capture, "--to", fresh.address, "-f", "text/line").done()
    assert "verified: 2 connections" in result.stderr

    server.process.kill()
    process, address = wirespool.serving("serve", capture, "-f", "text/line")
    assert news(address, address) == (NEWS, [1, 1, 1])
    assert "verified: 2 connections" in process.finish().done().stderr


def test_a_push_that_nobody_causes_is_missed(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path
) -> None:
    """Only the reader was recorded: served, it hears the news again; no fresh Redis has any."""
    server = redis_servers.fresh()
    process, address = proxy(wirespool, server.address, capture, "--connections", "1")
    assert news(address, (HOST, server.port)) == (NEWS, [1, 1, 1])
    process.finish().done()

    words = ["-f", "text/line", "--patience", "200ms"]
    result = wirespool.run("replay", capture, "--to", redis_servers.fresh().address, *words).done(1)
    assert "stalled" in result.stderr
    assert "verified" not in result.stderr

    process, address = wirespool.serving("serve", capture)
    assert news(address, (HOST, server.port)) == (NEWS, [0, 0, 0])
    assert "verified: 1 connection" in process.finish().done().stderr


def test_a_redis_that_stands_still_is_a_stall_and_one_that_is_killed_a_failure(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path
) -> None:
    record(wirespool, redis_servers.fresh(), capture)
    server = redis_servers.fresh()
    # Its system still takes connections and bytes for it.
    server.process.signal(signal.SIGSTOP)
    words = ["replay", str(capture), "--to", server.address, "-f", "text/line"]
    result = wirespool.run(*words, "--patience", "200ms").done(1)
    assert re.search(
        r"stalled: connection 0 waited 0\.2 s, .* for the server to send message \d+", result.stderr
    )
    waiting = wirespool.start(*words, "--patience", "1m")
    # What it has sent by now nobody will ever read.
    until(lambda: unread(server.port) > 0, "the replay's first message to arrive")
    server.process.signal(signal.SIGKILL)
    result = waiting.finish().done(1)
    assert "the server reset the connection" in result.stderr


def test_an_answer_that_took_long_is_waited_for_as_long_and_the_patience_besides(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path
) -> None:
    """A blocking pop, which only another connection's push answers."""

    def wait_and_push(address: Address) -> Any:
        with connected(address) as waiting, connected(address) as pushing:
            with ThreadPoolExecutor(1) as pool:
                popped = pool.submit(waiting.blpop, ["queue"], timeout=PATIENCE)
                # The recorded wait itself: twice the patience of the replay.
                time.sleep(2 * SPACING)
                pushing.rpush("queue", "a")
                return popped.result(PATIENCE)

    server = redis_servers.fresh()
    process, address = proxy(wirespool, server.address, capture, "--connections", "2")
    assert wait_and_push(address) == ("queue", "a")
    process.finish().done()
    words = ["-f", "text/line", "--patience", f"{SPACING}s"]
    result = wirespool.run("replay", capture, "--to", redis_servers.fresh().address, *words).done()
    assert "verified: 2 connections" in result.stderr
    process, address = wirespool.serving("serve", capture, *words)
    assert wait_and_push(address) == ("queue", "a")
    assert "verified: 2 connections" in process.finish().done().stderr


# Without it each client begins by saying what library it is, and all say the same.
UNNAMED = {"driver_info": None}


def ask(address: Address, key: str) -> Any:
    """A client that begins with what it wants."""
    with connected(address, **UNNAMED) as client:
        return client.get(key)


@pytest.fixture
def three_keys(wirespool: Wirespool, redis_servers: RedisServers, capture: Path) -> Path:
    """Three clients, each of which asked for its key."""
    server = redis_servers.fresh()
    with connected((HOST, server.port)) as client:
        client.mset({"a": "1", "b": "22", "c": "333"})
    process, address = proxy(wirespool, server.address, capture, "--connections", "3", "-f", "text/line")
    assert [ask(address, key) for key in "abc"] == ["1", "22", "333"]
    process.finish().done()
    return capture


def test_clients_in_another_order_get_their_own_answers(wirespool: Wirespool, three_keys: Path) -> None:
    process, address = wirespool.serving("serve", three_keys, "-f", "raw", "--match", "content")
    assert [ask(address, key) for key in "cab"] == ["333", "1", "22"]
    assert "verified: 3 connections" in process.finish().done().stderr
    # By order each would get somebody else's.
    process, address = wirespool.serving("serve", three_keys)
    assert [ask(address, key) for key in "cab"] == ["1", "22", "333"]
    assert "failed: 3 connections" in process.finish().done(1).stderr


def test_a_stranger_is_passed_on_to_a_live_redis(
    wirespool: Wirespool, redis_servers: RedisServers, three_keys: Path
) -> None:
    live = redis_servers.fresh()
    with connected((HOST, live.port)) as client:
        client.set("d", "4444")
    words = ["--match", "content", "--on-miss", f"pass:{live.address}", "-f", "raw"]
    process, address = wirespool.serving("serve", three_keys, *words)
    # What was recorded comes from the capture, though the live one does not know it.
    assert [ask(address, key) for key in "dabc"] == ["4444", "1", "22", "333"]
    result = process.finish().done()
    assert "verified: 3 connections" in result.stderr


def test_a_session_is_served_again_and_again(wirespool: Wirespool, three_keys: Path) -> None:
    words = ["--match", "content", "-f", "raw", "--repeat", "--connections", "7"]
    process, address = wirespool.serving("serve", three_keys, *words)
    assert [ask(address, key) for key in "abacaba"] == ["1", "22", "1", "333", "1", "22", "1"]
    assert "verified" in process.finish().done().stderr


def test_many_clients_at_once_are_each_played(
    wirespool: Wirespool, redis_servers: RedisServers, capture: Path
) -> None:
    """Each with keys of its own: what one finds does not depend on the others."""
    names = [f"client {i}" for i in range(16)]

    def work(address: Address, name: str, begin: threading.Barrier) -> list[Any]:
        with connected(address, **UNNAMED) as client:
            begin.wait(PATIENCE)
            answers: list[Any] = [client.rpush(name, *name)]
            with client.pipeline() as transaction:
                for _ in range(10):
                    transaction.lpop(name).llen(name)
                return [*answers, *transaction.execute()]

    def work_all(address: Address) -> list[list[Any]]:
        begin = threading.Barrier(len(names))
        with ThreadPoolExecutor(len(names)) as pool:
            running = [pool.submit(work, address, name, begin) for name in names]
            return [one.result(PATIENCE) for one in running]

    server = redis_servers.fresh()
    process, address = proxy(wirespool, server.address, capture, "--connections", str(len(names)))
    answers = work_all(address)
    process.finish().done()
    for speed in ("1", "max"):
        fresh = redis_servers.fresh()
        result = wirespool.run("replay", capture, "--to", fresh.address, "--speed", speed).done()
        assert "verified: 16 connections" in result.stderr
    server.process.kill()
    process, address = wirespool.serving("serve", capture, "--match", "content", "--speed", "max")
    assert work_all(address) == answers
    assert "verified: 16 connections" in process.finish().done().stderr
