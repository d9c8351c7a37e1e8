"""Gives each client of multiprocessing.connection a token made by chance, and serves only who shows it."""

import secrets
from contextlib import suppress
from multiprocessing.connection import Connection, Listener
from sys import argv
from typing import Any

import peer


def serve(connection: "Connection[Any, Any]") -> None:
    """Answer until the client has gone."""
    token = None
    while True:
        request = connection.recv()
        if request["do"] == "log in":
            token = secrets.token_hex(8 + secrets.randbelow(8))
            connection.send({"token": token, "served by": secrets.randbelow(1000)})
        elif request.get("token") != token:
            connection.send({"error": "who are you?"})
        else:
            connection.send({"sum": sum(request["numbers"])})


if __name__ == "__main__":
    with Listener((argv[1], int(argv[2]))) as listener:
        host, port = listener.address
        peer.say(f"Server started at {host}:{port}")
        with listener.accept() as accepted, suppress(EOFError):
            serve(accepted)
    peer.say("Connection closed")
