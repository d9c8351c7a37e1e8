"""Data types of the standard library that pickles are made of, each validated before it is made.

A pickle's arguments are a peer's. What is made here takes no more time and memory than the pickle has
bytes, and is what the type itself would have written: nothing is converted, and nothing unbounded is
parsed.
"""

import re
import sys
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID, SafeUUID

from wirespool._native import Opaque, _Recipe

# CPython's own limit for integers as text. More digits make arithmetic take longer than reading them.
_DIGITS: Final = 4_300
_BITS: Final = 14_284  # what has so many digits
# What Python's default decimal context can hold: int() of more would never end.
_EXPONENT: Final = 999_999
_PATH_PARTS: Final = 4_096
_COLLIDING: Final = 256  # numbers can be chosen so that their hashes are one

_DECIMAL: Final = re.compile(
    r"[-+]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE](?P<exponent>[-+]?[0-9]{1,6}))?|Infinity|s?NaN[0-9]*)", re.ASCII
)
_FRACTION: Final = re.compile(rf"-?[0-9]{{1,{_DIGITS}}}(?:/[0-9]{{1,{_DIGITS}}})?", re.ASCII)


def _int(value: Any, *, bits: int = _BITS) -> int:
    if type(value) is not int:
        raise TypeError(f"an int is needed, not {type(value).__name__}")
    if value.bit_length() > bits:
        raise ValueError(f"an int of more than {bits} bits")
    return value


def _text(value: Any, most: int) -> str:
    if type(value) is not str:
        raise TypeError(f"a str is needed, not {type(value).__name__}")
    if len(value) > most:
        raise ValueError(f"more than {most} characters")
    return value


def _packed(value: Any, length: int) -> bytes:
    """The bytes that datetime packs itself into; what Python 2 wrote may be a str by now."""
    if type(value) is str:
        value = value.encode("latin-1")
    if type(value) is not bytes or len(value) != length:
        raise TypeError(f"{length} bytes are needed")
    return value


def _zone(zone: tuple[Any, ...]) -> tuple[tzinfo, ...]:
    """The tzinfo that may follow; what an allow-list made is one, an Opaque is none."""
    if len(zone) > 1 or not all(isinstance(one, tzinfo) for one in zone):
        raise TypeError("the time zone is not one that is allowed")
    return zone


# pickle's own way to call them has no type.
_packable: Final[Mapping[str, Any]] = {"date": date, "datetime": datetime, "time": time}


def _date(packed: Any) -> Any:
    return _packable["date"](_packed(packed, 4))


def _datetime(packed: Any, *zone: Any) -> Any:
    return _packable["datetime"](_packed(packed, 10), *_zone(zone))


def _time(packed: Any, *zone: Any) -> Any:
    return _packable["time"](_packed(packed, 6), *_zone(zone))


def _timedelta(days: Any = 0, seconds: Any = 0, microseconds: Any = 0) -> timedelta:
    return timedelta(_int(days, bits=64), _int(seconds, bits=64), _int(microseconds, bits=64))


def _timezone(offset: Any, *name: Any) -> timezone:
    if type(offset) is not timedelta or len(name) > 1:
        raise TypeError("a time zone is made of a timedelta and a name")
    return timezone(offset, *[_text(one, 1_000) for one in name])


_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,3}", re.ASCII)


# By where zoneinfo looks for them: to find them takes as long as to read them all.
_zones: Final[dict[tuple[str, ...], frozenset[str]]] = {}


def _known_zones() -> frozenset[str]:
    """The zones of this system."""
    path = tuple(zoneinfo.TZPATH)
    if path not in _zones:
        _zones[path] = frozenset(zoneinfo.available_timezones())
    return _zones[path]


def _zone_info(key: Any, from_cache: Any = True) -> tzinfo:
    # Only the name of a zone that there is becomes a path. Each is read once, also where the pickle asks
    # for one beside the cache: that would take kilobytes for each byte of a pickle.
    if type(from_cache) not in (bool, int):
        raise TypeError("a bool is needed")
    if not _ZONE.fullmatch(_text(key, 200)):
        raise ValueError("the text is no name of a time zone, as 'Europe/Berlin'")
    if key not in _known_zones():
        raise ValueError(f"this system has no time zone {key!r}; is the package tzdata installed?")
    return zoneinfo.ZoneInfo(key)


def _decimal(text: Any) -> Decimal:
    # As long as the pickle has room for: reading and hashing it take no longer than that.
    match = _DECIMAL.fullmatch(_text(text, sys.maxsize))
    if match is None:
        raise ValueError("the text is no decimal number of an ordinary exponent")
    return Decimal(match.group())


def _fraction(numerator: Any, *denominator: Any) -> Fraction:
    if type(numerator) is str and not denominator:
        if not _FRACTION.fullmatch(numerator):
            raise ValueError("the text is no fraction of ordinary size")
        return Fraction(numerator)
    if len(denominator) > 1:
        raise TypeError("a fraction is two ints")
    return Fraction(_int(numerator), *[_int(one) for one in denominator])


