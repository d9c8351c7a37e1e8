"""The rows of the interop tests again, from Python: `import wirespool` in this process."""

import errno
import signal
import socket
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import wirespool
from programs import FORMATS, HOST, INTERVAL, Peers
from recording import SPACING, refusing
from running import Process
from sockets import Answering, Echoing, dial, exchange


def record_session(peers: Peers, codec: str, capture: Path) -> list[str]:
    """Record a client and its server; the lines that the server printed."""
    server = peers.server(codec)
    with wirespool.record(capture, to=server.address) as recording:
        peers.client(codec, recording.address, interval=SPACING).finish().done()
        return server.received()


def record_burst(peers: Peers, codec: str, capture: Path) -> str:
    """Record 2,000 messages with no pause; what the sink took."""
    sink = peers.own_server("sink_server.py")
    with wirespool.record(capture, to=sink.address) as recording:
        peers.burst(codec, recording.address).finish().done()
        (taken,) = sink.received()
    return taken


def read(codec: str, capture: Path) -> list[Any]:
    """All values in a capture."""
    messages = wirespool.open(capture, format=FORMATS[codec], guess_window=1.0)
    return [message.value for message in messages]


def assert_all_came(values: list[Any], peers: Peers, codec: str) -> None:
    """Compare with all that a burst sent."""
    expected = peers.burst_values(codec)
    if codec == "text":
        assert "".join(values) == "".join(expected)
        assert not [value for value in values if "\ufffd" in value]
        return
    assert len(values) == len(expected)
    pairs = enumerate(zip(values, expected, strict=True))
    assert [(i, got, want) for i, (got, want) in pairs if got != want][:1] == []


def test_listen_yields_what_a_client_sends(peers: Peers, codec: str) -> None:
    with wirespool.listen(format=FORMATS[codec]) as server:
        host, port = server.address
        assert host == HOST
        client = peers.client(codec, (host, port))
        received = list(islice(server, 3))
        client.finish().done()
    assert [message.value for message in received] == peers.values(codec)
    assert {message.side for message in received} == {"client"}
    assert all(message.error is None for message in received)
    assert b"".join(message.raw for message in received), "no raw bytes"


def test_connect_sends_to_a_server(peers: Peers, codec: str) -> None:
    server = peers.server(codec)
    with wirespool.connect(server.address, format=FORMATS[codec]) as peer:
        for i, value in enumerate(peers.values(codec), 1):
            peer.send(value)
            server.wait_for("^Received", count=i)
    assert server.received() == peers.printed(codec)


def test_connect_receives_the_answer(codec: str, own: Peers) -> None:
    """The echo runs on a thread of this process: `receive` must let it run."""
    value = own.values(codec)[0]
    with Echoing() as server, wirespool.connect((HOST, server.port), format=FORMATS[codec]) as peer:
        peer.send(value)
        answer = peer.receive(timeout=20)
        assert (answer.side, answer.value) == ("server", value)


def test_receive_gives_up_after_its_timeout() -> None:
    with Echoing() as server, wirespool.connect(server.address, format="text") as peer:
        with pytest.raises(TimeoutError):
            peer.receive(timeout=0.05)


def test_a_recorded_session_opens(peers: Peers, codec: str, capture: Path) -> None:
    assert record_session(peers, codec, capture) == peers.printed(codec)
    assert read(codec, capture) == peers.values(codec)
    opened = wirespool.open(str(capture), format=FORMATS[codec])
    assert list(opened.gaps) == []
    times = [message.time for message in opened]
    assert times == sorted(times)


def test_a_replay_makes_the_server_print_the_same(peers: Peers, codec: str, capture: Path) -> None:
    lines = record_session(peers, codec, capture)
    server = peers.server(codec)
    receipt = wirespool.replay(capture, to=(HOST, server.port), speed=SPACING / INTERVAL)
    assert server.received() == lines == peers.printed(codec)
    assert receipt.outcome == "delivered"
    assert receipt.ok
    receipt.check()


def test_a_replay_into_a_server_that_dies_has_failed(peers: Peers, codec: str, capture: Path) -> None:
    record_burst(peers, codec, capture)
    server = peers.own_server("dying_server.py")
    receipt = wirespool.replay(capture, to=server.address, speed="max")
    assert receipt.outcome == "failed"
    assert not receipt.ok
    with pytest.raises(wirespool.Mismatch):
        receipt.check()


def test_serve_is_content_with_a_client_that_sends_the_same(peers: Peers, codec: str, capture: Path) -> None:
    record_session(peers, codec, capture)
    with wirespool.serve(capture) as server:
        peers.client(codec, server.address).finish().done()


def test_serve_raises_when_the_client_is_cut_short(peers: Peers, codec: str, capture: Path) -> None:
    record_session(peers, codec, capture)
    with pytest.raises(wirespool.Mismatch), wirespool.serve(capture) as server:
        peers.client(codec, server.address, count=2).finish().done()


