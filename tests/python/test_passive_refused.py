"""Passive recording where something is in the way: each time it is said what mends it.

Made-up programs stand for those that are not there, that may not, or that fail in the middle.
"""

import grp
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from capturers import NAMES, Name, capturing, made_up, only, path_with
from conftest import Wirespool
from packets import Connection, write
from running import Process, Result, until

NOBODY = 65_534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may look into."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path


def refused(wirespool: Wirespool, env: dict[str, str], capture: Path, *words: str, status: int) -> str:
    """Record from lo in vain; what is said. No file is left behind."""
    words = words or ("-i", "lo")
    result = wirespool.start("record", *words, "-o", capture, env=env).finish().done(status)
    (line,) = result.stderr.splitlines()
    assert not capture.exists()
    return line


def as_nobody(program: str, folder: Path, path: Path) -> Result:
    """Record from lo as a user without any privilege, with this PATH."""
    mine = folder / "wirespool"
    shutil.copy(program, mine)
    words = [str(mine), "record", "-i", "lo", "-o", str(folder / "x.pcapng")]
    env = {"PATH": str(path), "USER": "nobody"}
    ended = subprocess.run(
        words,
        env=env,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        timeout=20,
        cwd=folder,
    )
    return Result(words, ended.returncode, ended.stdout, ended.stderr.decode())


def test_without_any_program_it_is_said_how_to_install_one(
    wirespool: Wirespool, tmp_path: Path, capture: Path
) -> None:
    said = refused(wirespool, only(tmp_path / "nothing", None), capture, status=3)
    assert said.startswith("wirespool: cannot capture on lo: there is neither dumpcap nor tcpdump; install ")
    if "ID=debian" in Path("/etc/os-release").read_text():
        assert re.search(r"by `(sudo )?apt install tshark`$", said)


@needs_root
@pytest.mark.parametrize("name", NAMES)
def test_without_a_privilege_the_command_that_gives_it_is_said(
    program: str, folder: Path, name: Name
) -> None:
    path_with(folder / "bin", name)
    found = shutil.which(name)
    assert found
    if "security.capability" in os.listxattr(found):
        pytest.skip(f"anybody may capture with {name} here")
    result = as_nobody(program, folder, folder / "bin").done(3)
    assert result.stderr == (
        f"wirespool: cannot capture on lo: {name} may not; run `sudo setcap cap_net_raw,cap_net_admin=eip "
        f"{os.path.realpath(found)}` once, or wirespool by sudo\n"
    )


@needs_root
def test_who_is_not_in_the_programs_group_is_told_to_join_it(program: str, folder: Path) -> None:
    made_up(folder / "bin", "dumpcap", "exit 1\n")
    group = next(one for one in grp.getgrall() if one.gr_gid not in (0, NOBODY) and not one.gr_mem)
    os.chown(folder / "bin" / "dumpcap", 0, group.gr_gid)
    (folder / "bin" / "dumpcap").chmod(0o750)
    result = as_nobody(program, folder, folder / "bin").done(3)
    assert f"run `sudo usermod -aG {group.gr_name} nobody` once and log in again" in result.stderr


def test_a_second_program_is_tried_where_the_first_may_not(
    wirespool: Wirespool, tmp_path: Path, capture: Path
) -> None:
    source = write(tmp_path / "source.pcap", Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7)))
    env = made_up(tmp_path / "bin", "dumpcap", "echo 'you do not have permission' >&2; exit 1\n")
    (tmp_path / "bin" / "tcpdump").write_text(f"#!/bin/sh\n{serving(source)}")
    (tmp_path / "bin" / "tcpdump").chmod(0o755)
    process = capturing(wirespool, capture, env)
    assert process.output("stderr") == "capturing on lo with tcpdump\n"
    process.signal(signal.SIGINT).finish().done()


