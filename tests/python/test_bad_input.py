"""What cannot be done is said in a line, with the thing and the flag, and by the exit status."""

import socket
from pathlib import Path

import packets
import pytest
import wirespool as module
from conftest import Wirespool
from programs import HOST, Peers
from recording import proxy, record_session
from running import Result

USAGE, FAILURE = 2, 3


def assert_says(result: Result, status: int, *parts: str) -> None:
    """One line of words has all `parts`; clap may add a hint below it. Nothing else came out."""
    result.done(status)
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert lines, f"said nothing\n{result}"
    for part in parts:
        assert part in lines[0], f"{part!r} is not in the first line\n{result}"
    assert len(lines) == 1 or status == USAGE, f"more than a line\n{result}"
    for sign in ("panicked", "RUST_BACKTRACE", "Traceback", "Os {", 'Error("'):
        assert sign not in result.stderr, f"not for people: {sign}\n{result}"
    assert result.stdout == b"", str(result)


@pytest.mark.parametrize(
    "words",
    [
        ["listen", "{address}", "-f", "text"],
        ["record", "--to", "127.0.0.1:9", "--listen", "{address}", "-o", "{capture}"],
    ],
    ids=["listen", "record"],
)
def test_a_port_in_use(wirespool: Wirespool, words: list[str], capture: Path) -> None:
    with socket.create_server((HOST, 0)) as holder:
        address = f"{HOST}:{holder.getsockname()[1]}"
        words = [word.format(address=address, capture=capture) for word in words]
        assert_says(wirespool.run(*words), FAILURE, address)
    assert not capture.exists(), "a recording that never began left a file"


def test_serve_at_a_port_in_use(wirespool: Wirespool, own: Peers, capture: Path) -> None:
    record_session(wirespool, own, "text", capture)
    with socket.create_server((HOST, 0)) as holder:
        address = f"{HOST}:{holder.getsockname()[1]}"
        assert_says(wirespool.run("serve", capture, "--listen", address), FAILURE, address)


def test_a_file_that_is_there_is_kept(wirespool: Wirespool, capture: Path) -> None:
    capture.write_bytes(b"precious")
    result = wirespool.run("record", "--to", "127.0.0.1:9", "-o", capture)
    assert_says(result, USAGE, str(capture), "--force")
    result = wirespool.run("listen", "0", "-f", "text", "-o", capture)
    assert_says(result, USAGE, str(capture), "--force")
    assert capture.read_bytes() == b"precious"


def test_force_overwrites(wirespool: Wirespool, own: Peers, capture: Path) -> None:
    capture.write_bytes(b"worthless")
    server = own.server("text")
    process, address = proxy(wirespool, server.address, capture, "--force", "--connections", "1")
    own.client("text", address).finish().done()
    process.finish().done()
    assert wirespool.show(capture, "-f", "text").values == own.json_values("text")


def test_a_folder_that_is_not_there(wirespool: Wirespool, tmp_path: Path) -> None:
    capture = tmp_path / "no" / "such" / "session.pcapng"
    assert_says(wirespool.run("record", "--to", "127.0.0.1:9", "-o", capture), FAILURE, str(capture))


