"""Adds up numbers for one client of multiprocessing.connection, which must know the key if there is one."""

import argparse
from contextlib import suppress
from multiprocessing.connection import Listener

import peer

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int, help="0 takes a free one; the first line says which")
    parser.add_argument("--key", type=str.encode)
    arguments = parser.parse_args()
    with Listener((arguments.host, arguments.port), authkey=arguments.key) as listener:
        host, port = listener.address
        peer.say(f"Server started at {host}:{port}")
        with listener.accept() as connection:
            peer.say(f"Connection from {listener.last_accepted}")
            with suppress(EOFError):
                while True:
                    numbers = connection.recv()
                    peer.say(f"Received object: {numbers}")
                    connection.send({"sum": sum(numbers)})
    peer.say("Connection closed")
