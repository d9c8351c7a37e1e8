"""Real captures of other projects, and what tshark sees in them. WIRESPOOL_CORPUS says where they lie."""

import os
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

FIELDS = (
    "tcp.stream",
    "tcp.srcport",
    "ip.src",
    "ipv6.src",
    "tcp.seq_raw",
    "tcp.len",
    "tcp.payload",
    "tcp.flags.syn",
    "tcp.flags.fin",
    "tcp.dstport",
    "ip.dst",
    "ipv6.dst",
    "tcp.ack_raw",
    "tcp.flags.ack",
    "tcp.flags.reset",
)


def corpus() -> Path | None:
    """The folder of the corpus, if it is at hand."""
    given = os.environ.get("WIRESPOOL_CORPUS")
    return Path(given) if given else None


def captures(folder: Path) -> list[str]:
    """The captures that its manifest names; texts are among it, too."""
    lines = (folder / "MANIFEST.txt").read_text().splitlines()
    names = [line.split(" | ")[0] for line in lines if not line.startswith("#")]
    return [name for name in names if name.endswith((".pcap", ".pcapng"))]


@dataclass(frozen=True)
class Figures:
    """What is in a capture: connections, unique bytes of payload, bytes that are missing between them."""

    connections: int
    payload: int
    missing: int

    def __str__(self) -> str:
        """As a cell of the table."""
        return f"{self.connections} / {self.payload:,} / {self.missing:,}"


@dataclass
class Direction:
    """One side's sequence space, unwrapped."""

    last: int | None = None
    begin: int | None = None
    fin: int | None = None
    parts: list[tuple[int, int]] = field(default_factory=list)
    known: list[int] = field(default_factory=list)

    def segment(self, sequence: int, length: int, captured: int, *, syn: bool, fin: bool) -> None:
        """Take a segment of this side."""
        position = self._position(sequence) + syn
        self.last = position
        if syn and self.begin is None:
            self.begin = position
        if length:
            self.parts.append((position, position + captured))
        if length or fin:
            self.known.append(position + length)
        if fin and self.fin is None:
            self.fin = position + length

    def acknowledged(self, sequence: int) -> None:
        """Take the other side's word that it has all before."""
        self.known.append(self._position(sequence))

    def figures(self) -> tuple[int, int]:
        """Its unique bytes, and the holes before, between and behind them."""
        if not self.known:
            return 0, 0
        at = min(self.known + [start for start, _ in self.parts]) if self.begin is None else self.begin
        payload = missing = 0
        for start, end in sorted(self.parts):
            missing += max(0, start - at)
            payload += max(0, end - max(start, at))
            at = max(at, end)
        # What is acknowledged after a FIN is the FIN.
        furthest = max(self.known) if self.fin is None else self.fin
        if self.fin is None and furthest == at + 1:
            # And so is what is acknowledged of one that the capture lacks.
            furthest = at
        return payload, missing + max(0, furthest - at)

    def _position(self, sequence: int) -> int:
        last = sequence if self.last is None else self.last
        self.last = last
        return last + (sequence - last + 2**31) % 2**32 - 2**31


def seen_by_tshark(capture: Path) -> Figures:
    """What tshark's dissection of the packets adds up to; TCP headers in ICMP errors are none."""
    words = [word for name in FIELDS for word in ("-e", name)]
    command = ["tshark", "-n", "-r", str(capture), "-Y", "tcp && !icmp && !icmpv6", "-T", "fields", *words]
    command += ["-E", "occurrence=l", "-o", "tcp.desegment_tcp_streams:FALSE"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    streams: defaultdict[tuple[str, ...], Direction] = defaultdict(Direction)
    for line in result.stdout.splitlines():
        values = dict(zip(FIELDS, line.split("\t"), strict=True))
        stream, sequence, length = values["tcp.stream"], values["tcp.seq_raw"], values["tcp.len"]
        if not (stream and sequence and length):
            continue
        syn, fin, ack, reset = (
            values[f"tcp.flags.{name}"] in ("1", "True") for name in ("syn", "fin", "ack", "reset")
        )
        here = (values["tcp.srcport"], values["ip.src"], values["ipv6.src"])
        there = (values["tcp.dstport"], values["ip.dst"], values["ipv6.dst"])
        one = streams[stream, *here]
        # The bytes of a RST are words about the error.
        if not reset:
            captured = len(values["tcp.payload"]) // 2
            one.segment(int(sequence), int(length), captured, syn=syn, fin=fin)
            if ack:
                streams[stream, *there].acknowledged(int(values["tcp.ack_raw"]))
    figures = [one.figures() for one in streams.values()]
    connections = len({stream for stream, *_ in streams})
    return Figures(connections, sum(one for one, _ in figures), sum(two for _, two in figures))
