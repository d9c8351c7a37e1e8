"""Dies in the middle of what it is sent: reads 1,000 bytes and is gone."""

import os
import socket

import peer

READS = 1000


def handle(connection: socket.socket) -> None:
    """Exit with bytes unread or still to come, so that the sender is reset."""
    left = READS
    while left > 0 and (data := connection.recv(left)):
        left -= len(data)
    peer.say("Dying")
    os._exit(1)


if __name__ == "__main__":
    peer.serve(__doc__, handle)
