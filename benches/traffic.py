"""Writes captures as a sniffer beside a server makes them: 64 clients that send telemetry at once.

python benches/traffic.py small 1200000 | wirespool info -

Every second segment is acknowledged; a few come twice, or in the wrong order. The same words make the same
bytes, and they can go through a pipe: nothing is kept.
"""

import argparse
import functools
import pickle
import random
import struct
import sys
from collections.abc import Callable, Iterator

NANOSECOND_PCAP, ETHERNET = 0xA1B23C4D, 1
SECOND = 1_000_000_000
BEGIN = 1_700_000_000 * SECOND
INTERVAL = 20_000
"""From one packet to the next, in nanoseconds."""
CONNECTIONS = 64
PORT = 12345
"""Where the server listens."""
SYN, ACK, FIN, PUSH = 0x02, 0x10, 0x01, 0x08
ODD = 0.002
"""How many of all segments come twice; as many come before the one that was sent before them."""
GATHERED = 4096
"""So many records are written at once."""
RECORD, TCP = struct.Struct("<IIII"), struct.Struct("!HHIIBBHHHHHII")


def main() -> None:
    """Write a capture to standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("segments", type=int, help="how many segments carry something new")
    given = parser.parse_args()
    chance = random.Random(6)
    gathered: list[bytes] = []
    payload, different = KINDS[given.kind]
    payloads = [payload(chance) for _ in range(different)]
    for record in records(payloads, given.segments, chance):
        gathered.append(record)
        if len(gathered) == GATHERED:
            sys.stdout.buffer.write(b"".join(gathered))
            gathered.clear()
    sys.stdout.buffer.write(b"".join(gathered))


# What is sent


def small(chance: random.Random) -> bytes:
    """Some lines of text."""
    return text(chance, chance.randrange(2, 9))


def large(chance: random.Random) -> bytes:
    """As many lines as a network card takes at once to cut them up."""
    return text(chance, chance.randrange(1200, 2400))


def text(chance: random.Random, lines: int) -> bytes:
    """Measured values, one a line."""
    each = (f"sensor-{chance.randrange(300)}.celsius {chance.uniform(15, 30):.2f}\n" for _ in range(lines))
    return "".join(each).encode()


def pickled(chance: random.Random) -> bytes:
    """A pickle of two measured values and sometimes a word."""
    celsius, humidity = chance.uniform(15, 30), chance.randrange(100)
    values: dict[str, int | float | str] = {"1": round(celsius), "2": humidity}
    match chance.randrange(4):
        case 0:
            values["1"] = round(celsius, 1)
        case 1:
            values["state"] = chance.choice(["ok", "low battery"])
    return pickle.dumps(values, protocol=4)


KINDS = {"small": (small, 1 << 12), "large": (large, 1 << 8), "pickles": (pickled, 1 << 12)}
"""What a segment carries, and of how many different ones each is chosen."""


# How it is sent


def records(payloads: list[bytes], segments: int, chance: random.Random) -> Iterator[bytes]:
    """A capture file, piece by piece: its header, then packets."""
    yield struct.pack("<IHHiIII", NANOSECOND_PCAP, 2, 4, 0, 0, 262_144, ETHERNET)
    packet = clocked()
    # Where the two sides of each connection are in their sequence numbers, which wrap in due course.
    sent = [chance.getrandbits(32) for _ in range(CONNECTIONS)]
    answered = [chance.getrandbits(32) for _ in range(CONNECTIONS)]
    for number in range(CONNECTIONS):
        yield packet(number, True, SYN, sent[number], 0)
        sent[number] += 1
        yield packet(number, False, SYN | ACK, answered[number], sent[number])
        answered[number] += 1
        yield packet(number, True, ACK, sent[number], answered[number])
    unacknowledged = [0] * CONNECTIONS

    def send(number: int) -> tuple[int, bytes]:
        place, data = sent[number], payloads[int(chance.random() * len(payloads))]
        sent[number] += len(data)
        unacknowledged[number] += 1
        return place, data

    for _ in range(segments):
        number = int(chance.random() * CONNECTIONS)
        segment = [send(number)]
        dice = chance.random()
        if dice < ODD:
            segment *= 2
        elif dice < 2 * ODD:
            segment.insert(0, send(number))
        for place, data in segment:
            yield packet(number, True, ACK | PUSH, place, answered[number], data)
        if unacknowledged[number] > 1:
            unacknowledged[number] = 0
            yield packet(number, False, ACK, answered[number], sent[number])
    for number in range(CONNECTIONS):
        yield packet(number, True, ACK | FIN, sent[number], answered[number])
        yield packet(number, False, ACK | FIN, answered[number], sent[number] + 1)
        yield packet(number, True, ACK, sent[number] + 1, answered[number] + 1)


def clocked() -> Callable[..., bytes]:
    """Makes records whose times go on evenly."""
    at = BEGIN

    def packet(number: int, is_sent: bool, flags: int, place: int, other: int, data: bytes = b"") -> bytes:
        nonlocal at
        at += INTERVAL
        # Two bytes of padding, twice, before the timestamps, which count milliseconds. The checksum is
        # the card's to fill in.
        ports = (40_000 + number, PORT) if is_sent else (PORT, 40_000 + number)
        clock = at // 1_000_000 & 0xFFFFFFFF
        options = 0x0101, 0x080A, clock, clock
        head = TCP.pack(*ports, place & 0xFFFFFFFF, other & 0xFFFFFFFF, 8 << 4, flags, 512, 0, 0, *options)
        frame = link_and_ip(number, is_sent, len(head) + len(data)) + head + data
        return RECORD.pack(at // SECOND, at % SECOND, len(frame), len(frame)) + frame

    return packet


@functools.cache
def link_and_ip(number: int, is_sent: bool, length: int) -> bytes:
    """The Ethernet and IPv4 headers before so many bytes."""
    client, server = bytes([10, 0, 1, number]), bytes([10, 0, 0, 1])
    addresses = client + server if is_sent else server + client
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, 6, 0) + addresses
    checksum = 0xFFFF - sum(struct.unpack("!10H", ip)) % 0xFFFF
    return bytes(12) + b"\x08\x00" + ip[:10] + struct.pack("!H", checksum) + ip[12:]


if __name__ == "__main__":
    main()
