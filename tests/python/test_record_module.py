"""`wirespool.record`, `listen` and `connect`: live traffic, and that nothing of it is lost."""

import errno
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import wirespool
from recording import refusing
from running import PATIENCE, Process
from sockets import Echoing, Serving, dial, exchange, read_all, reset


def test_what_was_sent_just_before_the_end_is_recorded(capture: Path) -> None:
    for i in range(20):
        received: Queue[bytes] = Queue()
        with Serving(partial(pass_on, received)) as server:
            with wirespool.record(capture, to=server.address, force=True) as recording:
                with dial(recording.address) as client:
                    client.sendall(b"last words" * (i * 1000 + 1))
        raw = b"".join(message.raw for message in wirespool.open(capture, format="raw"))
        assert raw == b"last words" * (i * 1000 + 1)
        assert received.get(timeout=PATIENCE) == raw


def pass_on(received: "Queue[bytes]", connection: socket.socket) -> None:
    """Take all that comes."""
    received.put(read_all(connection))


def test_what_was_sent_just_before_the_end_is_listened_to() -> None:
    for i in range(20):
        with wirespool.listen(format="pickle") as server:
            for connection in range(3):
                with dial(server.address) as client:
                    client.sendall(b"".join(wirespool.pickle.dumps((connection, j)) for j in range(i)))
        values = [message.value for message in server]
        assert sorted(values) == [(connection, j) for connection in range(3) for j in range(i)]
        assert list(server) == []


def test_a_message_cut_by_the_end_is_given_as_far_as_it_came() -> None:
    with wirespool.listen(format="pickle") as server, dial(server.address) as client:
        client.sendall(wirespool.pickle.dumps("whole") + wirespool.pickle.dumps("cut")[:-3])
        assert next(server).value == "whole"
        server.close()
        (cut,) = server
    assert cut.error is not None
    assert cut.error.kind == "truncated"
    assert cut.raw == wirespool.pickle.dumps("cut")[:-3]


def test_an_end_does_not_wait_for_connections_that_stay_open(capture: Path) -> None:
    with Echoing() as server, wirespool.record(capture, to=server.address) as recording:
        client = dial(recording.address)
        exchange(client, b"still open")
        recording.stop()
        recording.stop()
    client.close()
    kinds = [event.kind for event in wirespool.open(capture).events()]
    assert kinds == ["open", "data", "data", "cut"]


def test_a_server_that_cannot_be_reached_is_noted(capture: Path) -> None:
    holder, address = refusing()
    with holder, wirespool.record(capture, to=address) as recording:
        with pytest.raises(ConnectionResetError), dial(recording.address) as client:
            client.recv(1)
    (notice,) = recording.notices
    assert "refused" in notice
    assert [event.kind for event in wirespool.open(capture).events()] == ["open", "reset"]


def test_a_recording_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    full = tmp_path / "full.pcapng"
    full.symlink_to("/dev/full")
    with Echoing() as server, pytest.raises(OSError, match="No space") as raised:
        with (
            wirespool.record(full, to=server.address, force=True) as recording,
            dial(recording.address) as client,
        ):
            client.sendall(b"x" * 2_000_000)
            client.shutdown(socket.SHUT_WR)
            read_all(client)
    assert raised.value.errno == errno.ENOSPC


def test_force_overwrites(capture: Path) -> None:
    makers: list[Callable[[bool], None]] = [
        lambda force: wirespool.record(capture, to="127.0.0.1:9", force=force).stop(),
        lambda force: wirespool.listen(format="text", output=capture, force=force).close(),
    ]
    for make in makers:
        make(True)
        with pytest.raises(FileExistsError) as raised:
            make(False)
        assert raised.value.filename == str(capture)
        assert "force=True" in str(raised.value)


