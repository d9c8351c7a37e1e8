"""Pickles without running them: the interface of the standard library's pickle, for plain data.

Plain data is None, bool, int, float, str, bytes, bytearray, list, tuple, dict, set and frozenset, with
sharing and cycles. What a pickle asks for beyond it is read as a wirespool.Opaque, and never imported or
called, unless the reader passes in what to call for it:

    wirespool.pickle.loads(data, allow=wirespool.pickle.STDLIB_DATA)
    wirespool.pickle.loads(data, allow=STDLIB_DATA | {("shop.orders", "Order"): Order})

A key is an exact (module, qualname), as the pickle writes it or, for names of Python 2, as they are called
now; a method of a class is ("shop.orders", "Order.of"). Plain data is never called for: a key such as
("builtins", "set") finds only what makes no set of plain data.

A value is called with the pickle's arguments; where the pickle makes an instance without __init__, as most
do, and the value is a class, its __new__ is. Then items are appended, entries set, and the state is given to
__setstate__, or put into __dict__ and slots. Only calls are made, and only those that the value needs: a
class that is merely named stays an Opaque, and what a pickle makes and drops is not made. What a callable
raises is the cause of a DecodeError of the kind "schema": the bytes are in order, and are read without
allow. Whatever is listed runs with a peer's arguments, so list what holds data; names that would let a
pickle run anything are refused.

STDLIB_DATA has the data types of the standard library: of datetime date, datetime, time, timedelta and
timezone; the time zones that zoneinfo knows on this system; Decimal, Fraction, UUID, complex, range, slice;
Counter, OrderedDict, defaultdict and deque; the addresses and networks of ipaddress; and paths, of which
PosixPath and WindowsPath are read as PurePosixPath and PureWindowsPath. Their arguments are validated before
the call: none takes longer than its bytes do.

What a pickle asks for, `audit` lists, without any of that.

Different from the standard library's pickle: a string of Python 2 that is not ASCII is read as bytes, unless
encoding or errors is given, and an out-of-band buffer as an Opaque, unless buffers are. Errors are those of
the standard library, too: a DecodeError is a pickle.UnpicklingError, a PicklingError a TypeError. There is no
Unpickler and no Pickler: allow stands for find_class, an Opaque for persistent_load, and each pickle for
itself, without a memo from the one before.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from wirespool._native import (
    Audit,
    AuditRequest,
    DecodeError,
    Error,
    PicklingError,
    audit,
    dump,
    dumps,
    load,
    loads,
)

__all__ = [
    "DEFAULT_PROTOCOL",
    "HIGHEST_PROTOCOL",
    "STDLIB_DATA",
    "Audit",
    "AuditRequest",
    "PickleError",
    "PicklingError",
    "UnpicklingError",
    "audit",
    "dump",
    "dumps",
    "load",
    "loads",
]

HIGHEST_PROTOCOL: Final = 5
DEFAULT_PROTOCOL: Final = 4

# By these names, what catches errors of the standard library's pickle catches ours.
PickleError = Error
UnpicklingError = DecodeError

_OF_EVERY_MODULE: Final = {"__doc__", "__file__", "__name__", "__package__", "__spec__"}

STDLIB_DATA: MappingProxyType[tuple[str, str], Callable[..., Any]]


def __getattr__(name: str) -> Any:
    """STDLIB_DATA, when it is asked for: few need all these modules."""
    if name == "STDLIB_DATA":
        from wirespool._stdlib_data import STDLIB_DATA

        globals()[name] = STDLIB_DATA
        return STDLIB_DATA
    instead = {
        "Unpickler": "; use load(file, allow={(module, qualname): callable})",
        "Pickler": "; use dump(value, file)",
    }
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{instead.get(name, '')}")


def __dir__() -> list[str]:
    """What is for others, STDLIB_DATA too."""
    return [*__all__, *(name for name in globals() if name in _OF_EVERY_MODULE)]
