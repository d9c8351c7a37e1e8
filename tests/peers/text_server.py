"""Takes every recv for one text, as the original text server does."""

import socket

import peer


def handle(connection: socket.socket) -> None:
    """Print each read; a character cut by a read's end is the death of it."""
    while data := connection.recv(1024).decode("utf-8"):
        peer.say(f"Received: {data}")


if __name__ == "__main__":
    peer.serve(__doc__, handle)
