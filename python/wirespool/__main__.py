"""The `wirespool` command, as the wheel installs it; `python -m wirespool` is the same."""

import signal
import sys


def main() -> int:
    """Run the command with this process's words, and return its exit status."""
    from wirespool import _native

    # Python's own handler only sets a flag, which nobody reads while Rust runs: Ctrl-C would hang.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
