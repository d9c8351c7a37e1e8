"""How fast captures are read, against what else reads them, and in how much memory.

make bench BENCH=reading BENCH_ARGS='--rounds 3'
make bench BENCH=reading BENCH_ARGS=memory
make bench BENCH=reading BENCH_ARGS='--shrink 10 --rounds 1'

Every round runs all rivals on a capture, one after the other, so that what else the machine does meets all
of them: compare the ratios, which are of one round each. A rival that is not installed is left out.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
MEGABYTE = 1_000_000
MILLION = 1_000_000

Command = list[str | Path]
Row = dict[str, float]


@dataclass(frozen=True)
class Capture:
    """A capture that was made, and what is in it."""

    path: Path
    packets: int

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return self.path.stat().st_size


@dataclass(frozen=True)
class Bench:
    """What all benchmarks need."""

    wirespool: Path
    library: Path
    """The built benches/reassemble."""
    folder: Path
    rounds: int
    shrink: int
    """How many times smaller captures are than they are called."""

    def capture(self, kind: str, segments: int) -> Capture:
        """Make a capture."""
        segments //= self.shrink
        path = self.folder / f"{kind}.pcap"
        with path.open("wb") as file:
            subprocess.run(traffic(kind, segments), stdout=file, check=True)
        said = subprocess.run([self.wirespool, "info", "--json", path], stdout=subprocess.PIPE, check=True)
        return Capture(path, json.loads(said.stdout)["packets"])


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("which", nargs="*", help=f"{', '.join(BENCHES)}; all if not given")
    parser.add_argument("--wirespool", type=Path, default=Path("target/release/wirespool"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shrink", type=int, default=1, help="captures of so small a part, to see it work")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(given.wirespool.absolute(), built(), Path(folder), given.rounds, given.shrink)
        for name in given.which or BENCHES:
            BENCHES[name](bench)


# Speed


def small(bench: Bench) -> None:
    """Put small segments in order, as they are in their millions where telemetry is sent."""
    in_order(bench, bench.capture("small", 1_200_000))


def large(bench: Bench) -> None:
    """Put large segments in order, as a sniffer sees them on the host that sends them."""
    in_order(bench, bench.capture("large", 7_000))


def in_order(bench: Bench, capture: Capture) -> None:
    """Read a capture and put its bytes in order, without a look at what they say."""
    given, flows = capture.path, bench.folder / "flows"
    rivals: dict[str, Command] = {
        "wirespool info": [bench.wirespool, "info", given],
        "the library alone": [bench.library, given],
        "tcpflow": ["tcpflow", "-r", given, "-o", flows],
        "dpkt, by hand": [sys.executable, HERE / "by_hand.py", "count", given],
        "tshark, one stream": ["tshark", "-r", given, "-q", "-z", "follow,tcp,raw,0"],
        "tshark, conversations": ["tshark", "-r", given, "-q", "-z", "conv,tcp"],
        "tshark, all payloads": [
            "tshark",
            "-r",
            given,
            "-T",
            "fields",
            "-e",
            "tcp.stream",
            "-e",
            "tcp.payload",
        ],
    }
    size, average = capture.size / MEGABYTE, capture.size / capture.packets
    print(f"\n{size:.0f} MB, {capture.packets} packets of {average:.0f} bytes, {bench.rounds} rounds")
    compare(bench, rivals, capture.packets, "M packets/s")


def pickles(bench: Bench) -> None:
    """Print pickles as JSON."""
    count = MILLION // bench.shrink
    given = bench.capture("pickles", MILLION).path
    rivals: dict[str, Command] = {
        "wirespool show --json": [bench.wirespool, "show", "--json", given],
        "dpkt, by hand": [sys.executable, HERE / "by_hand.py", "pickles", given],
    }
    print(f"\n{count} pickles as JSON, {bench.rounds} rounds")
    compare(bench, rivals, count, "M messages/s")


def compare(bench: Bench, rivals: dict[str, Command], count: int, rate: str) -> None:
    """Run all rivals in turn, and print how they compare."""
    there = {name: command for name, command in rivals.items() if is_there(name, command)}
    rows: dict[str, list[Row]] = {name: [] for name in there}
    for _ in range(bench.rounds):
        for name, command in there.items():
            used = run(command, bench.folder)
            rows[name].append({rate: count / used.seconds / MILLION, **used.row()})
    first = next(iter(rows))
    for row in rows.values():
        for one, own in zip(row, rows[first], strict=True):
            one["slower by"] = one["s"] / own["s"]
            one["of processor"] = one["CPU s"] / own["CPU s"]
    table(rows)


def is_there(name: str, command: Command) -> bool:
    """Whether a rival is installed; says so if not."""
    needed = "dpkt" if name.startswith("dpkt") else command[0]
    if needed == "dpkt":
        found = (
            subprocess.run([sys.executable, "-c", "import dpkt"], stderr=subprocess.DEVNULL).returncode == 0
        )
    else:
        found = shutil.which(needed) is not None
    if not found:
        print(f"{name}: skipped, as {needed} is not installed")
    return found


# Memory


def memory(bench: Bench) -> None:
    """Read ten times as much, through a pipe: it takes the same memory."""
    rows: dict[str, list[Row]] = {}
    for times in (1, 10):
        for kind, words in (("small", ["info"]), ("pickles", ["show", "--json"])):
            segments = times * MILLION * (1.2 if kind == "small" else 1) / bench.shrink
            source = subprocess.Popen(traffic(kind, int(segments)), stdout=subprocess.PIPE)
            used = run([bench.wirespool, *words, "-"], bench.folder, source)
            name = f"{' '.join(words)}, {segments / MILLION:.1f} M segments"
            rows[name] = [{"peak MB": used.peak / MEGABYTE}]
    print("\nMemory that wirespool takes at most")
    table(rows)


# What they share


@dataclass(frozen=True)
class Used:
    """What a command took."""

    seconds: float
    processor: float
    peak: int
    """The most memory it held, in bytes."""

    def row(self) -> Row:
        """As columns."""
        return {"s": self.seconds, "CPU s": self.processor, "peak MB": self.peak / MEGABYTE}


def run(command: Command, folder: Path, source: subprocess.Popen[bytes] | None = None) -> Used:
    """Run a command to its end, which must be a good one."""
    shutil.rmtree(folder / "flows", ignore_errors=True)
    begun = time.monotonic()
    with (folder / "words").open("w+b") as words:
        stdin = source.stdout if source else subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=words)
        peak = 0
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            peak = max(peak, held(process.pid))
            time.sleep(0.005)
        took = time.monotonic() - begun
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        assert process.returncode == 0, words.read().decode()
    if source:
        assert source.wait() == 0, source.args
    return Used(took, usage.ru_utime + usage.ru_stime, peak)


def held(pid: int) -> int:
    """The most memory that a process held so far. The kernel's own account of it, once a process has
    ended, begins with what this one held when it started it."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def traffic(kind: str, segments: int) -> Command:
    """The command that writes a capture to its standard output."""
    return [sys.executable, HERE / "traffic.py", kind, str(segments)]


def built() -> Path:
    """The program that uses the library alone: cargo says where it is."""
    command = ["cargo", "build", "-q", "--release", "--bench", "reassemble", "--message-format=json"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    return next(Path(path) for line in lines if (path := json.loads(line).get("executable")))


def table(rows: dict[str, list[Row]]) -> None:
    """Print medians, with the least and the most."""
    columns = list(next(iter(rows.values()))[0])
    print("".join([f"{'':24}", *(f"{column:>24}" for column in columns)]))
    for name, row in rows.items():
        cells = [spread([one[column] for one in row]) for column in columns]
        print("".join([f"{name:24}", *(f"{cell:>24}" for cell in cells)]))


def spread(values: list[float]) -> str:
    """The median, with the least and the most if there is more than one."""
    if len(values) == 1:
        return short(values[0])
    return f"{short(statistics.median(values))} ({short(min(values))} to {short(max(values))})"


def short(value: float) -> str:
    """Three digits, also of what is far below one."""
    return f"{value:#.3g}" if abs(value) < 100 else f"{value:.0f}"


BENCHES: dict[str, Callable[[Bench], None]] = {
    "small": small,
    "large": large,
    "pickles": pickles,
    "memory": memory,
}

if __name__ == "__main__":
    main()
