"""Takes whatever comes, and says at the end how much it was and its SHA-256."""

import hashlib
import socket

import peer


def handle(connection: socket.socket) -> None:
    """Read to the end."""
    digest, length = hashlib.sha256(), 0
    while data := connection.recv(65536):
        digest.update(data)
        length += len(data)
    peer.say(f"Received {length} bytes, SHA-256 {digest.hexdigest()}")


if __name__ == "__main__":
    peer.serve(__doc__, handle)
