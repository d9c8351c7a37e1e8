"""Runs an original client, which sends once a second for ever, for N messages and in a test's time."""

import argparse
import importlib
import time

import peer


def main() -> None:
    """Replace the pause after each send: shorter, and Ctrl-C after the last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--interval", type=float, default=0.05, help="0 sends with no pause at all")
    parser.add_argument(
        "--hold", action="store_true", help="wait for a line on stdin after the first message"
    )
    arguments = parser.parse_args()
    sleep, sent = time.sleep, 0

    def pause(_seconds: object) -> None:
        nonlocal sent
        sent += 1
        if arguments.hold and sent == 1:
            peer.wait_for_word()
        if arguments.interval:
            sleep(arguments.interval)
        if sent == arguments.count:
            raise KeyboardInterrupt

    time.sleep = pause
    importlib.import_module(arguments.module).start_client(arguments.host, arguments.port)


if __name__ == "__main__":
    main()