def test_an_error_inside_the_block_is_not_hidden_by_a_mismatch(own: Peers, capture: Path) -> None:
    record_session(own, "text", capture)
    with pytest.raises(ZeroDivisionError), wirespool.serve(capture):
        raise ZeroDivisionError


def test_a_burst_is_listened_to_whole(peers: Peers, codec: str) -> None:
    # The window is for a machine so busy that this process reads late what came in time.
    with wirespool.listen(format=FORMATS[codec], guess_window=1.0) as server:
        client = peers.burst(codec, server.address)
        if codec == "text":
            # Chunks: how many there are is known only by what they hold.
            values, length = [], len("".join(peers.burst_values("text")))
            for message in server:
                values.append(message.value)
                if len("".join(values)) >= length:
                    break
        else:
            values = [message.value for message in islice(server, 2000)]
        client.finish().done()
    assert_all_came(values, peers, codec)


def test_a_burst_is_recorded_whole(peers: Peers, codec: str, capture: Path) -> None:
    record_burst(peers, codec, capture)
    assert_all_came(read(codec, capture), peers, codec)


def test_an_undecodable_message_is_yielded_and_raises_at_its_value() -> None:
    with wirespool.listen(format="text") as server, dial(server.address) as client:
        client.sendall(b"\xff\xfe")
        message = next(iter(server))
        assert message.error is not None
        assert message.raw == b"\xff\xfe"
        with pytest.raises(wirespool.DecodeError):
            _ = message.value


def test_answers_are_recorded_on_their_side(capture: Path) -> None:
    with Answering(bytes.upper) as server, wirespool.record(capture, to=server.address) as recording:
        with dial(recording.address) as client:
            client.sendall(b"quiet")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(5) == b"QUIET"
            assert client.recv(1) == b""
    shown = [(message.side, message.value) for message in wirespool.open(capture, format="text")]
    assert shown == [("client", "quiet"), ("server", "QUIET")]


def test_ctrl_c_ends_a_wait() -> None:
    program = (
        "import wirespool\n"
        "with wirespool.listen(format='text') as server:\n"
        "    print(server.address, flush=True)\n"
        "    for message in server: print(message.value, flush=True)\n"
    )
    process = Process([sys.executable, "-c", program])
    try:
        process.wait_for("^\\(")
        result = process.signal(signal.SIGINT).finish().done(-signal.SIGINT)
        assert "KeyboardInterrupt" in result.stderr
    finally:
        process.kill()


def test_a_missing_capture_is_an_oserror_with_its_name(capture: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        list(wirespool.open(capture, format="text"))
    assert raised.value.errno == errno.ENOENT
    assert raised.value.filename == str(capture)


def test_a_port_in_use_is_an_oserror(capture: Path) -> None:
    with socket.create_server((HOST, 0)) as holder, pytest.raises(OSError) as raised:
        with wirespool.listen(holder.getsockname(), format="text"):
            pass
    assert raised.value.errno == errno.EADDRINUSE


def test_a_refused_connection_is_the_fitting_oserror() -> None:
    holder, address = refusing()
    with holder, pytest.raises(ConnectionRefusedError):
        with wirespool.connect(address, format="text"):
            pass


@pytest.mark.parametrize("given", ["xml", "protobuf:no.Such", ""])
def test_an_unknown_format_is_an_error(given: str) -> None:
    with pytest.raises(wirespool.Error):
        with wirespool.listen(format=given):
            pass


def test_a_file_that_is_no_capture_is_an_error(capture: Path) -> None:
    capture.write_bytes(b"#!/bin/sh\n")
    with pytest.raises(wirespool.Error, match=r"session\.pcapng"):
        list(wirespool.open(capture, format="text"))


def test_a_file_that_is_there_is_kept(capture: Path) -> None:
    capture.write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        with wirespool.record(capture, to="127.0.0.1:9"):
            pass
    assert capture.read_bytes() == b"precious"


def test_plain_pickles_go_both_ways() -> None:
    value = {"1": 25, "name": "датчик", "pair": (1, 0.5), "raw": b"\x00\xff", "none": None}
    assert wirespool.pickle.loads(wirespool.pickle.dumps(value)) == value


def test_temp_event_is_like_the_generated_class() -> None:
    event = wirespool.TempEvent(device_id=123, event_id=1, humidity=60.0, temp_cel=25.0)
    data = event.SerializeToString()
    assert data == bytes.fromhex("087b1001 1d00007042 250000c841")
    again = wirespool.TempEvent.FromString(data)
    assert (again.device_id, again.event_id, again.humidity, again.temp_cel) == (123, 1, 60.0, 25.0)
    assert again.video_data == b""


def test_a_session_of_one_process(capture: Path) -> None:
    """Client, proxy and server side by side, each on its own thread or with the GIL released."""
    with Echoing() as server, wirespool.record(capture, to=(HOST, server.port)) as recording:
        with dial(recording.address) as client:
            exchange(client, "привет".encode())
    values = [message.value for message in wirespool.open(capture, format="text")]
    assert values == ["привет", "привет"]
