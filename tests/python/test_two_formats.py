"""Each side in a format of its own: a client that sends pickles to a server that answers with lines."""

import pickle
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
import wirespool as module
from conftest import Wirespool
from sockets import Serving, dial, read_exactly

CLIENT, SERVER = "pickle/u32be", "text/line"
LABEL = f"client={CLIENT} server={SERVER}"
WORDS = ["--client-format", CLIENT, "--server-format", SERVER]

REQUESTS = [{"do": "add", "numbers": (1, 2)}, {"do": "add", "numbers": (40, 2)}, {"do": "ping"}]
ANSWERS = ['{"sum": 3, "took": 0.1}', '{"sum": 42, "took": 0.1}', '{"pong": "да", "took": 0.1}']
JSON = [
    {"do": "add", "numbers": {"$tuple": [1, 2]}},
    {"do": "add", "numbers": {"$tuple": [40, 2]}},
    {"do": "ping"},
]


def framed(value: Any) -> bytes:
    """A pickle behind its length."""
    body = pickle.dumps(value)
    return struct.pack(">I", len(body)) + body


class Calculator(Serving):
    """Reads pickles behind their lengths and answers each with a line of JSON."""

    def __init__(self, answers: list[str]) -> None:
        """Listen."""

        def handle(connection: socket.socket) -> None:
            for request, answer in zip(REQUESTS, answers, strict=True):
                (size,) = struct.unpack(">I", read_exactly(connection, 4))
                assert pickle.loads(read_exactly(connection, size)) == request
                connection.sendall(answer.encode() + b"\n")
            assert connection.recv(1) == b""

        super().__init__(handle)


def ask(address: tuple[str, int]) -> list[str]:
    """Be the client; the answers."""
    with dial(address) as connection, connection.makefile("rb") as lines:
        answers = []
        for request in REQUESTS:
            connection.sendall(framed(request))
            answers.append(lines.readline().decode().rstrip("\n"))
        connection.shutdown(socket.SHUT_WR)
        assert lines.read() == b""
    return answers


@pytest.fixture
def recorded(wirespool: Wirespool, capture: Path) -> Path:
    """The session, recorded without anything printed."""
    with Calculator(ANSWERS) as server:
        words = ["record", "--to", server.address, "-o", str(capture), "--connections", "1", *WORDS, "--json"]
        process, address = wirespool.serving(*words)
        assert ask(address) == ANSWERS
        printed = process.finish().done()
    assert_is_the_session(printed.json)
    return capture


def assert_is_the_session(messages: list[dict[str, Any]]) -> None:
    """What is printed of it as JSON, live or not."""
    assert [message["side"] for message in messages] == ["client", "server"] * 3
    assert [message["format"] for message in messages] == [CLIENT, SERVER] * 3
    assert [message["index"] for message in messages] == list(range(6))
    assert [message["value"] for message in messages[::2]] == JSON
    assert [message["value"] for message in messages[1::2]] == ANSWERS


def test_each_side_is_shown_in_its_own_format_as_the_label_says(wirespool: Wirespool, recorded: Path) -> None:
    assert module.open(recorded).origin.format == LABEL
    assert_is_the_session(wirespool.show(recorded).json)
    lines = wirespool.run("show", recorded).done().text
    assert '{"sum": 42' in lines.replace('\\"', '"')
    assert "numbers" in lines
    messages = list(module.open(recorded))
    assert [message.value for message in messages[::2]] == REQUESTS
    assert [message.value for message in messages[1::2]] == ANSWERS
    (connection,) = wirespool.run("info", "--json", recorded).done().json[0]["connections"]
    sides = connection["sides"]
    assert (sides["client"]["format"], sides["server"]["format"]) == (CLIENT, SERVER)


def test_one_side_is_overridden_and_the_other_stays(wirespool: Wirespool, recorded: Path) -> None:
    shown = wirespool.show(recorded, "--server-format", "raw").json
    assert [message["format"] for message in shown] == [CLIENT, "raw"] * 3
    messages = list(module.open(recorded, client_format="raw"))
    assert [message.format for message in messages] == ["raw", SERVER] * 3
    # A format of both is for both, unless a side has its own.
    messages = list(module.open(recorded, "raw", server_format="text"))
    assert [message.format for message in messages] == ["raw", "text"] * 3


def test_a_replay_compares_the_answers_by_value(wirespool: Wirespool, recorded: Path) -> None:
    with Calculator(ANSWERS) as server:
        result = wirespool.run("replay", recorded, "--to", server.address, "--strict").done()
    assert "verified" in result.stderr
    later = [answer.replace("0.1", "0.7") for answer in ANSWERS]
    with Calculator(later) as server:
        wirespool.run("replay", recorded, "--to", server.address).done(1)
    with Calculator(later) as server:
        assert module.replay(recorded, server.address, ignore="$.took").verified
    wrong = [later[0], later[1].replace("42", "43"), later[2]]
    with Calculator(wrong) as server:
        receipt = module.replay(recorded, server.address, ignore="$.took")
    assert receipt.outcome == "failed"
    (difference,) = receipt.differences
    assert (difference.side, difference.path) == ("server", "$.sum")
    assert (difference.expected, difference.got) == ("42", "43")


