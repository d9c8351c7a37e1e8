"""Logs by several loggers to a SocketHandler, which nothing here has changed."""

import logging
import logging.handlers
from sys import argv

import peer


def log() -> None:
    """What several parts of a program log."""
    logging.getLogger("sensor").info("reading %s of %d%%", "датчик", 60)
    logging.getLogger("sensor.garden").warning("a long line: %s", "дождь " * 4000)
    logging.getLogger("мастерская").debug("with extras", extra={"device_id": 123, "temp": [20.5, None]})
    try:
        dict[str, int]()["missing"]
    except KeyError:
        logging.getLogger("sensor.garden").exception("it failed: \U0001f980")


if __name__ == "__main__":
    handler = logging.handlers.SocketHandler(argv[1], int(argv[2]))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    log()
    handler.close()
    peer.say("Client stopped.")
