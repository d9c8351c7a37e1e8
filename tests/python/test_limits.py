"""What a message may take is an option, of each command and call that reads messages."""

import pickle
import socket
from pathlib import Path
from typing import Any

import pytest
import wirespool
from conftest import Wirespool
from sockets import Echoing, Serving, dial, exchange, read_all

# A limit, a pickle, and of that limit what is too little for it and what is enough.
CASES = {
    "bytes": (pickle.dumps("x" * 1000), "1000", "1KiB"),
    "nodes": (pickle.dumps(list(range(60, 160))), "100", "101"),
    "memo": (pickle.dumps([str(i) for i in range(20)], 2), "20", "21"),
    "line": (pickle.dumps("x" * 1000, 0), "999", "1k"),
    "digits": (b"I" + b"7" * 5000 + b"\n.", "4999", "5k"),
    "depth": (b"]" * 600 + b"a" * 599 + b".", "599", "600"),
    "key-depth": (b"})" + b"\x85" * 99 + b"K\x01s.", "99", "100"),
    "key-nodes": (b"}K\x01" + b"2\x86" * 14 + b"K\x01s.", "32766", "32767"),
}
ANSWER = {"time": 1, "list": list(range(100))}
LATER = {**ANSWER, "time": 2}
SMALL = {"nodes": 50}


def recorded(capture: Path, answer: Any) -> Path:
    """A session in which the client asks with what the server answers."""
    with (
        Echoing() as server,
        wirespool.record(capture, to=server.address, format="pickle") as recording,
        dial(recording.address) as client,
    ):
        exchange(client, pickle.dumps(answer))
    return capture


@pytest.mark.parametrize("name", CASES)
def test_each_limit_can_be_moved_and_says_how(wirespool: Wirespool, name: str) -> None:
    data, too_little, enough = CASES[name]
    refused = wirespool.run("decode", "-f", "pickle", "--json", "--limit", f"{name}={too_little}", stdin=data)
    (error,) = (record["error"] for record in refused.done(1).json if "error" in record)
    assert error["kind"] == "limit"
    assert error["message"].endswith(f"; limit {name}=N allows more")
    taken = wirespool.run("decode", "-f", "pickle", "--json", "--limit", f"{name}={enough}", stdin=data)
    assert len(taken.done().values) == 1


@pytest.mark.parametrize("name", CASES)
def test_each_limit_is_a_keyword_of_the_module_too(name: str) -> None:
    data, too_little, enough = CASES[name]
    units = {"1KiB": 1024, "1k": 1000, "5k": 5000}
    name = name.replace("-", "_")
    for value, kind in ((int(too_little), "limit"), (units.get(enough) or int(enough), None)):
        with wirespool.listen(format="pickle", limits={name: value}) as server:
            with dial(server.address) as client:
                client.sendall(data)
            message = next(server)
        assert (message.error.kind if message.error else None) == kind


def test_each_command_that_reads_messages_has_limits(wirespool: Wirespool, capture: Path) -> None:
    recorded(capture, ANSWER)
    few = ("-f", "pickle", "--limit", "nodes=50")
    shown = wirespool.run("show", capture, "--json", "--limit", "nodes=50").done()
    assert [record["error"]["kind"] for record in shown.json] == ["limit", "limit"]
    counted = wirespool.run("info", capture, "--json", *few).done()
    (connection,) = counted.json[0]["connections"]
    assert [side["undecodable"] for side in connection["sides"].values()] == [1, 1]
    with Echoing() as server:
        recording = ("record", "--to", server.address, "-o", capture, "--force")
        for listening in (("listen", "0"), recording):
            process, address = wirespool.serving(*listening, *few, "--json", "--connections", "1")
            with dial(address) as client:
                client.sendall(pickle.dumps(ANSWER))
            assert process.finish().json[0]["error"]["kind"] == "limit"
    with answering() as server:
        heard = wirespool.run("send", server.address, "1", *few, "--json").done()
    assert [("error" in record, record["side"]) for record in heard.json][-1] == (True, "server")


