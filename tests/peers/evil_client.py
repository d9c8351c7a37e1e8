"""Sends a pickle of plain data, and one that makes a file where it is loaded."""

import argparse
import pathlib
import pickle
import socket


class Trap:
    """Pickles as a call."""

    def __init__(self, path: str) -> None:
        """Take the file that loading makes."""
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        """What to call, and with what."""
        return pathlib.Path.touch, (pathlib.Path(self.path),)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    arguments = parser.parse_args()
    with socket.create_connection((arguments.host, arguments.port)) as connection:
        connection.sendall(pickle.dumps({"celsius": 24.5}) + pickle.dumps([Trap(arguments.path)]))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
