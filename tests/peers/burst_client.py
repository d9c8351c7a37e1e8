"""Sends many messages with no pause: one send each, or all in pieces that heed no message's border."""

import argparse
import random
import socket

import messages
import peer

PIECE_MIN, PIECE_MAX = 1, 97


def main() -> None:
    """Send, half-close, and wait until the other side has closed too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format", choices=messages.FORMATS)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--pieces", type=int, metavar="SEED", help="send in pieces of 1 to 97 bytes")
    parser.add_argument(
        "--hold", action="store_true", help="wait for a line on stdin after the first message"
    )
    arguments = parser.parse_args()
    encoded = [messages.encode_burst(arguments.format, i) for i in range(arguments.count)]
    with socket.create_connection((arguments.host, arguments.port)) as connection:
        if arguments.pieces is not None:
            # Without it Nagle's algorithm would join the pieces again.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            encoded = pieces(b"".join(encoded), random.Random(arguments.pieces))
        for number, part in enumerate(encoded):
            connection.sendall(part)
            if arguments.hold and number == 0:
                peer.wait_for_word()
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    peer.say(f"Sent {arguments.count} messages.")


def pieces(data: bytes, seeded: random.Random) -> list[bytes]:
    """`data` cut at random."""
    parts, start = [], 0
    while start < len(data):
        end = start + seeded.randint(PIECE_MIN, PIECE_MAX)
        parts.append(data[start:end])
        start = end
    return parts


if __name__ == "__main__":
    main()