def _uuid(state: Any) -> UUID:
    if type(state) is dict and b"int" in state:
        raise TypeError("the names in the state are bytes: of Python 2, they are text with encoding='latin1'")
    if type(state) is not dict or not state.keys() <= {"int", "is_safe"} or "int" not in state:
        raise TypeError("the state is none of a UUID")
    safe = state.get("is_safe", SafeUUID.unknown.value)
    number = _int(state["int"], bits=128)
    return UUID(int=number, is_safe=SafeUUID(safe if safe is None else _int(safe, bits=8)))


def _complex(real: Any, imag: Any) -> complex:
    if type(real) is not float or type(imag) is not float:
        raise TypeError("a complex is two floats")
    return complex(real, imag)


def _range(start: Any, stop: Any, step: Any = 1) -> range:
    return range(_int(start), _int(stop), _int(step))


def _slice(start: Any, stop: Any, step: Any) -> "slice[Any, Any, Any]":
    parts = (start, stop, step)
    return slice(*[part if part is None else _int(part) for part in parts])


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    if type(value) is not list or not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in value):
        raise TypeError("a list of pairs is needed")
    hashes = Counter(hash(key) for key, _ in value if type(key) is not str)
    if max(hashes.values(), default=0) > _COLLIDING:
        raise ValueError("too many keys collide")
    return value


def _ordered_dict(*pairs: Any) -> "OrderedDict[Any, Any]":
    if len(pairs) > 1:
        raise TypeError("one list of pairs is enough")
    return OrderedDict(*[_pairs(one) for one in pairs])


def _counter(*counts: Any) -> "Counter[Any]":
    if len(counts) > 1 or not all(type(one) is dict for one in counts):
        raise TypeError("a Counter is made of a dict")
    return Counter(*counts)


def _deque(items: Any = (), maxlen: Any = None) -> "deque[Any]":
    if type(items) not in (list, tuple):
        raise TypeError("a deque is made of a list")
    return deque(items, maxlen if maxlen is None else _int(maxlen, bits=63))


# What a defaultdict may call. All give something empty.
_FACTORIES: Final[Mapping[str, Callable[[], Any]]] = {
    factory.__name__: factory
    for factory in (bool, bytearray, bytes, complex, dict, float, frozenset, int, list, set, str, tuple)
} | {"long": int, "unicode": str}


def _default_dict(*factory: Any) -> "defaultdict[Any, Any]":
    match factory:
        case () | (None,):
            return defaultdict(None)
        case (Opaque(module="builtins" | "__builtin__", qualname=str(name), args=None, state=None),):
            if name in _FACTORIES:
                return defaultdict(_FACTORIES[name])
    raise TypeError("a defaultdict calls only a plain type, as list or int")


def _path(kind: type[PurePath]) -> Callable[..., PurePath]:
    def path(*parts: Any) -> PurePath:
        if len(parts) > _PATH_PARTS:
            raise ValueError(f"more than {_PATH_PARTS} parts")
        return kind(*[_text(part, sys.maxsize) for part in parts])

    return path


def _address(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def address(value: Any) -> Any:
        return kind(_text(value, 200) if type(value) is str else _int(value, bits=128))

    return address


def _data() -> MappingProxyType[tuple[str, str], Callable[..., Any]]:
    made: dict[tuple[str, str], Callable[..., Any]] = {
        ("builtins", "complex"): _complex,
        ("builtins", "range"): _range,
        ("builtins", "slice"): _slice,
        ("collections", "Counter"): _counter,
        ("collections", "OrderedDict"): _ordered_dict,
        ("collections", "defaultdict"): _default_dict,
        ("collections", "deque"): _deque,
        ("datetime", "date"): _date,
        ("datetime", "datetime"): _datetime,
        ("datetime", "time"): _time,
        ("datetime", "timedelta"): _timedelta,
        ("datetime", "timezone"): _timezone,
        ("decimal", "Decimal"): _decimal,
        ("fractions", "Fraction"): _fraction,
        ("zoneinfo", "ZoneInfo._unpickle"): _zone_info,
    }
    # 3.13 names them by the private module. A path that could touch a file is read as one that cannot.
    for module in ("pathlib", "pathlib._local"):
        made[module, "PurePosixPath"] = made[module, "PosixPath"] = _path(PurePosixPath)
        made[module, "PureWindowsPath"] = made[module, "WindowsPath"] = _path(PureWindowsPath)
    for kind in (IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network):
        made["ipaddress", kind.__name__] = _address(kind)
    recipes: dict[tuple[str, str], Callable[..., Any]] = {key: _Recipe(make) for key, make in made.items()}
    recipes["uuid", "UUID"] = _Recipe(_uuid, takes_state=True)
    return MappingProxyType(recipes)


STDLIB_DATA: Final = _data()
