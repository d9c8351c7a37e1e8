"""What one writes with dpkt when a capture's bytes are wanted: TCP put in order by hand.

python benches/by_hand.py count|pickles FILE

`count` prints how many bytes each connection's sides sent; `pickles` each of them as a line of JSON.
"""

import io
import json
import pickle
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import dpkt

Flow = tuple[bytes, int, bytes, int]
"""Who sends to whom: address, port, address, port."""
Take = Callable[[Flow, float, bytes], None]


def main() -> None:
    """Do what was asked for."""
    what, path = sys.argv[1:]
    {"count": count, "pickles": print_pickles}[what](Path(path))


class Stream:
    """The bytes of one side, as far as they are in order."""

    def __init__(self, expected: int) -> None:
        """`expected` is the first sequence number."""
        self.expected = expected
        self.ahead: dict[int, bytes] = {}

    def put(self, sequence: int, data: bytes) -> Iterator[bytes]:
        """What follows, now that `data` has come."""
        behind = (self.expected - sequence) & 0xFFFFFFFF
        if behind >= 1 << 31:
            self.ahead.setdefault(sequence, data)
            return
        while data[behind:]:
            yield data[behind:]
            self.expected = (self.expected + len(data) - behind) & 0xFFFFFFFF
            data, behind = self.ahead.pop(self.expected, b""), 0


def read(path: Path, take: Take) -> None:
    """Give the bytes of all sides in order."""
    streams: dict[Flow, Stream] = {}
    with path.open("rb") as file:
        for at, frame in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(frame).data
            if not isinstance(ip, dpkt.ip.IP) or not isinstance(ip.data, dpkt.tcp.TCP):
                continue
            tcp = ip.data
            flow = (ip.src, tcp.sport, ip.dst, tcp.dport)
            if tcp.flags & dpkt.tcp.TH_SYN:
                streams[flow] = Stream((tcp.seq + 1) & 0xFFFFFFFF)
            elif tcp.data:
                stream = streams.get(flow) or streams.setdefault(flow, Stream(tcp.seq))
                for data in stream.put(tcp.seq, tcp.data):
                    take(flow, float(at), data)


def count(path: Path) -> None:
    """Print the sizes."""
    sizes: dict[Flow, int] = {}

    def take(flow: Flow, _: float, data: bytes) -> None:
        sizes[flow] = sizes.get(flow, 0) + len(data)

    read(path, take)
    for (source, port, destination, to), size in sizes.items():
        print(f"{socket.inet_ntoa(source)}:{port} {socket.inet_ntoa(destination)}:{to} {size}")


def print_pickles(path: Path) -> None:
    """Print the messages."""
    numbers: dict[Flow, int] = {}
    pending: dict[Flow, bytes] = {}
    offsets: dict[Flow, int] = {}

    def take(flow: Flow, at: float, data: bytes) -> None:
        data = pending.pop(flow, b"") + data
        while data:
            file = io.BytesIO(data)
            try:
                value = pickle.load(file)
            except (EOFError, pickle.UnpicklingError):
                pending[flow] = data
                return
            size = file.tell()
            offset = offsets.get(flow, 0)
            offsets[flow] = offset + size
            line = {
                "connection": numbers.setdefault(flow, len(numbers)),
                "time": datetime.fromtimestamp(at, UTC).isoformat(),
                "offset": offset,
                "size": size,
                "value": value,
            }
            sys.stdout.write(json.dumps(line) + "\n")
            data = data[size:]

    read(path, take)


if __name__ == "__main__":
    main()
