"""multiprocessing.connection: pickles behind a length, and with a key a challenge no replayer can answer.

Each side sends the other `#CHALLENGE#` and random bytes, is sent their HMAC, and says `#WELCOME#` or
`#FAILURE#`; the listener begins. So of a recorded connection message 0 is the listener's challenge, 1 the
answer, 2 the welcome, 3 the client's challenge, 4 the answer, 5 the welcome; the pickles begin with 6.
"""

import json
from base64 import b64decode, b64encode
from contextlib import suppress
from multiprocessing.connection import Client, Listener
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import wirespool as module
from conftest import Wirespool
from programs import Peers, Server
from recording import proxy
from running import PATIENCE, Address, Process

KEY = ["--key", "the same on both ends"]
ANSWERS = [f"Received object: {answer}" for answer in ({"sum": 0}, {"sum": 1}, {"sum": 3})]
CHALLENGE = "#CHALLENGE#"
WELCOME = "#WELCOME#"
FAILURE = "#FAILURE#"

BY_BYTES_AND_VALUES = pytest.mark.parametrize("format_name", ["raw/u32be", "pickle/u32be"])


def serve(own: Peers, key: list[str]) -> Server:
    """Start a Listener."""
    return own.own_server("connection_server.py", *key)


def call(own: Peers, address: Address, key: list[str]) -> Process:
    """Start a Client."""
    return own.own("connection_client.py", address[0], str(address[1]), *key)


def record(wirespool: Wirespool, own: Peers, capture: Path, key: list[str]) -> None:
    """Record a Client and its Listener."""
    server = serve(own, key)
    process, address = proxy(wirespool, server.address, capture, "--connections", "1")
    assert call(own, address, key).finish().done().lines[:-1] == ANSWERS
    server.process.finish().done()
    process.finish().done()


def differences(receipt: Path) -> dict[int, dict[str, Any]]:
    """The differences of the one connection, by message."""
    (connection,) = json.loads(receipt.read_text())["connections"]
    assert connection["outcome"] == "failed"
    return {difference["index"]: difference for difference in connection["differences"]}


def is_shown(mark: str, text: str) -> bool:
    """Whether a message that begins with `mark` is shown: as text, or as the JSON of bytes, base64."""
    return mark in text or b64encode(mark.encode()[:9]).decode() in text


def assert_differs(difference: dict[str, Any], expected: str, got: str) -> None:
    """The marks of what was recorded and of what came."""
    assert is_shown(expected, difference["expected"]), difference
    assert is_shown(got, difference["got"]), difference


def test_without_a_key_both_sides_are_verified(wirespool: Wirespool, own: Peers, capture: Path) -> None:
    record(wirespool, own, capture, [])
    shown = wirespool.show(capture, "-f", "pickle/u32be")
    assert shown.values == [[0], {"sum": 0}, [0, 1], {"sum": 1}, [0, 1, 2], {"sum": 3}]

    server = serve(own, [])
    result = wirespool.run("replay", capture, "--to", server.address, "-f", "pickle/u32be").done()
    assert "verified" in result.stderr
    assert server.received() == [f"Received object: {list(range(count + 1))}" for count in range(3)]

    process, address = wirespool.serving("serve", capture, "-f", "pickle/u32be")
    assert call(own, address, []).finish().done().lines[:-1] == ANSWERS
    assert "verified" in process.finish().done().stderr


def test_the_recorded_handshake_is_as_described_above(
    wirespool: Wirespool, own: Peers, capture: Path
) -> None:
    record(wirespool, own, capture, KEY)
    shown = wirespool.run("show", capture, "-f", "raw/u32be").done().text
    assert [line.split()[2] for line in shown.splitlines()[:7]] == [
        *("server", "client", "server"),
        *("client", "server", "client"),
        "client",
    ]
    marks = {0: CHALLENGE, 2: WELCOME, 3: CHALLENGE, 5: WELCOME}
    assert [index for index, mark in marks.items() if not is_shown(mark, shown.splitlines()[index])] == []


