"""Writes what the fuzz targets begin with: pickles by CPython, the JSON of their values, and text.

python fuzz/seeds.py --wirespool target/debug/wirespool
"""

import argparse
import gzip
import hashlib
import struct
import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parent
PICKLES = FUZZ.parent / "tests" / "pickle_against_cpython" / "pickles.py"
LARGEST = 4096
"""Longer seeds teach the fuzzer nothing that shorter ones do not."""

ENCODINGS = [
    "utf-8",
    "ascii",
    "latin-1",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "cp866",
    "cp874",
    "cp932",
    "cp949",
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp1258",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "mac-roman",
    "mac-cyrillic",
    "big5hkscs",
    "euc-jp",
    "gbk",
    "gb18030",
]
"""In the order in which the command lists them: the target takes one by its number."""


def save(target: str, data: bytes) -> None:
    """Put a seed into a target's corpus, under a name that its bytes give it."""
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    if len(data) <= LARGEST:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def save_packets() -> None:
    """Put what the tests read as captures into the corpus of `packet`, frame by frame, and packets to cut."""
    # In the order in which the target lists them.
    link_types = [
        1,
        0,
        9,
        12,
        50,
        51,
        101,
        104,
        105,
        108,
        109,
        113,
        117,
        127,
        147,
        166,
        204,
        219,
        228,
        229,
        239,
    ]
    for path in (FUZZ.parent / "tests" / "data" / "capture").glob("*.pcap"):
        capture = path.read_bytes()
        order = "<" if capture[0] != 0xA1 else ">"
        link_type = struct.unpack_from(f"{order}I", capture, 20)[0]
        if link_type not in link_types:
            continue
        seed, at = bytes([64, link_types.index(link_type)]), 24
        while at < len(capture) and len(seed) < 600:
            kept, length = struct.unpack_from(f"{order}II", capture, at + 8)
            frame = capture[at + 16 : at + 16 + kept]
            if kept < 256 and length - kept < 256:
                seed += bytes([kept, length - kept]) + frame
            at += 16 + kept
        save("packet", seed)
    for how in range(8):
        save("packet", bytes([0, how, how, how, how]) + bytes(range(200)))


def save_captures() -> None:
    """Put what the tests read as captures into the corpus of `reader`, plain and compressed."""
    for path in (FUZZ.parent / "tests" / "data" / "capture").glob("*.pcap*"):
        capture = path.read_bytes()
        for number, data in enumerate((capture, capture[:600], gzip.compress(capture))):
            save("reader", bytes([number]) + data)


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
        beginning = bytes([len(data) % 256, 255])
        framed = len(data).to_bytes(4, "big") + data
        save("detect", beginning + data * 3)
        save("detect", beginning + framed * 3)
    for number, encoding in enumerate(ENCODINGS):
        for text in ("Съешь ещё этих мягких булок\r\n", "いろはにほへと\n", "漢字 😀\n", "naïve €\n"):
            data = text.encode(encoding, "ignore")
            save("text", bytes([len(data), number]) + data * 3)
    save_packets()
    # A handshake, data out of order, ends; each segment as tests/properties/reassembly.rs reads it.
    segments = "0200000000020000 0700000000020080 0464640010020000 0464640650020000 0c00000c90020000"
    for policy in range(32):
        save("reassembly", bytes([policy]) + bytes.fromhex(segments))
    save_captures()
    decode = [wirespool, "decode", "-f", "pickle", "--json"]
    shown = subprocess.run(decode, input=b"".join(pickles), stdout=subprocess.PIPE, check=False)
    for line in shown.stdout.splitlines():
        _, found, value = line.partition(b'"value":')
        if found:
            save("json", value.removesuffix(b"}"))


if __name__ == "__main__":
    main()
