"""`record … -- COMMAND`: the client is run by the recorder, and the recording ends when it does."""

import os
import pty
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Wirespool
from programs import CHILD
from running import PATIENCE, Process, until
from sockets import Answering, Echoing


def recording(
    wirespool: Wirespool, server: Echoing, capture: Path, *words: str, options: list[str]
) -> Process:
    """Start to record a client that runs beside."""
    return wirespool.start("record", "--to", server.address, "-o", capture, *options, "--", *CHILD, *words)


def sent(wirespool: Wirespool, capture: Path) -> str:
    """All that the recorded clients sent."""
    return "".join(wirespool.show(capture, "-f", "text", "--side", "client").values)


@pytest.mark.parametrize("by", ["environment", "word", "part of a word"])
def test_the_command_is_told_the_address_and_recorded(wirespool: Wirespool, capture: Path, by: str) -> None:
    told = {"environment": [], "word": ["--address", "{addr}"], "part of a word": ["--address={addr}"]}
    with Echoing() as server:
        result = recording(wirespool, server, capture, "раз", "два", *told[by], options=[]).finish().done()
    assert result.lines == ["Received: раз", "Received: два"], "its output is passed on"
    assert result.stderr.startswith("listening on 127.0.0.1:")
    assert sent(wirespool, capture) == "раздва"


def test_the_command_reads_our_stdin(wirespool: Wirespool, capture: Path) -> None:
    with Echoing() as server:
        process = wirespool.start(
            "record", "--to", server.address, "-o", capture, "--", "cat", "-", stdin=b"from here"
        )
        assert process.finish().done().stdout == b"from here"


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "localhost:0"])
def test_the_address_can_be_dialled_wherever_we_listen(
    wirespool: Wirespool, capture: Path, listen: str
) -> None:
    with Echoing() as server:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            if listen.startswith("["):
                pytest.skip("this machine has no IPv6")
        process = recording(wirespool, server, capture, "да", options=["--listen", listen])
        process.finish().done()
    assert sent(wirespool, capture) == "да"


@pytest.mark.parametrize(
    ("words", "status"),
    [(["--status", "0"], 0), (["--status", "5"], 5), (["--status", "255"], 255), (["--signal", "9"], 137)],
)
def test_the_commands_exit_status_is_ours(
    wirespool: Wirespool, capture: Path, words: list[str], status: int
) -> None:
    with Echoing() as server:
        recording(wirespool, server, capture, "да", *words, options=[]).finish().done(status)
    assert sent(wirespool, capture) == "да", "the capture is complete all the same"


def test_what_was_on_its_way_when_the_command_ended_is_recorded(wirespool: Wirespool, capture: Path) -> None:
    text = "последние слова " * 3000
    with Answering(lambda heard: b"") as server:
        process = wirespool.start(
            "record", "--to", server.address, "-o", capture, "--", *CHILD, text, "--unanswered"
        )
        process.finish().done()
    assert sent(wirespool, capture) == text


def test_a_command_that_never_connects_leaves_an_empty_recording(wirespool: Wirespool, capture: Path) -> None:
    with Echoing() as server:
        process = wirespool.start("record", "--to", server.address, "-o", capture, "--", "true")
        result = process.finish().done()
    assert "connections 0" in result.stderr
    assert wirespool.show(capture).json == []


@pytest.mark.parametrize("kind", ["nowhere in PATH", "no such file", "not executable", "a folder", "empty"])
def test_a_command_that_cannot_be_run_is_named_and_leaves_nothing(
    wirespool: Wirespool, capture: Path, tmp_path: Path, kind: str
) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text("no program")
    name = {
        "nowhere in PATH": "no-such-program-anywhere",
        "no such file": str(tmp_path / "missing"),
        "not executable": str(plain),
        "a folder": str(tmp_path),
        "empty": "",
    }[kind]
    with Echoing() as server:
        process = wirespool.start("record", "--to", server.address, "-o", capture, "--", name)
        result = process.finish().done(2)
    assert f"COMMAND: cannot run {name}" in result.stderr
    assert not capture.exists()


