"""Passive recording: the programs run as they are, and wirespool sees what passes between them.

The original programs run unmodified, at their own port and their own pace.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from capturers import NAMES, Name, capturing, fixed_port, path_with
from conftest import Wirespool, installed
from programs import FORMATS, HOST, ORIGINAL_MODULES, Peers, free_port, originals
from running import Process, until
from sockets import read_all

MESSAGES = 2
"""How many messages each session has, at least: the originals send one a second."""


@pytest.fixture(params=NAMES)
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """An environment with one of the programs that capture."""
    name: Name = request.param
    return path_with(tmp_path / "bin", name)


class AsTheyAre:
    """A set of programs that is run without a change."""

    def __init__(self, peers: Peers, codec: str, port: int) -> None:
        """Take the set, one of its codecs, and where they meet."""
        self.peers, self.codec, self.port = peers, codec, port

    def server(self) -> Process:
        """Start the server, and wait until it listens."""
        process = self._start("server") or self.peers.own(f"{self.codec}_server.py", HOST, str(self.port))
        process.wait_for("^Server started at ")
        return process

    def client(self) -> Process:
        """Start the client; an original one sends for as long as it is left alone."""
        words = (HOST, str(self.port), "--count", str(MESSAGES), "--interval", "0.2")
        return self._start("client") or self.peers.own(f"{self.codec}_client.py", *words)

    def _start(self, role: str) -> Process | None:
        folder = originals()
        if self.peers.name == "own" or folder is None:
            return None
        script = folder / f"{ORIGINAL_MODULES[self.codec]}_{role}.py"
        return self.peers.start(script, python_path=(self.peers.generated["originals"],))


@pytest.fixture
def programs(peers: Peers, codec: str) -> Iterator[AsTheyAre]:
    """The programs of a codec; alone at their port."""
    with fixed_port() as port:
        yield AsTheyAre(peers, codec, port)


def end_client(client: Process, watching: Process) -> None:
    """Press Ctrl-C at a client once so many of its messages were seen passing; meanwhile it may send more."""
    watching.wait_for(f'"side":"client","index":{MESSAGES - 1}')
    client.signal(signal.SIGINT).finish()


def test_unmodified_programs_are_recorded_shown_and_replayed(
    wirespool: Wirespool, programs: AsTheyAre, environment: dict[str, str], capture: Path
) -> None:
    form = FORMATS[programs.codec]
    server = programs.server()
    words = ("-f", form, "--json", "--connections", "1")
    recording = capturing(wirespool, capture, environment, *words, port=programs.port)
    end_client(programs.client(), recording)
    received = server.finish().done().lines[2:-1]
    live = recording.finish().done()

    # What is shown later without a word about formats is what was shown live.
    count = len(live.values)
    assert count >= MESSAGES
    assert live.values == programs.peers.json_values(programs.codec, count)
    assert wirespool.show(capture).text == live.text
    assert received == programs.peers.printed(programs.codec, count)

    info = json.loads(wirespool.run("info", capture, "--json", "--check").done().text)
    assert info["origin"].startswith("captured by wirespool ")
    assert (info["recorded_as"], info["warnings"]) == (form, [])
    (connection,) = info["connections"]
    assert connection["server"] == f"{HOST}:{programs.port}"
    assert [end["how"] for end in connection["ends"]] == ["closed", "closed"]

    server = programs.server()
    replayed = wirespool.run("replay", capture, "--to", str(programs.port), "--speed", "4").done()
    assert replayed.stderr.splitlines()[-1].startswith("delivered: 1 connection"), replayed
    assert server.finish().done().lines[2:-1] == received


def test_a_passive_recording_is_served_to_the_unmodified_client(
    wirespool: Wirespool, programs: AsTheyAre, tmp_path: Path, capture: Path
) -> None:
    form, environment = FORMATS[programs.codec], path_with(tmp_path / "bin", "dumpcap")
    words = ("-f", form, "--json", "--connections", "1")
    server = programs.server()
    recording = capturing(wirespool, capture, environment, *words, port=programs.port)
    end_client(programs.client(), recording)
    server.finish().done()
    recording.finish().done()

    # Nobody else says how far the client has come: it is watched as it was.
    serving, _ = wirespool.serving("serve", capture, "--listen", str(programs.port))
    watching = capturing(wirespool, tmp_path / "again.pcapng", environment, *words, port=programs.port)
    end_client(programs.client(), watching)
    assert serving.finish().done().stderr.splitlines()[-1].startswith("verified: 1 connection")
    watching.finish().done()


class Pair:
    """A connection within the test."""

    def __init__(self, stack: ExitStack) -> None:
        """Listen."""
        self._stack = stack
        self._listener = stack.enter_context(socket.create_server((HOST, 0)))
        self.port: int = self._listener.getsockname()[1]

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """Both ends."""
        client = self._stack.enter_context(socket.create_connection((HOST, self.port)))
        server, _ = self._listener.accept()
        return client, self._stack.enter_context(server)


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A listener that is closed with the test."""
    with ExitStack() as stack:
        yield Pair(stack)


