"""Logs by a SysLogHandler over TCP; with `lines`, as its documentation says for receivers that take lines."""

import logging
import logging.handlers
import socket
from sys import argv

import peer

if __name__ == "__main__":
    handler = logging.handlers.SysLogHandler((argv[1], int(argv[2])), socktype=socket.SOCK_STREAM)
    handler.append_nul = "lines" not in argv
    handler.setFormatter(logging.Formatter("%(message)s" if handler.append_nul else "%(message)s\n"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.info("reading %s of %d%%", "датчик", 60)
    logging.error("no answer")
    logging.info("well again")
    handler.close()
    peer.say("Client stopped.")
