"""What the peers share: their arguments, and one connection accepted or dialled."""

import argparse
import socket
import sys
import time
from collections.abc import Callable


def serve(description: str, handle: Callable[[socket.socket], None]) -> None:
    """Serve one connection, as the original servers do, with the lines they print around it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("host")
    parser.add_argument("port", type=int, help="0 takes a free one; the first line says which")
    arguments = parser.parse_args()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((arguments.host, arguments.port))
        listener.listen(1)
        host, port = listener.getsockname()
        say(f"Server started at {host}:{port}")
        connection, address = listener.accept()
        say(f"Connection from {address}")
        with connection:
            handle(connection)
    say("Connection closed")


def send_paced(description: str, encode: Callable[[int], bytes], sent: Callable[[int], str | None]) -> None:
    """Send `--count` messages, each `--interval` after the one before, then close."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between messages")
    arguments = parser.parse_args()
    with socket.create_connection((arguments.host, arguments.port)) as connection:
        for i in range(arguments.count):
            connection.sendall(encode(i))
            if (line := sent(i)) is not None:
                say(line)
            # The pause is the traffic: the originals rely on it to have each message read by itself.
            time.sleep(arguments.interval)
    say("Client stopped.")


def wait_for_word() -> None:
    """Wait until whoever started this process writes a line."""
    say("Waiting.")
    sys.stdin.readline()


def say(line: str) -> None:
    """Print a line at once: whoever started this process waits for it."""
    print(line, flush=True)