def test_a_capture_ends_in_pcapng_or_pcap(tmp_path: Path) -> None:
    with pytest.raises(wirespool.UsageError, match="pcapng"):
        wirespool.record(tmp_path / "session.txt", to="127.0.0.1:9")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ("localhost", wirespool.UsageError),
        ("::1:80", wirespool.UsageError),
        (("127.0.0.1", 65536), ValueError),
        (("127.0.0.1", -1), ValueError),
        (70000, ValueError),
        (("", 80), ValueError),
        (("127.0.0.1",), TypeError),
        (("127.0.0.1", "80"), TypeError),
        (1.5, TypeError),
        (None, TypeError),
    ],
)
def test_what_is_no_address_is_refused(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        wirespool.listen(wrong, format="text")


def test_addresses_are_given_as_they_come() -> None:
    with Echoing() as server:
        for address in (server.address, ("127.0.0.1", server.port), ("localhost", server.port), server.port):
            with wirespool.connect(address, format="text") as peer:
                assert peer.address == ("127.0.0.1", server.port)


def test_ipv6_goes_both_ways() -> None:
    with wirespool.listen(("::1", 0), format="text") as server:
        host, port = server.address
        assert host == "::1"
        for address in ((host, port), f"[::1]:{port}", (host, port, 0, 0)):
            with wirespool.connect(address, format="text") as peer:
                peer.send("да")
            assert next(server).value == "да"


def test_answers_are_received_until_the_server_closes() -> None:
    with Echoing() as server, wirespool.connect(server.address, format="text/line") as peer:
        for line in ("one", "two", "three"):
            peer.send(line)
        assert peer.receive(timeout=20).value == "one"
        peer.finish()
        peer.finish()
        assert [message.value for message in peer] == ["two", "three"]
        with pytest.raises(EOFError):
            peer.receive(timeout=20)


def test_a_reset_is_the_fitting_error() -> None:
    with Serving(reset_after_one) as server, wirespool.connect(server.address, format="text/line") as peer:
        peer.send("go")
        assert peer.receive(timeout=20).value == "last"
        with pytest.raises(ConnectionResetError):
            peer.receive(timeout=20)
        with pytest.raises(EOFError):
            peer.receive(timeout=20)


def reset_after_one(connection: socket.socket) -> None:
    """Answer, and once that has arrived, abort."""
    connection.recv(100)
    connection.sendall(b"last\n")
    threading.Event().wait(0.1)
    reset(connection)


def test_a_closed_peer_sends_nothing() -> None:
    with Echoing() as server:
        with wirespool.connect(server.address, format="text") as peer:
            pass
        peer.close()
        with pytest.raises(ValueError, match="closed"):
            peer.send("x")
        with pytest.raises(ValueError, match="closed"):
            peer.finish()


def test_a_value_the_format_cannot_carry_is_refused_and_the_next_one_sent() -> None:
    with Echoing() as server, wirespool.connect(server.address, format="text/line") as peer:
        for wrong in (b"bytes", 1, None, ["x"]):
            with pytest.raises(TypeError, match="str"):
                peer.send(wrong)
        with pytest.raises(wirespool.UsageError):
            peer.send("two\nlines")
        peer.send("one")
        assert peer.receive(timeout=20).value == "one"
    with Echoing() as server, wirespool.connect(server.address, format="raw") as peer:
        with pytest.raises(TypeError, match="bytes"):
            peer.send("text")
        for data in (b"b", bytearray(b"ba"), memoryview(b"mem")):
            peer.send(data)
            assert peer.receive(timeout=20).value == bytes(data)
    with Echoing() as server, wirespool.connect(server.address, format="auto") as peer:
        with pytest.raises(wirespool.FormatError, match="auto"):
            peer.send("text")


def test_both_ends_record_what_they_see(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs.pcapng", tmp_path / "ours.pcap"
    with wirespool.listen(format="pickle", output=theirs) as server:
        with wirespool.connect(server.address, format="pickle", output=ours) as peer:
            peer.send({"1": 25})
            assert next(server).value == {"1": 25}
    for capture in (theirs, ours):
        opened = wirespool.open(capture, format="pickle")
        assert [(message.side, message.value) for message in opened] == [("client", {"1": 25})]
        kinds = [(event.kind, event.side) for event in opened.events()]
        assert kinds == [("open", None), ("data", "client"), ("eof", "client"), ("eof", "server")]


def test_threads_may_share_a_peer_and_a_listener() -> None:
    with wirespool.listen(format="pickle") as server:
        with wirespool.connect(server.address, format="pickle") as peer:

            def send(i: int) -> None:
                for j in range(50):
                    peer.send((i, j, "x" * 5000))

            threads = [threading.Thread(target=send, args=(i,)) for i in range(4)]
            for thread in threads:
                thread.start()
            values = [next(server).value for _ in range(200)]
            for thread in threads:
                thread.join(PATIENCE)
    assert sorted(value[:2] for value in values) == [(i, j) for i in range(4) for j in range(50)]


def test_a_close_on_another_thread_ends_the_iteration() -> None:
    with wirespool.listen(format="text") as server:
        threading.Timer(0.1, server.close).start()
        assert list(server) == []


def test_messages_that_nobody_takes_make_their_sender_wait() -> None:
    total = 150_000_000
    with wirespool.listen(format="raw") as server, dial(server.address) as client:
        client.settimeout(2)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < total:
                sent += client.send(b"x" * 1_000_000)
        assert 60_000_000 < sent < total
        # Taken, they make room again.
        taken = 0
        while taken < sent:
            taken += next(server).size
        client.settimeout(PATIENCE)
        client.sendall(b"end")
        client.close()
        assert next(server).raw == b"end"


WAITS = {
    "receive": "with wirespool.connect(address, format='text') as peer: ready(); peer.receive()",
    "iterate a peer": "with wirespool.connect(address, format='text') as peer: ready(); list(peer)",
    "iterate a listener": "with wirespool.listen(format='text') as server: ready(); list(server)",
    "send": (
        "with wirespool.connect(address, format='raw') as peer:\n"
        "    ready()\n"
        "    while True: peer.send(b'x' * 10**7)"
    ),
}


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait(wait: str) -> None:
    program = (
        "import sys, wirespool\n"
        "address = sys.argv[1]\n"
        "def ready(): print('ready', flush=True)\n" + WAITS[wait]
    )
    ended = threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        ended.wait(PATIENCE)

    with Serving(say_nothing) as server:
        process = Process([sys.executable, "-c", program, server.address])
        process.wait_for("ready")
        threading.Event().wait(0.3)
        result = process.signal(signal.SIGINT).finish().done(-signal.SIGINT)
        ended.set()
    assert "KeyboardInterrupt" in result.stderr
