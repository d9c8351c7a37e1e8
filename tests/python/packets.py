"""Captures written packet by packet: what no recorder here would write, but a network may have carried."""

import ipaddress
import struct
from pathlib import Path
from typing import Literal, Self

from running import Address

Side = Literal["client", "server"]

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
BEGUN = 1_700_000_000
RAW_IP = 101


class Connection:
    """One connection's packets; each call adds what one side sent at `at` seconds."""

    def __init__(self, client: Address, server: Address, at: float = 0, *, handshake: bool = True) -> None:
        """Open it."""
        self.packets: list[tuple[float, bytes]] = []
        self._addresses: dict[Side, Address] = {"client": client, "server": server}
        # The one so near to its end that the numbers begin again at 0 in the middle.
        self._next: dict[Side, int] = {"client": 0xFFFF_FFFA, "server": 7_000}
        if handshake:
            self._add("client", at, SYN)
            self._add("server", at, SYN | ACK)
        else:
            self._next = {side: number + 1 for side, number in self._next.items()}

    def say(self, side: Side, data: bytes, at: float) -> Self:
        """Bytes in order."""
        return self._add(side, at, PSH | ACK, data)

    def say_again(self, side: Side, data: bytes, at: float, *, back: int | None = None) -> Self:
        """A segment that begins `back` bytes before what comes next: by default the last one once more."""
        start = self._next[side] - (len(data) if back is None else back)
        self.packets.append((at, self._packet(side, start, PSH | ACK, data)))
        return self

    def lose(self, side: Side, length: int) -> Self:
        """Bytes that were sent, and that the capture lacks."""
        self._next[side] += length
        return self

    def say_late(self, side: Side, first: bytes, second: bytes, at: float) -> Self:
        """Two segments, of which the second arrives first."""
        start = self._next[side]
        self.packets.append((at, self._packet(side, start + len(first), PSH | ACK, second)))
        self._add(side, at + 0.000_1, PSH | ACK, first)
        self._next[side] += len(second)
        return self

    def close(self, side: Side, at: float) -> Self:
        """Its end."""
        return self._add(side, at, FIN | ACK)

    def reset(self, side: Side, at: float, *, back: int = 0) -> Self:
        """Its abortion, by a number that lies `back` bytes before what comes next."""
        self.packets.append((at, self._packet(side, self._next[side] - back, RST | ACK, b"")))
        return self

    def _add(self, side: Side, at: float, flags: int, data: bytes = b"") -> Self:
        self.packets.append((at, self._packet(side, self._next[side], flags, data)))
        self._next[side] += len(data) + bool(flags & (SYN | FIN))
        return self

    def _packet(self, side: Side, sequence: int, flags: int, data: bytes) -> bytes:
        other: Side = "server" if side == "client" else "client"
        (source, source_port), (target, target_port) = self._addresses[side], self._addresses[other]
        numbers = sequence % 2**32, (self._next[other] if flags & ACK else 0) % 2**32
        # Checksums are left empty, as on a machine whose network card fills them in.
        tcp = struct.pack("!HHIIBBHHH", source_port, target_port, *numbers, 5 << 4, flags, 65535, 0, 0) + data
        here, there = ipaddress.ip_address(source), ipaddress.ip_address(target)
        if here.version == 6:
            return struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + here.packed + there.packed + tcp
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0)
        return ip + here.packed + there.packed + tcp


def write(path: Path, *connections: Connection) -> Path:
    """Write a pcap file of all packets, by time."""
    packets = sorted((one for each in connections for one in each.packets), key=lambda packet: packet[0])
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, RAW_IP)]
    for at, packet in packets:
        seconds, fraction = divmod(round(at * 1_000_000), 1_000_000)
        parts.append(struct.pack("<IIII", BEGUN + seconds, fraction, len(packet), len(packet)))
        parts.append(packet)
    path.write_bytes(b"".join(parts))
    return path
