"""Writes what the fuzz targets begin with: pickles by CPython, and the JSON of their values.

python fuzz/seeds.py --wirespool target/debug/wirespool
"""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parent
PICKLES = FUZZ.parent / "tests" / "pickle_against_cpython" / "pickles.py"
LARGEST = 4096
"""Longer seeds teach the fuzzer nothing that shorter ones do not."""


def save(target: str, data: bytes) -> None:
    """Put a seed into a target's corpus, under a name that its bytes give it."""
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    if len(data) <= LARGEST:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def main() -> None:
    """Make the seeds of all targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wirespool", required=True, help="the command")
    wirespool = parser.parse_args().wirespool
    written = subprocess.run(
        [sys.executable, PICKLES, "write"], check=True, stdout=subprocess.PIPE, text=True
    )
    pickles = [bytes.fromhex(line.split("\t")[2]) for line in written.stdout.splitlines()]
    for data in pickles:
        save("machine", data)
        # The first byte says how the rest is cut.
        save("splitter", bytes([len(data) % 256]) + data)
    decode = [wirespool, "decode", "-f", "pickle", "--json"]
    shown = subprocess.run(decode, input=b"".join(pickles), stdout=subprocess.PIPE, check=False)
    for line in shown.stdout.splitlines():
        _, found, value = line.partition(b'"value":')
        if found:
            save("json", value.removesuffix(b"}"))


if __name__ == "__main__":
    main()