@pytest.mark.parametrize("name", NAMES)
def test_an_interface_that_there_is_not_is_answered_with_those_that_are(
    wirespool: Wirespool, tmp_path: Path, capture: Path, name: Name
) -> None:
    env = path_with(tmp_path / "bin", name)
    said = refused(wirespool, env, capture, "-i", "nope0", status=2)
    assert re.match(r"wirespool: there is no interface nope0; there are (.+, )?lo(, |$)", said)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_filter_is_answered_with_what_libpcap_says(
    wirespool: Wirespool, tmp_path: Path, capture: Path, name: Name
) -> None:
    env = path_with(tmp_path / "bin", name)
    said = refused(wirespool, env, capture, "-i", "lo", "--filter", "tcp prt 7", status=2)
    assert said.startswith(
        'wirespool: "tcp prt 7" is no filter: can\'t parse filter expression: syntax error'
    )


def test_tcpdump_alone_takes_one_interface(wirespool: Wirespool, tmp_path: Path, capture: Path) -> None:
    env = made_up(tmp_path / "bin", "tcpdump", "exit 1\n")
    said = refused(wirespool, env, capture, "-i", "lo", "-i", "any", status=3)
    assert "tcpdump captures from one interface at a time" in said


@pytest.mark.parametrize(
    "words",
    [
        ("-i", "lo", "--to", "1"),
        ("-i", "lo", "--listen", "1"),
        ("--filter", "tcp", "--to", "1"),
        ("--buffer", "1MiB", "--to", "1"),
        ("-i", "lo", "--buffer", "much"),
        ("-i", "lo", "--buffer", "0"),
        (),
    ],
    ids=" ".join,
)
def test_arguments_that_contradict_each_other_are_refused(
    wirespool: Wirespool, tmp_path: Path, words: tuple[str, ...]
) -> None:
    wirespool.run("record", *words, "-o", tmp_path / "x.pcapng").done(2)


def test_without_anything_to_record_both_ways_are_said(wirespool: Wirespool, tmp_path: Path) -> None:
    result = wirespool.run("record", "-o", tmp_path / "x.pcapng").done(2)
    assert "--to <ADDR>|--interface <IFACE>" in result.stderr


def test_a_file_that_exists_is_kept_and_the_program_ended(
    wirespool: Wirespool, tmp_path: Path, capture: Path
) -> None:
    capture.write_text("mine")
    source = write(tmp_path / "source.pcap", Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7)))
    number = tmp_path / "number"
    env = made_up(tmp_path / "bin", "tcpdump", serving(source, before=f"echo $$ >{number}"))
    result = wirespool.start("record", "-i", "lo", "-o", capture, env=env).finish().done(2)
    assert "exists already" in result.stderr
    assert capture.read_text() == "mine"
    assert not is_running(int(number.read_text()))


# What goes wrong later.


def serving(source: Path, *, before: str = ":", at_the_end: str = ":") -> str:
    """A script that captures what is in a file, and runs until it is interrupted."""
    return f"""
        [ "$1" = --version ] && echo tcpdump version 9.9 && exit
        {before}
        trap '{at_the_end}; exit 0' INT TERM
        /bin/cat {source}
        while :; do /bin/sleep 0.05; done
    """