@BY_BYTES_AND_VALUES
def test_a_listener_does_not_take_a_recorded_answer(
    wirespool: Wirespool, own: Peers, capture: Path, tmp_path: Path, format_name: str
) -> None:
    record(wirespool, own, capture, KEY)
    server, receipt = serve(own, KEY), tmp_path / "receipt.json"
    words = ["-f", format_name, "--receipt", str(receipt)]
    result = wirespool.run("replay", capture, "--to", server.address, *words).done(1)
    assert "verified" not in result.stderr
    assert "AuthenticationError: digest received was wrong" in server.process.finish().done(1).stderr
    found = differences(receipt)
    assert list(found) == [0, 2], "its challenge is another one, and it did not welcome us"
    assert_differs(found[0], CHALLENGE, CHALLENGE)
    assert_differs(found[2], WELCOME, FAILURE)
    assert f"message 0, offset 0: expected {found[0]['expected']}, got {found[0]['got']}" in result.stderr


@BY_BYTES_AND_VALUES
def test_a_client_does_not_take_a_recorded_answer(
    wirespool: Wirespool, own: Peers, capture: Path, tmp_path: Path, format_name: str
) -> None:
    record(wirespool, own, capture, KEY)
    receipt = tmp_path / "receipt.json"
    process, address = wirespool.serving("serve", capture, "-f", format_name, "--receipt", receipt)
    client = call(own, address, KEY).finish().done(1)
    assert "AuthenticationError: digest received was wrong" in client.stderr
    assert client.lines == [], "it got an answer from someone who does not know the key"
    result = process.finish().done(1)
    assert "verified" not in result.stderr
    found = differences(receipt)
    # It can answer the recorded challenge, but asks another one itself, and does not welcome our answer.
    assert list(found) == [3, 5]
    assert_differs(found[3], CHALLENGE, CHALLENGE)
    assert_differs(found[5], WELCOME, FAILURE)
    assert f"message 3, offset {found[3]['offset']}: expected {found[3]['expected']}" in result.stderr


def echoed(capture: Path, values: list[Any], key: bytes | None) -> None:
    """Record values sent to a Listener, which sends each back."""
    with Listener(("127.0.0.1", 0), authkey=key) as listener:

        def echo() -> None:
            with listener.accept() as connection, suppress(EOFError):
                while True:
                    connection.send(connection.recv())

        thread = Thread(target=echo)
        thread.start()
        with module.record(capture, to=listener.address) as recording:
            with Client(recording.address, authkey=key) as connection:
                for value in values:
                    connection.send(value)
                    assert connection.recv() == value
            thread.join(PATIENCE)
    assert not thread.is_alive()


VALUES = [
    {"1": 25, "2": 60},
    [1.5, None, True, (b"\x00\xff", {"a", "b"}), 2**70],
    "датчик \U0001f980",
    # Beyond 16 KiB the length is written by itself, and the body after it.
    b"x" * 16_379,
    b"x" * 16_385,
    b"y" * 1_000_000,
    [f"reading {number}" for number in range(20_000)],
]


@pytest.mark.parametrize("key", [None, b"the same on both ends"])
def test_all_values_that_are_sent_are_decoded(capture: Path, key: bytes | None) -> None:
    echoed(capture, VALUES, key)
    handshake = 0 if key is None else 6
    messages = list(module.open(capture, format="pickle/u32be"))[handshake:]
    assert [message.value for message in messages] == [value for value in VALUES for _ in "ab"]
    assert [message.side for message in messages] == ["client", "server"] * len(VALUES)


def test_the_challenge_is_shown_raw_with_the_reason(wirespool: Wirespool, capture: Path) -> None:
    echoed(capture, VALUES[:1], b"the same on both ends")
    shown = wirespool.run("show", capture, "--json", "-f", "pickle/u32be").done()
    handshake, values = shown.json[:6], shown.json[6:]
    for message in handshake:
        # Which error it is depends on the bytes of the digest.
        assert message["error"]["message"], message
        assert "value" not in message
    marks = {index: b64decode(handshake[index]["raw"])[4:] for index in (0, 2, 3, 5)}
    assert marks[0].startswith(CHALLENGE.encode())
    assert marks[3].startswith(CHALLENGE.encode())
    assert marks[2] == marks[5] == WELCOME.encode()
    assert [message["value"] for message in values] == VALUES[:1] * 2
