"""How exactly a replay keeps time, how fast it is, and how much memory a thousand connections take.

make bench BENCH_ARGS='--seconds 10 --rounds 3'

Every round runs all rivals, one after the other, so that what else the machine does meets all of them.
Times are the kernel's, of packets on the loopback interface, which tcpdump takes down: that needs root.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captures import PORT, SECOND, Capture, message, write

HERE = Path(__file__).parent
RATE = 1000
"""Messages a second, of the timed replay."""
PATIENCE = 120.0
FLUSHED = 5.0
"""Within so many seconds tcpdump has written what it saw."""

Row = dict[str, float]
Command = list[str | Path]


@dataclass(frozen=True)
class Rival:
    """A program that sends a capture's messages to a port."""

    name: str
    command: Callable[[int], Command]
    connects: bool = True
    """Whether it is heard by a server; else it puts packets on the wire that nobody takes."""


@dataclass(frozen=True)
class Bench:
    """What all benchmarks need."""

    wirespool: Path
    folder: Path
    rounds: int

    def replay(self, capture: Capture, port: int, *words: str | Path) -> Command:
        """The command that replays a capture."""
        return [self.wirespool, "replay", capture.path, "--to", str(port), "-f", "pickle", *words]

    def payload(self, capture: Capture, filling: int = 0) -> Path:
        """All messages of a capture, as a file."""
        path = capture.path.with_suffix(".bytes")
        path.write_bytes(b"".join(message(number, filling) for number in range(len(capture.times))))
        return path


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("which", nargs="*", help="timing, speed, memory; all if not given")
    parser.add_argument("--wirespool", type=Path, required=True, help="the release build")
    parser.add_argument("--seconds", type=int, default=60, help="how long a timed replay takes")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    which = given.which or ["timing", "speed", "memory"]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(given.wirespool.resolve(), Path(folder), given.rounds)
        if "timing" in which:
            timing(bench, given.seconds)
        if "speed" in which:
            for filling, count in ((0, 300_000), (4000, 50_000)):
                speed(bench, filling, count)
        if "memory" in which:
            memory(bench)


# Timing


