"""CPython's own tests of pickle, as the interpreter has them, run with this reader.

What is plain data must read equal, what is not must be asked for in such words that the test can make it,
and what CPython calls bad must be refused.
"""

import io
import os
import pickle
import unittest
from collections.abc import Iterable
from typing import Any

import pytest
import wirespool
from opaques import Maker

try:
    from test import pickletester  # type: ignore[import-not-found]
except ImportError as error:
    if os.environ.get("CI"):
        raise
    pytest.skip(
        f"this Python has not its own tests ({error}); Debian has them in libpython3.x-testsuite",
        allow_module_level=True,
    )


class Refused(EOFError, IndexError, KeyError, OverflowError, TypeError, ValueError, pickle.UnpicklingError):
    """What is no pickle: CPython says it by many errors, this reader by one."""


def loads(data: bytes, *, buffers: Iterable[Any] | None = None, **options: Any) -> Any:
    """Read the first pickle in `data`, as CPython's loads does, and do what it asks for."""
    try:
        value = wirespool.pickle.load(io.BytesIO(data))
    except wirespool.DecodeError as error:
        raise Refused from error
    return Maker(buffers)(value)


class Unpickling(pickletester.AbstractUnpickleTests, unittest.TestCase):  # type: ignore[misc]
    """CPython's tests of unpickling, with this reader."""

    bad_stack_errors = Refused
    truncated_errors = (Refused, EOFError)
    loads = staticmethod(loads)

    # Python 2 strings are text where they are ASCII; there is no `encoding`.
    test_load_long_python2_str_as_bytes = None


class Pickling(pickletester.AbstractPickleTests, unittest.TestCase):  # type: ignore[misc]
    """CPython's tests of pickling: what its pickler writes, with this reader."""

    pickler = pickle.Pickler
    loads = staticmethod(loads)

    def dumps(self, value: Any, protocol: int | None = None, **options: Any) -> bytes:
        """As CPython writes it."""
        return pickle.dumps(value, protocol, **options)

    # A protocol that does not exist is refused, in other words.
    test_proto = None
