"""Logs in at token_server.py, and has three lists of numbers added up."""

from multiprocessing.connection import Client
from sys import argv

import peer

if __name__ == "__main__":
    with Client((argv[1], int(argv[2]))) as connection:
        connection.send({"do": "log in"})
        token = connection.recv()["token"]
        for count in range(3):
            connection.send({"do": "add", "token": token, "numbers": list(range(count + 1))})
            peer.say(f"Received object: {connection.recv()}")
    peer.say("Client stopped.")
