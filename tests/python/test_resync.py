"""`--resync`: where pickles go on after damage, a guess that says it is one."""

import pickle
from pathlib import Path

import wirespool
from conftest import Wirespool
from test_capture_module import conversation, foreign

FIRST, NEXT, LAST = (pickle.dumps({"number": number}) for number in range(3))
DAMAGED = FIRST + b"\xff damaged " + NEXT + LAST


def test_after_damage_the_next_pickles_are_shown_as_guessed(wirespool: Wirespool) -> None:
    decode = ("decode", "-f", "pickle", "--json")
    lost = wirespool.run(*decode, stdin=DAMAGED).done(1).json
    assert [record.get("value") for record in lost] == [{"number": 0}, None]
    first, damage, *found = wirespool.run(*decode, "--resync", stdin=DAMAGED).done(1).json
    assert "split" not in first
    assert (damage["error"]["kind"], damage["offset"]) == ("corrupt", len(FIRST))
    assert [record["value"] for record in found] == [{"number": 1}, {"number": 2}]
    assert [record["split"] for record in found] == ["guessed", "guessed"]
    assert found[0]["offset"] == len(FIRST) + len(b"\xff damaged ")


def test_the_module_finds_the_next_pickle_behind_a_gap(tmp_path: Path) -> None:
    # The end of the first pickle is missing, and the beginning of the second.
    stream = pickle.dumps("x" * 100) + pickle.dumps("y" * 100) + LAST
    rest = len(stream) - 50
    path = foreign(tmp_path / "gap.pcap", *conversation((0, stream[:50]), (rest, stream[rest:])))
    said = list(wirespool.open(path, "pickle", resync=True))
    assert [message.error.kind for message in said[:-1] if message.error] == ["truncated", "truncated"]
    assert (said[-1].value, said[-1].split) == ({"number": 2}, "guessed")
    assert said[-1].offset == len(stream) - len(LAST)


def test_an_audit_goes_on_with_the_next_pickle(wirespool: Wirespool) -> None:
    lost = wirespool.run("audit", "-", stdin=DAMAGED).done(1)
    assert "1 plain data only, 1 unreadable" in lost.text
    found = wirespool.run("audit", "-", "--resync", stdin=DAMAGED).done(1)
    assert "3 plain data only, 1 unreadable" in found.text