def timing(bench: Bench, seconds: int) -> None:
    """Send at a steady rate, and look when each message came by."""
    capture = write(bench.folder / "steady.pcap", count=seconds * RATE, interval=SECOND // RATE)
    receipt = bench.folder / "receipt.json"
    payload = bench.payload(capture)
    sender: Command = [sys.executable, HERE / "sleeping_sender.py"]
    interval = str(SECOND // RATE)
    rivals = [
        Rival("wirespool", lambda port: bench.replay(capture, port, "--receipt", receipt)),
        Rival("python, time.sleep", lambda port: [*sender, str(port), payload, str(capture.size), interval]),
    ]
    if shutil.which("tcpdump") is None or os.geteuid() != 0:
        print("timing: skipped, as it needs tcpdump and root")
        return
    if found := shutil.which("tcpreplay"):
        words: Command = [found, "-q", "-K", "-i", "lo"]
        for timer in ("gtod", "nano"):
            command = [*words, f"--timer={timer}", capture.path]
            rivals.append(Rival(f"tcpreplay, {timer}", always(command), connects=False))
    else:
        print("tcpreplay: skipped, as it is not installed")
    rows: dict[str, list[Row]] = {rival.name: [] for rival in rivals}
    told: list[Row] = []
    for _ in range(bench.rounds):
        for rival in rivals:
            rows[rival.name].append(timed(bench, capture, rival))
            if rival.name == "wirespool":
                own = json.loads(receipt.read_text())["timing"]
                told.append({name: own[f"{name}_us"] for name in ("p50", "p99", "worst")})
    print(f"\n{RATE} messages of {capture.size} bytes a second for {seconds} s, {bench.rounds} rounds:")
    print("error of the time between a message's packet and the first second's, in us; drift from the first")
    print("second to the last, in us; CPU time of the sender, in % of a core")
    table(rows)
    print("\nthe same by wirespool's receipt, at the call that sends, against the time that was due")
    table({"wirespool": told})


def always(command: Command) -> Callable[[int], Command]:
    """The same command, whatever the port is."""
    return lambda _: command


def timed(bench: Bench, capture: Capture, rival: Rival) -> Row:
    """One rival's errors."""
    count = len(capture.times)
    with sink(1 if rival.connects else 0) as (port, said):
        port = port if rival.connects else PORT
        with sniffed(bench.folder / "sniffed.pcap", port, count, capture.size) as stamps:
            begun = time.monotonic()
            usage = run(rival.command(port))
            took = time.monotonic() - begun
        if rival.connects:
            assert said()["bytes"] == capture.payload, said()
    late = [(stamp - due) / 1000 for stamp, due in zip(stamps, capture.times, strict=True)]
    # The same delay of all is no error of time. A first message alone may be late by itself.
    usual = statistics.median(late[:RATE])
    errors = sorted(abs(one - usual) for one in late)
    return {
        "p50": errors[count // 2],
        "p99": errors[count * 99 // 100],
        "worst": errors[-1],
        "drift": statistics.median(late[-RATE:]) - usual,
        "cpu %": 100 * (usage.ru_utime + usage.ru_stime) / took,
    }


@contextmanager
def sniffed(path: Path, port: int, count: int, size: int) -> Iterator[list[int]]:
    """Fill a list with the kernel's times of all packets with payload to a port, in nanoseconds."""
    stamps: list[int] = []
    payload = "(ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) != 0"
    command: Command = ["tcpdump", "-i", "lo", "-Q", "in", "-n", "-U", "-s", "60", "-B", "8192", "-w", path]
    command += ["--time-stamp-precision=nano", f"tcp dst port {port} and {payload}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tcpdump:
        assert tcpdump.stderr is not None
        while "listening on" not in (line := tcpdump.stderr.readline()):
            assert line, "tcpdump does not listen"
        try:
            yield stamps
            ends = time.monotonic() + FLUSHED
            record = 16 + 60
            while path.stat().st_size < 24 + count * record and time.monotonic() < ends:
                time.sleep(0.1)
        finally:
            tcpdump.terminate()
    stamps += first_seen(path.read_bytes(), size)
    assert len(stamps) == count, f"tcpdump saw {len(stamps)} of {count} messages"


def first_seen(pcap: bytes, size: int) -> list[int]:
    """When the first byte of each message came by first: the kernel may send twice, or two at once."""
    stamps: list[int] = []
    place, base = 24, None
    while place < len(pcap):
        seconds, nanoseconds, kept = struct.unpack_from("<III", pcap, place)
        # Ethernet and IPv4 have no options: 14 and 20 bytes, the sequence number 4 into the next 20.
        (length,) = struct.unpack_from("!H", pcap, place + 16 + 16)
        ((sequence,), header) = struct.unpack_from("!I", pcap, place + 16 + 38), pcap[place + 16 + 46] >> 4
        base = sequence if base is None else base
        end = (sequence - base) % (1 << 32) + length - 20 - header * 4
        new = -(-end // size) - len(stamps)
        stamps += [seconds * SECOND + nanoseconds] * new
        place += 16 + kept
    return stamps


# Speed


def speed(bench: Bench, filling: int, count: int) -> None:
    """Send as fast as it goes."""
    capture = write(bench.folder / "burst.pcap", count=count, interval=1000, filling=filling)
    payload, loop = bench.payload(capture, filling), write_loop(bench.folder)
    words = ("--speed", "max")
    rivals = [
        Rival("wirespool", lambda port: bench.replay(capture, port, *words)),
        Rival("plain write loop", lambda port: [loop, f"127.0.0.1:{port}", payload, str(capture.size)]),
    ]
    rows: dict[str, list[Row]] = {rival.name: [] for rival in rivals}
    for _ in range(bench.rounds * 3):
        for rival in rivals:
            with sink(1) as (port, said):
                run(rival.command(port))
                taken = said()
            assert taken["bytes"] == capture.payload, taken
            row = {"MB/s": taken["bytes"] / taken["seconds"] / 1e6, "kmsg/s": count / taken["seconds"] / 1e3}
            rows[rival.name].append(row)
    print(f"\n{count} messages of {capture.size} bytes at full speed, {bench.rounds * 3} rounds")
    table(rows)
    ours, least = ([row["MB/s"] for row in of] for of in rows.values())
    ratios = [one / other for one, other in zip(ours, least, strict=True)]
    print(f"wirespool / plain write loop: {spread(ratios)}")


def write_loop(folder: Path) -> Path:
    """The plain sender, built: by rustc, as cargo would first build the crate anew."""
    program = folder / "write_loop"
    command: Command = ["rustc", "--edition", "2024", "-O", HERE / "write_loop.rs", "-o", program]
    subprocess.run(command, check=True)
    return program


# Memory


def memory(bench: Bench) -> None:
    """Replay a thousand connections, all open at once."""
    connections, each = 1000, 100
    count, interval = connections * each, 2 * SECOND // (connections * each)
    capture = write(bench.folder / "many.pcap", count=count, interval=interval, connections=connections)
    rows: list[Row] = []
    for _ in range(bench.rounds):
        with sink(connections) as (port, said):
            peak = run_watched(bench.replay(capture, port))
            taken = said()
        assert taken["bytes"] == capture.payload, taken
        rows.append({"peak MB": peak / 1e6, "open at once": taken["most"]})
    print(
        f"\n{connections} connections with {each} messages each, {bench.rounds} rounds; capture of", end=" "
    )
    print(f"{capture.path.stat().st_size / 1e6:.0f} MB")
    table({"wirespool": rows})


# What they share


@contextmanager
def sink(connections: int) -> Iterator[tuple[int, Callable[[], Any]]]:
    """A server in a process of its own that takes everything: its port, and what it says at the end."""
    command: Command = [sys.executable, HERE / "sink.py", str(connections)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), lambda: json.loads(process.communicate(timeout=PATIENCE)[0])
        finally:
            process.kill()


def run(command: Command) -> Any:
    """Run a command to its end, which must be a good one; what it used."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        assert process.returncode == 0, output.read().decode()
    return usage


def run_watched(command: Command) -> int:
    """Run a command to its end; the most memory that it held, in bytes."""
    peak = 0
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            # The kernel keeps the maximum; what is missed is what it grew by in the last moment.
            status = Path(f"/proc/{process.pid}/status").read_text()
            if found := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE):
                peak = max(peak, int(found[1]) * 1024)
            time.sleep(0.01)
    assert process.returncode == 0, command
    return peak


def table(rows: dict[str, list[Row]]) -> None:
    """Print medians, with the least and the most."""
    columns = list(next(iter(rows.values()))[0])
    print("".join([f"{'':20}", *(f"{column:>30}" for column in columns)]))
    for name, row in rows.items():
        cells = [spread([one[column] for one in row]) for column in columns]
        print("".join([f"{name:20}", *(f"{cell:>30}" for cell in cells)]))


def spread(values: list[float]) -> str:
    """The median, with the least and the most."""
    return f"{short(statistics.median(values))} ({short(min(values))} to {short(max(values))})"


def short(value: float) -> str:
    """Three digits or so."""
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


if __name__ == "__main__":
    main()
