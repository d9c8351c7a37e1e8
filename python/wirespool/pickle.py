"""Pickles without running them: the interface of the standard library's pickle, for plain data.

Plain data is None, bool, int, float, str, bytes, bytearray, list, tuple, dict, set and frozenset, with
sharing and cycles. What a pickle asks for beyond it is read as a wirespool.Opaque, and never imported or
called.
"""

from wirespool._native import dump, dumps, load, loads

__all__ = ["dump", "dumps", "load", "loads"]