def test_packets_are_kept_byte_for_byte(
    wirespool: Wirespool, environment: dict[str, str], pair: Pair, tmp_path: Path
) -> None:
    # Two recordings of the same packets: as pcapng and as pcap.
    paths = [tmp_path / "a.pcapng", tmp_path / "a.pcap"]
    processes = [
        capturing(wirespool, path, environment, "--connections", "1", port=pair.port) for path in paths
    ]
    client, server = pair.connect()
    client.sendall(b"ping")
    server.sendall(server.recv(4) * 50_000)
    client.shutdown(socket.SHUT_WR)
    server.shutdown(socket.SHUT_WR)
    read_all(client)
    for process, path in zip(processes, paths, strict=True):
        ended = process.finish().done()
        assert ended.stderr.splitlines()[-1].startswith(f"{path}: connections 1, packets ")
        assert ended.stderr.splitlines()[-1].endswith(", payload 200004 bytes")
        raw = wirespool.run("show", path, "--raw", "--side", "server").done().stdout
        assert raw == b"ping" * 50_000
    # Both took the same packets, each with a stamp of its own.
    words = [installed("tcpdump"), "-t", "-nn", "-xx", "-r"]
    first, second = (subprocess.check_output([*words, path], stderr=subprocess.DEVNULL) for path in paths)
    assert first == second
    assert first.count(b"IP 127.0.0.1") > 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_what_passed_before_the_end_is_recorded(
    wirespool: Wirespool, environment: dict[str, str], pair: Pair, capture: Path, number: signal.Signals
) -> None:
    process = capturing(wirespool, capture, environment, port=pair.port)
    client, _ = pair.connect()
    client.sendall(b"last words")
    result = process.signal(number).finish().done()
    assert result.stderr.splitlines()[-1].endswith("payload 10 bytes")
    assert wirespool.run("show", capture, "--raw", "--side", "client").done().stdout == b"last words"


def test_a_command_is_recorded_from_its_first_packet_and_its_status_wins(
    wirespool: Wirespool, environment: dict[str, str], pair: Pair, capture: Path
) -> None:
    script = f"import socket; socket.create_connection(('{HOST}', {pair.port})).send(b'quick'); exit(7)"
    command = [sys.executable, "-c", script]
    words = ("--filter", f"tcp port {pair.port}", "-o", str(capture), "-f", "text", "--events", "--json")
    result = wirespool.start("record", "-i", "lo", *words, "--", *command, env=environment).finish().done(7)
    first, second, *_ = result.json
    assert (first["event"], first["start"]) == ("open", "seen")
    assert second["value"] == "quick"


