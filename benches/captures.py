"""Writes captures of telemetry as a server would see it: pickles, all of one size, at exact times."""

import pickle
import struct
from dataclasses import dataclass
from pathlib import Path

NANOSECOND_PCAP = 0xA1B23C4D
ETHERNET = 1
PORT = 12345
"""Where the recorded server listened."""
SYN, ACK, FIN, PUSH = 0x02, 0x10, 0x01, 0x08
CLIENT, SERVER = bytes([127, 0, 0, 1]), bytes([127, 0, 0, 1])
SECOND = 1_000_000_000
BEGIN = 1_700_000_000 * SECOND


@dataclass(frozen=True)
class Capture:
    """A capture that was written, and what is in it."""

    path: Path
    size: int
    """Bytes of a message."""
    times: list[int]
    """When each message was sent, in nanoseconds from the first on."""
    connections: int

    @property
    def payload(self) -> int:
        """All bytes of all messages."""
        return self.size * len(self.times)


def message(number: int, filling: int) -> bytes:
    """A reading; its size does not depend on the number."""
    reading = {"device": 123, "celsius": 20 + number % 100 / 10, "at": float(number)}
    return pickle.dumps(reading | {"samples": bytes(filling)} if filling else reading, protocol=4)


def write(path: Path, *, count: int, interval: int, connections: int = 1, filling: int = 0) -> Capture:
    """Write `count` messages, `interval` nanoseconds apart, on the connections in turn, all open at once."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", NANOSECOND_PCAP, 2, 4, 0, 0, 262_144, ETHERNET))

        def packet(
            at: int, from_client: bool, connection: int, state: tuple[int, int, int], data: bytes
        ) -> None:
            sequence, acknowledgement, flags = state
            ports = (20_000 + connection, PORT) if from_client else (PORT, 20_000 + connection)
            tcp = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledgement, 5 << 4, flags, 65_535, 0, 0)
            addresses = CLIENT + SERVER if from_client else SERVER + CLIENT
            length = 40 + len(data)
            ip = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0x4000, 64, 6, 0) + addresses
            total = sum(struct.unpack("!10H", ip))
            checksum = 0xFFFF - (total % 0xFFFF)
            ip = ip[:10] + struct.pack("!H", checksum) + ip[12:]
            frame = bytes(12) + b"\x08\x00" + ip + tcp + data
            file.write(struct.pack("<IIII", *divmod(at, SECOND), len(frame), len(frame)) + frame)

        for connection in range(connections):
            packet(BEGIN, True, connection, (0, 0, SYN), b"")
            packet(BEGIN, False, connection, (0, 1, SYN | ACK), b"")
            packet(BEGIN, True, connection, (1, 1, ACK), b"")
        sent = [1] * connections
        # As far from the handshake as messages are from each other.
        first = BEGIN + interval
        for number in range(count):
            connection, data = number % connections, message(number, filling)
            state = (sent[connection], 1, ACK | PUSH)
            packet(first + number * interval, True, connection, state, data)
            sent[connection] += len(data)
        end = first + count * interval
        for connection, all_sent in enumerate(sent):
            packet(end, True, connection, (all_sent, 1, ACK | FIN), b"")
            packet(end, False, connection, (1, all_sent + 1, ACK | FIN), b"")
            packet(end, True, connection, (all_sent + 1, 2, ACK), b"")
    times = [number * interval for number in range(count)]
    return Capture(path, len(message(0, filling)), times, connections)
