"""What a replay writes does not destroy what it reads, by whatever name both go."""

from collections.abc import Callable
from pathlib import Path

import pytest
import wirespool as module
from conftest import Wirespool
from packets import Connection, write

SAID = "would be overwritten"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A capture, whose bytes the test compares afterwards."""
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    return write(tmp_path / "recorded.pcap", connection.say("client", b"first\n", 0.01))


def itself(path: Path) -> Path:
    """The same name."""
    return path


def by_symbolic_link(path: Path) -> Path:
    """Another name that leads to it."""
    link = path.with_name("link.pcap")
    link.symlink_to(path.name)
    return link


def by_hard_link(path: Path) -> Path:
    """Another name of the same file."""
    link = path.with_name("hard.pcap")
    link.hardlink_to(path)
    return link


@pytest.mark.parametrize(
    "named", [itself, by_symbolic_link, by_hard_link], ids=["itself", "symbolic", "hard"]
)
def test_a_capture_is_not_overwritten_by_its_own_replay(
    wirespool: Wirespool, recorded: Path, named: Callable[[Path], Path]
) -> None:
    before, other = recorded.read_bytes(), named(recorded)
    for command, *more in (("replay", "--to", "9"), ("serve",)):
        written = wirespool.run(command, recorded, *more, "-o", other, "--force").done(2)
        assert "wirespool: --output: " in written.stderr and SAID in written.stderr
        receipt = wirespool.run(command, recorded, *more, "--receipt", other).done(2)
        assert "wirespool: --receipt: " in receipt.stderr and SAID in receipt.stderr
    assert SAID in wirespool.run("diff", recorded, recorded, "--receipt", other).done(2).stderr
    with pytest.raises(module.UsageError, match=SAID):
        module.replay(recorded, 9, output=other, force=True)
    with pytest.raises(module.UsageError, match=SAID):
        module.serve(recorded, output=other, force=True)
    assert recorded.read_bytes() == before


def test_a_receipt_does_not_overwrite_the_capture_of_the_replay(
    wirespool: Wirespool, recorded: Path, tmp_path: Path
) -> None:
    output = tmp_path / "again.pcap"
    same = tmp_path / ".." / tmp_path.name / "again.pcap"
    result = wirespool.run("replay", recorded, "--to", "9", "-o", output, "--receipt", same).done(2)
    assert "wirespool: --receipt: " in result.stderr
    assert not output.exists()


def test_what_is_no_file_can_be_read_and_written(wirespool: Wirespool, recorded: Path) -> None:
    result = wirespool.run("diff", recorded, recorded, "--receipt", "/dev/stdout").done()
    assert '"outcome": "verified"' in result.text