def test_a_folder_that_is_a_file(wirespool: Wirespool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    capture = tmp_path / "file" / "session.pcapng"
    assert_says(wirespool.run("listen", "0", "-f", "text", "-o", capture), FAILURE, str(capture))


@pytest.mark.parametrize(
    "words", [["show"], ["info"], ["replay", "--to", "127.0.0.1:9"], ["serve"]], ids=lambda words: words[0]
)
class TestCaptures:
    """Every command that reads one."""

    def test_a_missing_capture(self, wirespool: Wirespool, words: list[str], capture: Path) -> None:
        assert_says(wirespool.run(words[0], capture, *words[1:]), USAGE, str(capture))

    @pytest.mark.parametrize(
        "content", [b"", b"\x0a\x0d", b"#!/bin/sh\necho no capture\n", bytes(4096)], ids=range(4)
    )
    def test_a_file_that_is_no_capture(
        self, wirespool: Wirespool, words: list[str], content: bytes, capture: Path
    ) -> None:
        capture.write_bytes(content)
        assert_says(wirespool.run(words[0], capture, *words[1:]), USAGE, str(capture))


@pytest.mark.parametrize("given", ["nonsense", "127.0.0.1:70000", "127.0.0.1:", ":::1", "host:port"])
def test_an_address_that_is_none(wirespool: Wirespool, given: str, capture: Path) -> None:
    assert_says(wirespool.run("listen", given, "-f", "text"), USAGE, given)
    assert_says(wirespool.run("record", "--to", given, "-o", capture), USAGE, given, "--to")
    assert_says(wirespool.run("send", given, "-f", "text", "x"), USAGE, given)
    assert not capture.exists()


@pytest.mark.parametrize("given", ["0", "localhost:0", "[::1]:0"])
def test_a_port_that_nobody_can_listen_at_is_not_dialled(
    wirespool: Wirespool, given: str, capture: Path
) -> None:
    assert_says(wirespool.run("record", "--to", given, "-o", capture), USAGE, "port 0", "--to")
    assert_says(wirespool.run("replay", capture, "--to", given, "-o", capture), USAGE, "port 0", "--to")
    assert_says(wirespool.run("send", given, "-f", "text", "x"), USAGE, "port 0")
    assert_says(wirespool.run("serve", capture, "--on-miss", f"pass:{given}"), USAGE, "port 0", "--on-miss")
    with pytest.raises(module.UsageError, match="port 0"):
        module.record(capture, given)
    with pytest.raises(module.UsageError, match="port 0"):
        module.replay(capture, given)
    with pytest.raises(module.UsageError, match="port 0"):
        module.connect(given, format="text")
    assert not capture.exists()


@pytest.mark.parametrize("given", ["xml", "text/nonsense", "pickle:Class", "protobuf:no.Such", ""])
def test_an_unknown_format(wirespool: Wirespool, given: str) -> None:
    assert_says(wirespool.run("listen", "0", "-f", given), USAGE, given, "-f")
    assert_says(wirespool.run("decode", "-f", given), USAGE, given, "-f")


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("pickle", "{not json"),
        ("protobuf:pb.TempEvent", '{"no_such_field": 1}'),
        ("protobuf:pb.TempEvent", '{"device_id": "many"}'),
        ("raw", "not base64!"),
    ],
)
def test_a_value_that_is_none(wirespool: Wirespool, form: str, value: str) -> None:
    """It is found before anything is dialled: the port would refuse, which is another status."""
    assert_says(wirespool.run("encode", "-f", form, value), USAGE)
    assert_says(wirespool.run("send", "127.0.0.1:9", "-f", form, value), USAGE)


def test_nobody_listens(wirespool: Wirespool) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        address = f"{HOST}:{holder.getsockname()[1]}"
        assert_says(wirespool.run("send", address, "-f", "text", "x"), FAILURE, address)


def test_an_unknown_ending_of_the_file(wirespool: Wirespool, tmp_path: Path) -> None:
    result = wirespool.run("record", "--to", "127.0.0.1:9", "-o", tmp_path / "session.txt")
    assert_says(result, USAGE, "session.txt")


def test_a_file_name_does_nothing_to_a_terminal(wirespool: Wirespool, tmp_path: Path) -> None:
    hostile = tmp_path / "a\x1b]0;title\x07\r\x1b[31mred\u202e.pcap"
    connection = packets.Connection(("10.0.0.1", 1000), ("10.0.0.2", 2000))
    whole = packets.write(hostile, connection.say("client", b"one", at=1)).read_bytes()
    printed = [wirespool.run("info", hostile).done()]
    hostile.write_bytes(whole[:-1])
    printed += [wirespool.run(command, hostile).done() for command in ("info", "show")]
    # The verdict has colours of its own.
    printed.append(wirespool.run("diff", hostile, hostile, "--strict").done(1))
    hostile.write_bytes(b"no capture")
    printed.append(wirespool.run("info", hostile).done(2))
    printed.append(wirespool.run("show", tmp_path / "\x1b[31m.pcap").done(2))
    for result in printed:
        said = result.text + result.stderr
        assert not set(said) & set("\x1b\x07\r\u202e"), said
        assert "\\u{1b}" in said