def is_running(number: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A connection of a few packets."""
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    connection.say("client", b"ping", 1).say("server", b"pong", 2)
    return write(tmp_path / "source.pcap", connection)


def ended_well(process: Process, status: int) -> list[str]:
    """Interrupt it; what it says at its end."""
    return process.signal(signal.SIGINT).finish().done(status).stderr.splitlines()[1:]


@pytest.mark.parametrize("ending", ["pcapng", "pcap"])
def test_what_the_kernel_lost_is_said_and_kept(
    wirespool: Wirespool, tmp_path: Path, source: Path, ending: str
) -> None:
    capture = tmp_path / f"x.{ending}"
    words = "echo 5 packets captured; echo 9 packets received by filter; echo 4 packets dropped by kernel"
    env = made_up(tmp_path / "bin", "tcpdump", serving(source, at_the_end=f"({words}) >&2"))
    process = capturing(wirespool, capture, env)
    summary, lost = ended_well(process, 3)
    assert summary == f"{capture}: connections 1, packets 4, payload 8 bytes"
    assert lost.startswith("lost 4 packets in the kernel: allow it more than 64 MiB by --buffer, or ")
    assert lost.endswith("a pcap has no place to say so") == (ending == "pcap")
    info = json.loads(wirespool.run("info", capture, "--json").done().text)
    assert info["warnings"] == (["4 packets lost by the recorder"] if ending == "pcapng" else [])
    if ending == "pcapng":
        assert info["origin"].endswith(" through tcpdump 9.9")


def test_a_program_that_dies_is_said_and_what_came_before_is_kept(
    wirespool: Wirespool, tmp_path: Path, source: Path, capture: Path
) -> None:
    env = made_up(tmp_path / "bin", "tcpdump", f"/bin/cat {source}; echo 'the card is on fire' >&2; exit 4\n")
    process = wirespool.start("record", "-i", "lo", "-o", capture, "-f", "text", env=env)
    result = process.finish().done(3)
    assert len(result.lines) == 2
    assert result.stderr.splitlines()[1:] == [
        f"{capture}: connections 1, packets 4, payload 8 bytes",
        "wirespool: capturing on lo ended: tcpdump ended by itself (exit status 4): the card is on fire; "
        f"what came before is in {capture}",
    ]
    assert wirespool.show(capture).values == ["ping", "pong"]


def test_a_program_that_does_not_end_is_killed_whatever_ends_the_recording(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    connection.say("client", b"ping", 1).close("client", 2).close("server", 3).say("client", b"", 4)
    source = write(tmp_path / "source.pcap", connection)
    stopped = f"trap : INT; /bin/cat {source}; kill -STOP $$"
    deaf = f"trap '' INT; /bin/cat {source}; while :; do /bin/sleep 0.05; done"
    ends = (("--duration", "100ms"), ("--connections", "1"), ("--", "/bin/true"))
    started = []
    for index, script in enumerate((stopped, deaf)):
        version = '[ "$1" = --version ] && exit'
        env = made_up(tmp_path / f"bin{index}", "tcpdump", f"{version}\n{script}\n")
        for end in ends:
            capture = tmp_path / f"{index}{end[0]}.pcapng"
            words = ("record", "-i", "lo", "-o", capture, *end)
            started.append((capture, wirespool.start(*words, env=env)))
    for capture, process in started:
        said = process.finish().done(3).stderr.splitlines()[-1]
        assert "tcpdump did not end within 5 s when it was to, and was killed" in said
        assert wirespool.show(capture, "-f", "text").values == ["ping"]


def test_a_program_whose_packets_make_no_sense_is_ended_and_that_is_no_damaged_file(
    wirespool: Wirespool, tmp_path: Path, source: Path, capture: Path
) -> None:
    source.write_bytes(source.read_bytes() + b"\xff" * 64)
    env = made_up(tmp_path / "bin", "tcpdump", serving(source))
    result = wirespool.start("record", "-i", "lo", "-o", capture, env=env).finish().done(3)
    assert "cannot capture on lo: tcpdump gave what makes no sense at byte" in result.stderr
    assert wirespool.show(capture).values == ["ping", "pong"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_the_program_does_not_outlive_us(
    wirespool: Wirespool, tmp_path: Path, source: Path, capture: Path, number: signal.Signals
) -> None:
    noted = tmp_path / "number"
    env = made_up(tmp_path / "bin", "tcpdump", serving(source, before=f"echo $$ >{noted}"))
    process = capturing(wirespool, capture, env)
    child = int(noted.read_text())
    assert is_running(child)
    until(lambda: b"pong" in capture.read_bytes(), "the packets in the file")
    process.signal(number)
    until(lambda: not is_running(child), "the program to end")
    # What came before is a whole capture.
    until(lambda: not process.running, "wirespool to end")
    assert wirespool.show(capture, "-f", "text").values == ["ping", "pong"]
