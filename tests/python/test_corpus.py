"""The corpus is read as tshark reads it, or docs/corpus.md says why not; converted, it is clean."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from conftest import Wirespool
from corpus import Figures, captures, corpus, seen_by_tshark
from programs import REPOSITORY
from wireshark import Tshark

T = TypeVar("T")

PAGE = (REPOSITORY / "docs" / "corpus.md").read_text()


@pytest.fixture
def folder() -> Path:
    """The corpus; without it there is nothing to test."""
    found = corpus()
    if found is None:
        pytest.skip("WIRESPOOL_CORPUS names no folder")
    return found


def of_all(work: Callable[[str], T], names: list[str]) -> list[T]:
    """Two at a time: that is how many cores CI has."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, names))


def seen_by_us(wirespool: Wirespool, capture: Path) -> Figures:
    """What `info` says."""
    result = wirespool.run("info", "--json", capture).done()
    assert "panicked" not in result.stderr
    connections = json.loads(result.stdout)["connections"]
    sides = [side for one in connections for side in one["sides"].values()]
    payload, missing = (sum(side[name] for side in sides) for name in ("bytes", "missing_bytes"))
    return Figures(len(connections), payload, missing)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("tshark")
def test_the_table_of_differences_is_true(wirespool: Wirespool, folder: Path) -> None:
    names = captures(folder)
    ours = of_all(lambda name: seen_by_us(wirespool, folder / name), names)
    theirs = of_all(lambda name: seen_by_tshark(folder / name), names)
    rows = [
        f"| {name} | {one} | {other} |"
        for name, one, other in zip(names, ours, theirs, strict=True)
        if one != other
    ]
    written = re.findall(r"^(\| \S+\.pcap(?:ng)? \| [^|]* \| [^|]* \|) \S.* \|$", PAGE, re.MULTILINE)
    assert written == rows
    sums = Figures(
        sum(one.connections for one in ours),
        sum(one.payload for one in ours),
        sum(one.missing for one in ours),
    )
    with_tcp = sum(one.connections > 0 for one in ours)
    assert f"{len(names)} captures, {with_tcp} of them with TCP: {sums}" in PAGE


def lines(wirespool: Wirespool, capture: Path) -> list[dict[str, Any]]:
    """What `show` prints, but where in the file it stands and when a capture was cut."""
    found = []
    for line in wirespool.run("show", "--json", "--events", "-f", "raw", capture).done().stdout.splitlines():
        value = json.loads(line)
        value.pop("frame")
        if value.get("event") == "cut":
            value.pop("time")
        found.append(value)
    return found


@pytest.mark.timeout(600)
def test_what_is_converted_says_the_same_and_is_clean(
    wirespool: Wirespool, tshark: Tshark, folder: Path, tmp_path: Path
) -> None:
    def complaints(name: str) -> list[str]:
        kind = ("pcap", "pcapng")[len(name) % 2]
        clean = tmp_path / f"{name.replace('/', '-')}.{kind}"
        wirespool.run("convert", folder / name, clean).done()
        original = lines(wirespool, folder / name)
        found = [] if lines(wirespool, clean) == original else ["it says something else"]
        # Where there is nothing, nothing can be wrong.
        found += tshark.complaints(clean) if original else []
        return [f"{name}: {words}" for words in found if "RST" not in words]

    assert [words for found in of_all(complaints, captures(folder)) for words in found] == []
