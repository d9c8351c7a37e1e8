"""A server that asks another one: played from both sides, from a recording of both."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import wirespool as module
from conftest import Wirespool
from programs import free_port
from recording import proxy
from running import PATIENCE, Address, Result
from sockets import Serving, dial, read_all

QUESTIONS = [b"one\n", b"two\n"]


def lines(connection: socket.socket) -> Callable[[], bytes]:
    """Read a connection a line at a time."""
    file = connection.makefile("rb")
    return file.readline


def price(connection: socket.socket) -> None:
    """The dependency: says a number for each name."""
    read = lines(connection)
    while name := read():
        connection.sendall(b"%d\n" % len(name))


class Shop(Serving):
    """The server in the middle: asks the dependency for each line, and answers with what it says."""

    def __init__(self, answer: bytes = b"%s costs %s\n") -> None:
        """Listen; whom to ask is said later."""
        super().__init__(self._handle_client)
        self._answer = answer
        self._told = threading.Event()

    def ask(self, dependency: Address) -> None:
        """Say whom to ask."""
        self._dependency = dependency
        self._told.set()

    def _handle_client(self, client: socket.socket) -> None:
        assert self._told.wait(PATIENCE), "nobody said whom to ask"
        with dial(self._dependency) as dependency:
            ask, answer = lines(client), lines(dependency)
            while name := ask():
                dependency.sendall(name)
                client.sendall(self._answer % (name.strip(), answer().strip()))


@pytest.fixture
def captures(wirespool: Wirespool, tmp_path: Path) -> list[Path]:
    """What a client says to the shop, and the shop to its dependency."""
    asked, answered = tmp_path / "shop.pcapng", tmp_path / "price.pcapng"
    with Shop() as shop, Serving(price) as prices:
        once = ("-f", "text/line", "--connections", "1")
        outer, shop_address = proxy(wirespool, shop.address, asked, *once)
        inner, price_address = proxy(wirespool, prices.address, answered, *once)
        shop.ask(price_address)
        with dial(shop_address) as client:
            for question in QUESTIONS:
                client.sendall(question)
                assert lines(client)().startswith(question.strip())
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b""
        outer.finish().done()
        inner.finish().done()
    return [asked, answered]


def replayed(wirespool: Wirespool, captures: list[Path], shop: Shop) -> Result:
    """Play both sides of it to a shop."""
    to = ("--to", shop.address, "--listen", "127.0.0.1:0", "--patience", "2s")
    process, address = wirespool.serving("replay", *captures, *to)
    shop.ask(address)
    return process.finish()


def test_a_server_is_verified_without_the_server_it_depends_on(
    wirespool: Wirespool, captures: list[Path]
) -> None:
    with Shop() as shop:
        result = replayed(wirespool, captures, shop).done()
    assert "verified: 2 connections, sent 4 of 4 messages, 4 of 4 messages as recorded" in result.stderr


def test_a_server_that_answers_otherwise_is_found_out(wirespool: Wirespool, captures: list[Path]) -> None:
    with Shop(b"%s is %s\n") as shop:
        result = replayed(wirespool, captures, shop).done(1)
    assert '"one costs 4"' in result.stderr
    assert '"one is 4"' in result.stderr
    assert "connection 1: verified" in result.stderr, "its questions were the same"


def test_a_server_may_ask_when_its_client_has_gone(wirespool: Wirespool, captures: list[Path]) -> None:
    """Bug: what the server dialled after its clients were done was never waited for."""

    class Late(Shop):
        def _handle_client(self, client: socket.socket) -> None:
            assert self._told.wait(PATIENCE), "nobody said whom to ask"
            ask = lines(client)
            while name := ask():
                client.sendall(b"%s costs %d\n" % (name.strip(), len(name)))
            client.shutdown(socket.SHUT_WR)
            client.close()
            time.sleep(0.2)  # not to wait for anything: so it writes behind
            with dial(self._dependency) as dependency:
                answer = lines(dependency)
                for name in QUESTIONS:
                    dependency.sendall(name)
                    answer()

    with Late() as shop:
        result = replayed(wirespool, captures, shop).done()
    assert "verified: 2 connections, sent 4 of 4 messages, 4 of 4 messages as recorded" in result.stderr


def test_a_server_that_asks_nobody_has_failed(wirespool: Wirespool, captures: list[Path]) -> None:
    def handle(client: socket.socket) -> None:
        read = lines(client)
        while name := read():
            client.sendall(b"%s costs 4\n" % name.strip())

    with Serving(handle) as shop:
        to = ("--to", shop.address, "--listen", "127.0.0.1:0", "--patience", "300ms")
        result = wirespool.run("replay", *captures, *to).done(1)
    assert "no client came for it" in result.stderr


def test_one_recorded_server_is_no_server_in_the_middle(wirespool: Wirespool, captures: list[Path]) -> None:
    result = wirespool.run("replay", captures[0], "--to", "9", "--listen", "0").done(2)
    assert "only connections to" in result.stderr


@pytest.mark.parametrize(
    ("to", "listen"), [("127.0.0.1", "127.0.0.1"), ("localhost", "0.0.0.0"), ("0.0.0.0", "127.0.0.1")]
)
def test_a_recording_does_not_verify_itself(
    wirespool: Wirespool, captures: list[Path], tmp_path: Path, to: str, listen: str
) -> None:
    port, output = free_port(), tmp_path / "again.pcapng"
    words = ("--to", f"{to}:{port}", "--listen", f"{listen}:{port}", "-o", output)
    result = wirespool.run("replay", *captures, *words).done(2)
    assert "wirespool: --to: " in result.stderr
    assert "where wirespool itself listens" in result.stderr
    assert not output.exists()
    with pytest.raises(module.UsageError, match="where wirespool itself listens"):
        module.replay(captures, (to, port), listen=(listen, port), output=output)
    assert not output.exists()
