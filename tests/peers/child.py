"""A client run by another program: finds the address as it is told, and ends as it is told."""

import argparse
import os
import signal
import socket
import sys

import peer


def main() -> None:
    """Exchange texts with an echo, say what came back, and end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="*", default=[])
    parser.add_argument("--address", default=os.environ.get("WIRESPOOL_ADDR"))
    parser.add_argument("--status", type=int, default=0, help="exit with this")
    parser.add_argument("--signal", type=int, help="be killed by this signal")
    parser.add_argument("--unanswered", action="store_true", help="read no answers")
    parser.add_argument(
        "--stay", choices=["heed", "refuse"], help="wait for signals; refuse to end by SIGTERM"
    )
    arguments = parser.parse_args()
    host, _, port = arguments.address.rpartition(":")
    connection = socket.create_connection((host.strip("[]"), int(port)))
    for text in arguments.texts:
        data = text.encode()
        connection.sendall(data)
        if not arguments.unanswered:
            peer.say(f"Received: {receive(connection, len(data)).decode()}")
    if arguments.stay:
        stay(connection, refuse=arguments.stay == "refuse")
    if arguments.signal:
        os.kill(os.getpid(), arguments.signal)
    sys.exit(arguments.status)


def stay(connection: socket.socket, *, refuse: bool) -> None:
    """Wait for a signal; on one that is heeded, say farewell to the server and end."""

    def heed(number: int, _frame: object) -> None:
        name = signal.Signals(number).name
        peer.say(f"Heard {name}")
        if number == signal.SIGTERM and refuse:
            return
        connection.sendall(f"farewell by {name}".encode())
        sys.exit(7)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, heed)
    peer.say("Ready")
    while True:
        signal.pause()


def receive(connection: socket.socket, length: int) -> bytes:
    """So many bytes, or what came before the end."""
    data = b""
    while len(data) < length and (part := connection.recv(length - len(data))):
        data += part
    return data


if __name__ == "__main__":
    main()