def test_what_is_compared_is_read_within_limits(wirespool: Wirespool, tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a.pcapng", ANSWER), recorded(tmp_path / "b.pcapng", LATER)
    wirespool.run("diff", first, second, "--ignore", "time").done()
    wirespool.run("diff", first, second, "--ignore", "time", "--limit", "nodes=50").done(1)
    for limits, status in (((), 0), (("--limit", "nodes=50"), 1)):
        with answering() as server:
            wirespool.run("replay", first, "--to", server.address, "--ignore", "time", *limits).done(status)
        process, address = wirespool.serving("serve", first, "--ignore", "time", *limits)
        ask(address)
        process.finish().done(status)


def test_what_the_module_compares_is_read_within_limits(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a.pcapng", ANSWER), recorded(tmp_path / "b.pcapng", LATER)
    for limits, ok in ((None, True), (SMALL, False)):
        assert wirespool.diff(first, second, ignore="time", limits=limits).ok == ok
        with answering() as server:
            assert wirespool.replay(first, server.address, ignore="time", limits=limits).ok == ok
        serving = wirespool.serve(first, ignore="time", limits=limits)
        ask(serving.address)
        serving.stop()
        assert serving.receipt is not None
        assert serving.receipt.ok == ok


def answering() -> Serving:
    """A server that answers one pickle, later than the recorded one did."""

    def answer(connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            pickle.load(stream)
        connection.sendall(pickle.dumps(LATER))
        read_all(connection)

    return Serving(answer)


def ask(address: tuple[str, int]) -> None:
    """Be a client that asks later than the recorded one."""
    with dial(address) as client:
        client.sendall(pickle.dumps(LATER))
        client.shutdown(1)
        read_all(client)


def test_a_capture_and_a_peer_are_read_within_limits(capture: Path) -> None:
    recorded(capture, ANSWER)
    for limits, kind in ((None, None), (SMALL, "limit")):
        for message in wirespool.open(capture, limits=limits):
            assert (message.error.kind if message.error else None) == kind
    with (
        Serving(lambda connection: connection.sendall(pickle.dumps(ANSWER))) as server,
        wirespool.connect(server.address, format="pickle", limits=SMALL) as peer,
    ):
        answer = peer.receive(timeout=10)
    assert answer.error is not None
    assert answer.error.kind == "limit"


def test_a_limit_that_there_is_not_is_bad_usage(wirespool: Wirespool, capture: Path) -> None:
    for words in (
        ("decode", "-f", "pickle"),
        ("listen", "0", "-f", "pickle"),
        ("send", "1", "1", "-f", "pickle"),
        ("show", capture),
        ("info", capture),
        ("record", "--to", "1", "-o", capture),
        ("replay", capture, "--to", "1"),
        ("serve", capture),
        ("diff", capture, capture),
    ):
        refused = wirespool.run(*words, "--limit", "deptj=1").done(2)
        assert 'no limit is called "deptj"; there are bytes, nodes,' in refused.stderr
    assert "a number is missing" in wirespool.run("show", capture, "--limit", "depth=").done(2).stderr


def test_a_limit_that_there_is_not_is_a_usage_error(capture: Path) -> None:
    recorded(capture, ANSWER)
    with pytest.raises(wirespool.UsageError, match="there are bytes, nodes"):
        wirespool.open(capture, limits={"deptj": 1})
    with pytest.raises(TypeError, match=r"limits are a mapping, as {\"depth\": 1000}, not list"):
        wirespool.open(capture, limits=["depth"])  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        wirespool.open(capture, limits={"depth": "deep"})  # type: ignore[dict-item]


def test_a_message_of_any_framing_may_be_longer_if_it_is_allowed(wirespool: Wirespool) -> None:
    size = 65 << 20
    data = size.to_bytes(4) + b"x" * size
    refused = wirespool.run("decode", "-f", "raw/u32be", stdin=data).done(1)
    assert "limit bytes=N allows more" in refused.text
    taken = wirespool.run("decode", "-f", "raw/u32be", "--limit", "bytes=65MiB", stdin=data).done()
    assert str(size + 4) in taken.text


def test_a_proxy_passes_on_what_it_has_no_room_to_read(wirespool: Wirespool, capture: Path) -> None:
    data = pickle.dumps(b"x" * 300_000)
    with Echoing() as server:
        recording = ("record", "--to", server.address, "-o", capture, "-f", "pickle", "--json")
        process, address = wirespool.serving(*recording, "--limit", "process=1KiB", "--connections", "1")
        with dial(address) as client:
            exchange(client, data)
        said = process.finish().done().json
    assert "limit process=N allows more" in said[0]["error"]["message"]
    assert sum(record["size"] for record in said) == 2 * len(data)
    shown = wirespool.run("show", capture, "--json").done()
    assert [record["size"] for record in shown.json] == [len(data), len(data)]
    assert all("value" in record for record in shown.json)
