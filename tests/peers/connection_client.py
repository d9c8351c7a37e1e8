"""Has three lists of numbers added up, and prints what came back."""

import argparse
from multiprocessing.connection import Client

import peer

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--key", type=str.encode)
    arguments = parser.parse_args()
    with Client((arguments.host, arguments.port), authkey=arguments.key) as connection:
        for count in range(3):
            connection.send(list(range(count + 1)))
            peer.say(f"Received object: {connection.recv()}")
    peer.say("Client stopped.")
