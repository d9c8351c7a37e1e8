"""`wirespool demo`: the whole path, nothing needed."""

import time
from pathlib import Path

from conftest import Wirespool


def test_the_demo_records_shows_and_replays(wirespool: Wirespool, tmp_path: Path) -> None:
    begun = time.monotonic()
    result = wirespool.start("demo", cwd=tmp_path).finish().done()
    assert time.monotonic() - begun < 10, "a demo is not waited for"
    captures = sorted((tmp_path / "demo").glob("*.pcapng"))
    assert captures
    assert "delivered" in result.stderr + result.text or "verified" in result.stderr + result.text
    for capture in captures:
        wirespool.run("info", capture, "--check").done()
