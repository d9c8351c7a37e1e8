"""Takes every recv for one pickle, as the original pickle server does."""

import pickle
import socket

import peer


def handle(connection: socket.socket) -> None:
    """Print the first object of each read; what follows it in the read is lost."""
    while data := connection.recv(4096):
        peer.say(f"Received object: {pickle.loads(data)}")


if __name__ == "__main__":
    peer.serve(__doc__, handle)