def test_a_command_that_the_system_refuses_leaves_no_capture(
    wirespool: Wirespool, capture: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    with Echoing() as server:
        process = wirespool.start("record", "--to", server.address, "-o", capture, "--", script)
        result = process.finish().done(2)
    assert f"COMMAND: cannot run {script}" in result.stderr
    assert not capture.exists()


def test_a_command_is_not_started_when_the_capture_cannot_be_made(
    wirespool: Wirespool, capture: Path, tmp_path: Path
) -> None:
    capture.write_bytes(b"mine")
    mark = tmp_path / "mark"
    with Echoing() as server:
        process = wirespool.start("record", "--to", server.address, "-o", capture, "--", "touch", mark)
        process.finish().done(2)
    assert capture.read_bytes() == b"mine"
    assert not mark.exists()


def test_a_command_is_waited_for_when_all_connections_have_closed(
    wirespool: Wirespool, capture: Path, tmp_path: Path
) -> None:
    # The second client is refused, as only one was to be taken.
    script = f"{CHILD[0]} {CHILD[2]} раз; while {CHILD[0]} {CHILD[2]} два 2>/dev/null; do :; done; exit 4"
    with Echoing() as server:
        words = ["record", "--to", server.address, "-o", str(capture), "--connections", "1"]
        result = wirespool.start(*words, "--", "sh", "-c", script).finish().done(4)
    assert "connections 1," in result.stderr
    assert sent(wirespool, capture) == "раз"


def test_sigterm_is_passed_on_and_the_farewell_recorded(wirespool: Wirespool, capture: Path) -> None:
    with Echoing() as server:
        process = recording(wirespool, server, capture, "да", "--stay", "heed", options=[])
        process.wait_for("^Ready$")
        result = process.signal(signal.SIGTERM).finish().done(7)
    assert "Heard SIGTERM" in result.text
    assert sent(wirespool, capture) == "даfarewell by SIGTERM"


def test_ctrl_c_at_a_terminal_reaches_the_command_once_and_we_wait(
    wirespool: Wirespool, capture: Path
) -> None:
    with Echoing() as server:
        words = ["record", "--to", server.address, "-o", str(capture), "--", *CHILD, "да", "--stay", "heed"]
        status, output = at_terminal([wirespool.program, *words], {"Ready": b"\x03"})
    assert status == 7, output
    assert output.count("Heard SIGINT") == 1, output
    assert sent(wirespool, capture) == "даfarewell by SIGINT"


def test_a_sigint_that_nobody_typed_is_passed_on(wirespool: Wirespool, capture: Path) -> None:
    with Echoing() as server:
        # A session of its own has no terminal; its first process is the one that setsid starts.
        words = [
            "setsid",
            "--fork",
            "--wait",
            wirespool.program,
            "record",
            "--to",
            server.address,
            "-o",
            str(capture),
            "--",
        ]
        process = Process([*words, *CHILD, "--stay", "heed"])
        try:
            process.wait_for("^Ready$")
            pid = only_child(process.pid)
            os.kill(pid, signal.SIGINT)
            result = process.finish().done(7)
        finally:
            process.kill()
    assert result.text.count("Heard SIGINT") == 1


def test_a_second_ctrl_c_does_not_wait(wirespool: Wirespool, capture: Path) -> None:
    with Echoing() as server:
        words = ["record", "--to", server.address, "-o", str(capture), "--"]
        stubborn = "trap 'echo Heard' INT; echo Ready; while :; do sleep 0.1; done"
        status, output = at_terminal(
            [wirespool.program, *words, "sh", "-c", stubborn],
            {"Ready": b"\x03", "waiting for sh to end": b"\x03"},
        )
    assert status == 130, output


@pytest.mark.parametrize("command", ["record", "serve"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_second_signal_kills_a_command_that_heeds_none(
    wirespool: Wirespool, capture: Path, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    with Echoing() as server:
        recording(wirespool, server, capture, "да", options=[]).finish().done()
    words = {"record": ["--to", "9", "-o", str(tmp_path / "x.pcap")], "serve": [str(capture)]}[command]
    stubborn = "trap '' INT TERM; echo Ready; exec sleep 1000"
    process = wirespool.start(command, *words, "--", "sh", "-c", stubborn)
    process.wait_for("^Ready$")
    process.signal(number).wait_for("^waiting for sh to end", "stderr")
    # It is over only when nobody holds the output any more: neither of them.
    process.signal(signal.SIGTERM).finish().done(130)


@pytest.mark.parametrize(("stay", "status"), [("heed", 7), ("refuse", 137)])
def test_after_the_duration_the_command_is_ended(
    wirespool: Wirespool, capture: Path, stay: str, status: int
) -> None:
    with Echoing() as server:
        process = recording(wirespool, server, capture, "да", "--stay", stay, options=["--duration", "2s"])
        result = process.finish().done(status)
    assert "Heard SIGTERM" in result.text
    assert sent(wirespool, capture).startswith("да")


def test_a_recording_that_fails_ends_the_command(wirespool: Wirespool, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    capture = tmp_path / "full.pcapng"
    capture.symlink_to(full)
    with Echoing() as server:
        words = [
            "record",
            "--to",
            server.address,
            "-o",
            str(capture),
            "--force",
            "--",
            *CHILD,
            "да",
            "--stay",
        ]
        result = wirespool.start(*words, "refuse").finish().done(3)
    assert "cannot write" in result.stderr


def only_child(pid: int) -> int:
    """The process that a process has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    until(children.read_text, "its child to appear")
    (child,) = children.read_text().split()
    return int(child)


def at_terminal(words: list[str], typed: dict[str, bytes]) -> tuple[int, str]:
    """Run a program at a terminal of its own, and type what is to be typed once something is printed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *words], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    output = ""
    left = list(typed.items())
    try:
        while True:
            assert select.select([ours], [], [], PATIENCE)[0], (
                f"nothing more came for {PATIENCE:g} s\n{output}"
            )
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux: the last who had it open has closed it
                break
            output += part.decode(errors="replace")
            if left and left[0][0] in output:
                os.write(ours, left.pop(0)[1])
        return process.wait(PATIENCE), output
    finally:
        process.kill()
        os.close(ours)


TAKE_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal at stdin the process's own, then becomes the program."""
