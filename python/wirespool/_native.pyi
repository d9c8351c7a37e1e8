"""The compiled core. What it offers is written here by hand, and checked by `mypy.stubtest`."""

__all__ = ["run"]

def run(argv: list[str]) -> int: ...
