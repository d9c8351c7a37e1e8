"""However a recording ends, what was recorded can be read."""

import base64
import pickle
import signal
from pathlib import Path

import pytest
from conftest import Wirespool
from recording import proxy
from running import until
from sockets import Echoing, dial, exchange, read_all


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_finishes_the_file(wirespool: Wirespool, capture: Path, number: signal.Signals) -> None:
    sent = [f"сообщение {i}" for i in range(5)]
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, capture)
        # The connection is still open when the signal comes.
        with dial(address) as client:
            for text in sent:
                exchange(client, text.encode())
            result = process.signal(number).finish().done()
            assert result.stderr.count("\n") >= 2, f"no summary\n{result}"
    shown = wirespool.show(capture, "-f", "text", "--side", "client")
    assert shown.values == sent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_listen(wirespool: Wirespool, capture: Path, number: signal.Signals) -> None:
    process, address = wirespool.serving("listen", "0", "-f", "text", "--json", "-o", capture)
    with dial(address) as client:
        client.sendall("привет".encode())
        process.wait_for('"value"')
        assert process.signal(number).finish().done().values == ["привет"]
    assert wirespool.show(capture, "-f", "text").values == ["привет"]


def test_a_message_that_has_begun_is_shown_at_the_end(wirespool: Wirespool) -> None:
    """What an open connection had begun was forgotten at Ctrl-C."""
    process, address = wirespool.serving("listen", "0", "-f", "pickle", "--json")
    data = pickle.dumps({"1": 25, "2": 60})
    with dial(address) as client:
        client.sendall(data + data[:-1])
        process.wait_for('"value"')
        whole, begun = process.signal(signal.SIGINT).finish().done().json
    assert whole["value"] == {"1": 25, "2": 60}
    assert begun["error"]["kind"] == "truncated"
    assert base64.b64decode(begun["raw"]) == data[:-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_before_anything_came(wirespool: Wirespool, capture: Path, number: signal.Signals) -> None:
    with Echoing() as server:
        process, _ = proxy(wirespool, server.address, capture)
        process.signal(number).finish().done()
    assert wirespool.show(capture).json == []


def test_a_killed_recording_reads_up_to_its_last_flush(wirespool: Wirespool, capture: Path) -> None:
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, capture)
        with dial(address) as client:
            sent, seen = 0, 0

            def flushed() -> bool:
                """Traffic flows while the file is looked at, as a user would."""
                nonlocal sent, seen
                exchange(client, f"{sent:08d};".encode())
                sent += 1
                if sent % 100 == 0:
                    reading = wirespool.run("show", capture, "-f", "text", "--json", "--side", "client")
                    seen = len([record for record in reading.json if "value" in record])
                return seen >= 300

            until(flushed, "300 messages to be flushed to the file")
            process.signal(signal.SIGKILL)
            assert read_all(client) == b"", "the killed proxy still answered"
            assert process.finish().status == -signal.SIGKILL
    shown = "".join(wirespool.show(capture, "-f", "text", "--side", "client").values)
    expected = "".join(f"{i:08d};" for i in range(sent))
    assert expected.startswith(shown), "it reads as what was not sent"
    assert len(shown) >= seen * 9, "less than could be read before the kill"


def test_a_quiet_recording_reaches_the_disk(wirespool: Wirespool, capture: Path) -> None:
    """Nothing more comes that would push a few messages out of a buffer: a timer must."""
    sent = ["раз", "два", "три"]
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, capture)
        with dial(address) as client:
            for text in sent:
                exchange(client, text.encode())

            def written() -> bool:
                shown = wirespool.run("show", capture, "-f", "text", "--json", "--side", "client")
                return shown.values == sent

            until(written, "three messages to be flushed while nothing else happens", patience=5)
            process.signal(signal.SIGKILL).finish()
    assert wirespool.show(capture, "-f", "text", "--side", "client").values == sent


def test_a_capture_cut_off_anywhere_gives_what_is_whole(wirespool: Wirespool, capture: Path) -> None:
    sent = [f"сообщение {i}" for i in range(5)]
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1")
        with dial(address) as client:
            for text in sent:
                exchange(client, text.encode())
        process.finish().done()
    whole = capture.read_bytes()
    for length in range(len(whole) * 2 // 3, len(whole), 13):
        capture.write_bytes(whole[:length])
        shown = wirespool.run("show", capture, "-f", "text", "--json", "--side", "client")
        assert shown.values == sent[: len(shown.values)], length
        assert "panicked" not in shown.stderr