def test_an_output_that_nobody_reads_does_not_hold_up_the_file(
    wirespool: Wirespool, environment: dict[str, str], pair: Pair, capture: Path
) -> None:
    words = [
        "record",
        "-i",
        "lo",
        "--filter",
        f"tcp port {pair.port}",
        "-o",
        str(capture),
        "-f",
        "raw",
        "--hex",
    ]
    environment = {**os.environ, **environment}
    with subprocess.Popen(
        [wirespool.program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout and process.stderr
        assert process.stderr.readline().startswith(b"capturing on lo")
        client, server = pair.connect()
        sent = 0
        while sent < 1_000_000:
            sent += client.send(b"." * 1_000)
            server.recv(1_000)
        # Of a hex dump of a megabyte a pipe takes little.
        until(lambda: capture.stat().st_size > 1_000_000, "the file to have all")
        process.send_signal(signal.SIGINT)
        shown, said = process.communicate()
        assert process.returncode == 0, said
    assert said.endswith(b"payload 1000000 bytes\n"), said
    assert shown.count(b" 2e") == 1_000_000


def test_a_reader_that_has_gone_does_not_end_the_recording(
    wirespool: Wirespool, environment: dict[str, str], pair: Pair, capture: Path
) -> None:
    words = ["record", "-i", "lo", "--filter", f"tcp port {pair.port}", "-o", str(capture), "-f", "raw"]
    environment = {**os.environ, **environment}
    with subprocess.Popen(
        [wirespool.program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout and process.stderr
        assert process.stderr.readline().startswith(b"capturing on lo")
        process.stdout.close()
        client, _ = pair.connect()
        client.sendall(b"unheard")
        assert b"nobody reads what is printed any more" in process.stderr.readline()
        client.sendall(b" still")
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(20) == 0
    packets = json.loads(wirespool.run("info", capture, "--json").done().text)["packets"]
    assert said.decode() == f"{capture}: connections 1, packets {packets}, payload 13 bytes\n"
    assert wirespool.run("show", capture, "--raw", "--side", "client").done().stdout == b"unheard still"


def test_any_interface_and_several_are_recorded(wirespool: Wirespool, pair: Pair, tmp_path: Path) -> None:
    environment = path_with(tmp_path / "bin", "dumpcap")
    seen: list[tuple[int, Any]] = []
    for index, interfaces in enumerate((["any"], ["lo", "any"])):
        capture = tmp_path / f"{index}.pcapng"
        chosen = [word for name in interfaces for word in ("-i", name)]
        words = ("--filter", f"tcp port {pair.port}", "-o", capture, "--connections", "1")
        process = wirespool.start("record", *chosen, *words, env=environment)
        process.wait_for(f"^capturing on {', '.join(interfaces)} ", "stderr")
        client, server = pair.connect()
        client.sendall(b"ping")
        client.shutdown(socket.SHUT_WR)
        server.shutdown(socket.SHUT_WR)
        process.finish().done()
        shown = wirespool.run("show", capture, "--raw", "--side", "client").done().stdout
        info = json.loads(wirespool.run("info", capture, "--json").done().text)
        seen.append((info["packets"], shown))
    (once, shown), (twice, shown_twice) = seen
    assert shown == shown_twice == b"ping"
    assert twice >= 2 * (once - 1)


def test_the_passive_example_in_help_works_when_pasted(wirespool: Wirespool, tmp_path: Path) -> None:
    environment = path_with(tmp_path / "bin", "dumpcap")
    (tmp_path / "bin" / "wirespool").symlink_to(wirespool.program)
    said = wirespool.run("record", "--help").done().text
    block = re.search(r"^Where dumpcap or tcpdump may capture:\n((?:  .*\n?)+)", said, re.MULTILINE)
    assert block, said
    script = block[1].replace("12345", str(free_port()))
    environment["PATH"] += f":{os.environ['PATH']}"
    process = Process(["bash", "-c", f"set -e\n{script}\nwait"], cwd=tmp_path, env=environment)
    result = process.finish().done()
    assert result.lines[-1].endswith('"hello"')
    assert "payload 5 bytes" in result.stderr


needs_proc = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="nothing here says whose child a process is"
)


def taking_part(port: int) -> list[int]:
    """The processes that record this port."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if f"tcp port {port}".encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


@needs_proc
def test_an_idle_capturing_program_does_not_outlive_a_killed_recording(
    wirespool: Wirespool, environment: dict[str, str], pair: Pair, capture: Path
) -> None:
    process = capturing(wirespool, capture, environment, port=pair.port)
    assert len(taking_part(pair.port)) == 2  # wirespool, and the program
    process.signal(signal.SIGKILL)
    until(lambda: not taking_part(pair.port), "both to have ended")


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_a_capturing_program_that_is_stopped_holds_nothing_up(
    wirespool: Wirespool, environment: dict[str, str], pair: Pair, capture: Path, number: signal.Signals
) -> None:
    process = capturing(wirespool, capture, environment, port=pair.port)
    client, _ = pair.connect()
    client.sendall(b"before")
    until(lambda: b"before" in capture.read_bytes(), "the packets in the file")
    (program,) = set(taking_part(pair.port)) - {process.pid}
    os.kill(program, signal.SIGSTOP)
    stat = Path(f"/proc/{program}/stat")
    until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "the program to be stopped")
    result = process.signal(number).finish()
    until(lambda: not taking_part(pair.port), "both to have ended")
    if number == signal.SIGINT:
        said = result.done(3).stderr.splitlines()[-1]
        assert "did not end within 5 s when it was to, and was killed" in said
        assert "before it said how many packets it lost" in said
    assert wirespool.run("show", capture, "--raw", "--side", "client").done().stdout == b"before"