def test_the_recorded_server_is_served_and_checks_what_the_client_sends(
    wirespool: Wirespool, recorded: Path
) -> None:
    process, address = wirespool.serving("serve", recorded, "--strict")
    assert ask(address) == ANSWERS
    assert "verified" in process.finish().done().stderr
    with pytest.raises(module.Mismatch) as raised, module.serve(recorded, patience=2) as serving:
        with dial(serving.address) as connection:
            connection.sendall(framed({"do": "add", "numbers": (1, 3)}))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert raised.value.receipt is not None
    difference = raised.value.receipt.differences[0]
    assert (difference.side, difference.path) == ("client", '$.numbers["$tuple"][1]')


def test_a_diff_reads_each_side_as_its_own(wirespool: Wirespool, recorded: Path, tmp_path: Path) -> None:
    wirespool.run("diff", recorded, recorded, "--strict").done()
    other = tmp_path / "other.pcapng"
    with Calculator([ANSWERS[0], ANSWERS[1], ANSWERS[2].replace("да", "нет")]) as server:
        with module.record(other, server.address, client_format=CLIENT, server_format=SERVER) as recording:
            ask(recording.address)
    result = wirespool.run("diff", recorded, other, "--ignore", "$.took").done(1)
    (line,) = result.lines
    assert "connection 0, server, message 5" in line
    assert "at $.pong" in line


def test_an_audit_reads_the_pickles_of_the_one_side_only(
    wirespool: Wirespool, recorded: Path, tmp_path: Path
) -> None:
    result = wirespool.run("audit", recorded).done(1)
    assert "not read as pickle: connection 0, server, 79 bytes (text/line)" in result.lines
    result = wirespool.run("audit", recorded, "--side", "client").done()
    assert result.lines[-1] == "3 pickles: 3 plain data only"
    evil = tmp_path / "evil.pcapng"

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"cos\nsystem\n(S'not asked'\ntR.\n")

    with Serving(answer) as server:
        with module.record(evil, server.address, client_format=CLIENT, server_format=SERVER) as recording:
            with dial(recording.address) as connection:
                connection.sendall(framed({"do": "ping"}))
                assert connection.recv(4096)
    # What the server sends is text, whatever it looks like.
    assert "os.system" not in wirespool.run("audit", evil).done(1).text
    assert "os.system" in wirespool.run("audit", evil, "--server-format", "pickle").done(1).text


def test_a_listener_and_a_peer_speak_two_formats() -> None:
    with Serving(lambda connection: echo_a_line(connection)) as server:
        with module.connect(server.address, client_format=CLIENT, server_format=SERVER) as peer:
            peer.send(REQUESTS[0])
            answer = peer.receive(timeout=10)
            assert (answer.value, answer.format) == ("thanks", SERVER)
    with module.listen(client_format=CLIENT, server_format="raw") as listener:
        with dial(listener.address) as connection:
            connection.sendall(framed(REQUESTS[1]))
        message = next(listener)
        assert (message.value, message.format) == (REQUESTS[1], CLIENT)


def echo_a_line(connection: socket.socket) -> None:
    """Read a request, and say thanks."""
    (size,) = struct.unpack(">I", read_exactly(connection, 4))
    assert pickle.loads(read_exactly(connection, size)) == REQUESTS[0]
    connection.sendall(b"thanks\n")


@pytest.mark.parametrize(
    "label",
    [
        "client=",
        "client=pickle",
        "client=pickled server=",
        "client=pickled server=text server=raw",
        "client=client=pickle server=text",
        "server=text client=pickle",
        "client=protobuf:nobody.Has server=text",
        "protobuf:nobody.Has",
        "client=pickled server=" + "x" * 4000,
        "x" * 4096,
        "client=" * 500 + " server=" * 20,
        "text/line\u202e",
        "{}%s%n",
    ],
)
def test_a_label_that_nobody_understands_is_none(wirespool: Wirespool, capture: Path, label: str) -> None:
    """Somebody else's capture: what it says of itself is looked at, but not believed."""
    with module.listen(format="text/line", output=capture) as listener:
        with dial(listener.address) as connection:
            connection.sendall(b"one\ntwo\n")
        next(listener)
    rewritten = relabelled(capture.read_bytes(), label)
    capture.write_bytes(rewritten)
    assert module.open(capture).origin.format == label
    assert wirespool.show(capture).values == ["one", "two"]
    assert [message.value for message in module.open(capture)] == ["one", "two"]
    wirespool.run("info", capture).done()
    wirespool.run("diff", capture, capture).done()
    assert wirespool.show(capture, "-f", "text/line").values == ["one", "two"]


def relabelled(data: bytes, label: str) -> bytes:
    """A capture of ours that says another format: the section header's comment, option 1, is replaced."""
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    (length,) = struct.unpack_from(order + "I", data, 4)
    options, at, end = b"", 24, length - 4
    while at < end:
        code, size = struct.unpack_from(order + "HH", data, at)
        value = data[at + 4 : at + 4 + size]
        at += 4 + (size + 3) // 4 * 4
        if code == 1 and b"wirespool-format: " in value:
            head = value.split(b"wirespool-format: ")[0]
            value = head + b"wirespool-format: " + label.encode()
        options += struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)
    size = 24 + len(options) + 4
    head = data[:4] + struct.pack(order + "I", size) + data[8:24]
    return head + options + struct.pack(order + "I", size) + data[length:]
