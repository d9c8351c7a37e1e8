"""tshark as the judge of what was written."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROTOCOLS = {"eth", "ip", "ipv6", "tcp", "frame", "raw", "null", "data"}
CHECKSUMS = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")


@dataclass
class Tshark:
    """A tshark that checks every checksum and takes no payload for a protocol it happens to know."""

    program: str
    profile: Path

    @classmethod
    def prepare(cls, program: str, profile: Path) -> Self:
        """Write the profile. `--only-protocols` would say it too, but Debian 12's tshark 4.0 lacks it."""
        asked = [program, "-G", "protocols"]
        table = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
        names = {line.split("\t")[2] for line in table.splitlines()}
        assert names > PROTOCOLS, f"tshark knows no {PROTOCOLS - names}"
        (profile / "disabled_protos").write_text("".join(f"{name}\n" for name in sorted(names - PROTOCOLS)))
        return cls(program, profile)

    def tell(self, capture: Path, *words: str) -> str:
        """What it prints of a file."""
        command = [self.program, "-n", "-r", str(capture), *CHECKSUMS, *words]
        environment = {**os.environ, "WIRESHARK_CONFIG_DIR": str(self.profile)}
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def complaints(self, capture: Path) -> list[str]:
        """The lines of the expert information under Errors and Warns."""
        found, section = [], ""
        for line in self.tell(capture, "-q", "-z", "expert").splitlines():
            if heading := re.match(r"^(Errors|Warns|Notes|Chats) \(\d+\)$", line.strip()):
                section = heading.group(1)
            elif section in ("Errors", "Warns") and re.match(r"^\s+\d+\s", line):
                found.append(f"{section}: {line.strip()}")
        return found
