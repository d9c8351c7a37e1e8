"""Damaged pickles: what CPython reads we read alike, what it refuses we refuse, but for the reasons listed.

Only pickles of plain data are judged: what asks for more is read as what it asks for.
"""

import io
import os
import pickletools
import re
import subprocess
import sys
from collections import Counter

import wirespool
from describe import Describer
from mutations import mutations
from programs import PEERS

COUNT = int(os.environ.get("WIRESPOOL_MUTATIONS", "20000"))
"""How many are tried; set WIRESPOOL_MUTATIONS for a longer search, WIRESPOOL_SEED for another one."""
SEED = int(os.environ.get("WIRESPOOL_SEED", "20261122"))

REFUSED_HERE = {
    "frame": "an opcode beyond its frame, STOP before the frame's end (PEP 3154; cpython#154848)",
    "into a (bytearray|list)": "CPython fills whatever has an append or index; no pickler asks for it",
    "no (integer|float|index)": "underscores and white space that int() takes; no pickler writes them",
}
"""Why we refuse what both of CPython's unpicklers read, by words of the error."""

READ_HERE = {
    "'ascii' codec can't decode": "a Python 2 string that is not ASCII is bytes here",
    "unregistered extension code": "it was asked for, and dropped again",
    "out-of-band data": "the same",
}
"""Why we read as plain data what both refuse, by words of CPython's error."""

REQUESTS = {"GLOBAL", "STACK_GLOBAL", "INST"}
"""What asks for a call: CPython refuses what the call does not like, and we do not call."""


def answers_of_cpython(pickles: list[bytes], *reader: str) -> list[str]:
    """What CPython says of each; it is started again after one that it did not survive."""
    answers: list[str] = []
    while len(answers) < len(pickles):
        text = "\n".join(data.hex() for data in pickles[len(answers) :])
        words = [sys.executable, str(PEERS / "limited_unpickler.py"), *reader]
        child = subprocess.run(words, input=text, capture_output=True, text=True, timeout=110)
        answers += child.stdout.split("\n")[:-1]
        assert child.returncode <= 0, child.stderr
        if child.returncode < 0:
            answers.append(f"exhausted\tby signal {-child.returncode}")
    return answers


def our_answer(data: bytes) -> str:
    """What we say, in the same words."""
    try:
        # As CPython does: what comes after the pickle is not looked at.
        value = wirespool.pickle.load(io.BytesIO(data))
    except (EOFError, wirespool.DecodeError) as error:
        return f"refused\t{error}"
    try:
        return f"plain\t{Describer()(value)}"
    except TypeError:
        return "asks\t"


def kind(answer: str) -> str:
    """Its first word."""
    return answer.partition("\t")[0]


def is_disputed(theirs: str, ours: str) -> bool:
    """Whether one of both is wrong, or there is a reason."""
    match kind(theirs), kind(ours):
        case ("plain", "plain"):
            return theirs != ours
        case ("plain", "refused") | ("refused", "plain"):
            return True
    return False


def reason(data: bytes, theirs: str, ours: str) -> str | None:
    """Why we disagree with both unpicklers of CPython, if that is known."""
    if kind(ours) == "refused":
        return next((why for words, why in REFUSED_HERE.items() if re.search(words, ours)), None)
    if kind(theirs) == "plain":
        return None
    found = next((why for words, why in READ_HERE.items() if words in theirs), None)
    if found is None and REQUESTS & {opcode.name for opcode, _, _ in pickletools.genops(data)}:
        return "a call that CPython made in vain"
    return found


def test_damaged_pickles_are_read_as_cpython_reads_them_or_for_a_known_reason_not() -> None:
    pickles = list(mutations(SEED, COUNT))
    both = [
        (theirs, our_answer(data)) for data, theirs in zip(pickles, answers_of_cpython(pickles), strict=True)
    ]
    counted = Counter((kind(theirs), kind(ours)) for theirs, ours in both)
    # The mutations are no good if nothing survives them.
    assert counted["plain", "plain"] > COUNT // 20, counted
    assert counted["refused", "refused"] > COUNT // 20, counted

    disputed = [
        (data, *answers) for data, answers in zip(pickles, both, strict=True) if is_disputed(*answers)
    ]
    seconds = answers_of_cpython([data for data, _, _ in disputed], "python")
    unknown = [
        f"{data!r}\n  C:      {theirs}\n  Python: {second}\n  ours:   {ours}"
        for (data, theirs, ours), second in zip(disputed, seconds, strict=True)
        # Where CPython's two unpicklers disagree we are with pickle.py, and with pickletools.
        if is_disputed(second, ours) and reason(data, theirs, ours) is None
    ]
    assert not unknown, "\n".join(sorted(unknown, key=len)[:10])
