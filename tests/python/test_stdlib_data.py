"""`wirespool.pickle.STDLIB_DATA`: the standard library's data types, and hostile arguments for each."""

import collections
import datetime
import decimal
import fractions
import ipaddress
import pathlib
import pickle
import pickletools
import uuid
import zoneinfo
from typing import Any

import pytest
import wirespool
from wirespool.pickle import STDLIB_DATA

PROTOCOLS = range(6)
UTC = datetime.UTC

VALUES: list[Any] = [
    datetime.date(2024, 2, 29),
    datetime.date.min,
    datetime.datetime(2024, 2, 29, 23, 59, 59, 999_999),
    datetime.datetime(2024, 2, 29, tzinfo=UTC),
    datetime.datetime(2024, 10, 27, 2, 30, fold=1),
    datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=-3), "BRT")),
    datetime.time(1, 2, 3, 4),
    datetime.time(1, 2, tzinfo=UTC),
    datetime.timedelta(-1, 2, 3),
    datetime.timedelta.max,
    UTC,
    zoneinfo.ZoneInfo("America/Argentina/Buenos_Aires"),
    datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    datetime.time(12, tzinfo=zoneinfo.ZoneInfo("UTC")),
    decimal.Decimal("-0.00"),
    decimal.Decimal("1.5E-300"),
    decimal.Decimal("1" * 5000),
    decimal.Decimal("Infinity"),
    fractions.Fraction(-1, 3),
    fractions.Fraction(7),
    uuid.UUID(int=2**128 - 1),
    uuid.uuid4(),
    uuid.uuid1(),
    collections.OrderedDict([("b", 1), ("a", [2])]),
    collections.defaultdict(list, {"k": [1]}),
    collections.defaultdict(None, {"k": 1}),
    collections.deque([1, [2]]),
    collections.deque("abc", maxlen=2),
    collections.Counter("hello"),
    1.5 - 2j,
    range(10),
    range(10, 0, -3),
    pathlib.PurePosixPath("/etc/../a b"),
    pathlib.PureWindowsPath("c:/x"),
    ipaddress.ip_address("127.0.0.1"),
    ipaddress.ip_address("::1"),
    ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_network("2001:db8::/32"),
    ipaddress.ip_interface("192.168.1.1/24"),
    ipaddress.ip_interface("fe80::1/64"),
]


def loads(data: bytes) -> Any:
    """With the standard library's data types."""
    return wirespool.pickle.loads(data, allow=STDLIB_DATA)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_each_type_is_read_as_pickle_reads_it(value: Any, protocol: int) -> None:
    for data in (pickle.dumps(value, protocol), pickletools.optimize(pickle.dumps(value, protocol))):
        read = loads(data)
        assert type(read) is type(value)
        assert read == value
        assert repr(read) == repr(pickle.loads(data))  # below protocol 4 without the fold
    shared = loads(pickle.dumps([value, (value,)], protocol))
    assert shared[0] is shared[1][0]
    if type(value).__hash__ is not None:
        assert loads(pickle.dumps({value: 1}, protocol)) == {value: 1}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_containers_of_the_standard_library_may_hold_themselves(protocol: int) -> None:
    deque: collections.deque[Any] = collections.deque()
    deque.append([deque])
    ordered: collections.OrderedDict[str, Any] = collections.OrderedDict()
    ordered["self"] = ordered
    default: collections.defaultdict[str, Any] = collections.defaultdict(dict)
    default["self"] = (default,)
    one, two, three = loads(pickle.dumps([deque, ordered, default], protocol))
    assert one[0][0] is one
    assert two["self"] is two
    assert three["self"][0] is three
    assert three["new"] == {}


def test_a_path_that_could_touch_a_file_is_read_as_one_that_cannot() -> None:
    for name, kind in [("PosixPath", pathlib.PurePosixPath), ("WindowsPath", pathlib.PureWindowsPath)]:
        for module in ("pathlib", "pathlib._local"):
            data = f"c{module}\n{name}\n(S'a'\nS'b'\ntR.".encode()
            assert loads(data) == kind("a/b")
            assert type(loads(data)) is kind


def test_what_older_pythons_wrote_is_read() -> None:
    # 2.7: datetime at protocol 2, deque, OrderedDict, UUID, Decimal and xrange.
    assert loads(
        b"\x80\x02cdatetime\ndatetime\nq\x00U\n\x07\xe8\x02\x1d\x17;;\x0fB?q\x01\x85q\x02Rq\x03."
    ) == datetime.datetime(2024, 2, 29, 23, 59, 59, 999_999)
    assert loads(b"\x80\x02cdatetime\ndate\nq\x00U\x04\x07d\x02\x01q\x01\x85q\x02R.") == datetime.date(
        1892, 2, 1
    )
    assert loads(b"\x80\x02ccollections\ndeque\n](K\x01K\x02eK\x03\x86R.") == collections.deque([1, 2], 3)
    assert loads(b"\x80\x02ccollections\nOrderedDict\n](](U\x01bK\x01e](U\x01aK\x02ee\x85R.") == {
        "b": 1,
        "a": 2,
    }
    assert loads(b"ccopy_reg\n_reconstructor\n(cuuid\nUUID\nc__builtin__\nobject\nNtR(dS'int'\nL5L\nsb.") == (
        uuid.UUID(int=5)
    )
    assert loads(b"cdecimal\nDecimal\n(S'1.50'\ntR.") == decimal.Decimal("1.50")
    assert loads(b"c__builtin__\ncomplex\n(F1.0\nF2.0\ntR.") == 1 + 2j
    # Fraction as text, as before 3.12; a path as 3.13 names it.
    assert loads(b"cfractions\nFraction\n(V1/3\ntR.") == fractions.Fraction(1, 3)
    data = b"\x80\x04\x8c\x0epathlib._local\x8c\rPurePosixPath\x93\x8c\x01a\x85R."
    assert loads(data) == pathlib.PurePosixPath("a")


def call(name: str, *args: Any) -> bytes:
    """A pickle that calls what has this name with plain arguments."""
    module, _, qualname = name.rpartition(".")
    return f"\x80\x02c{module}\n{qualname}\n".encode("latin-1") + pickle.dumps(args, 2)[2:-1] + b"R."


HUGE = 1 << 3_000_000
HOSTILE = [
    call("fractions.Fraction", "1e1000000000"),
    call("fractions.Fraction", "1" * 1_000_000),
    call("fractions.Fraction", "1/" + "3" * 5_000),
    call("fractions.Fraction", "1/0"),
    call("fractions.Fraction", " 1"),
    call("fractions.Fraction", "١"),
    call("fractions.Fraction", HUGE, HUGE + 1),
    call("fractions.Fraction", 0.1),
    call("fractions.Fraction", 1, 2, 3),
    call("decimal.Decimal", "1e1000000000"),
    call("decimal.Decimal", "1e-99999999999999999999"),
    call("decimal.Decimal", "1e" + "9" * 1_000_000),
    call("decimal.Decimal", "x" * 1_000_000),
    call("decimal.Decimal", 1.5),
    call("decimal.Decimal", (0, (1,), 10**9)),
    call("decimal.Decimal", HUGE),
    call("datetime.date", "2024-01-01"),
    call("datetime.date", b"\0\0\0\0"),
    call("datetime.date", b"\x07\xe8\x0d\x01"),
    call("datetime.date", 2024, 1, 1),
    call("datetime.datetime", b"x" * 10),
    call("datetime.datetime", b"\x07\xe8\x02\x1d\0\0\0\0\0\0", "tz"),
    call("datetime.datetime", b"\x07\xe8\x02\x1d\0\0\0\0\0\0", None, None),
    call("datetime.time", b"\xff" * 6),
    call("datetime.time", "дата"),
    call("datetime.timedelta", HUGE),
    call("datetime.timedelta", 1e308),
    call("datetime.timedelta", 10**12),
    call("datetime.timezone", 3600),
    call("collections.OrderedDict", [[1]]),
    call("collections.OrderedDict", {"a": 1}),
    call("collections.OrderedDict", [([], 1)]),
    call("collections.OrderedDict", [], []),
    call("collections.Counter", "a" * 100),
    call("collections.Counter", {}, {}),
    call("collections.deque", "abc"),
    call("collections.deque", [], HUGE),
    call("collections.deque", [], -1),
    call("collections.deque", [], 1.5),
    call("collections.defaultdict", "list"),
    call("collections.defaultdict", []),
    call("builtins.complex", "1+2j"),
    call("builtins.complex", "1" * 1_000_000),
    call("builtins.complex", HUGE, 0.0),
    call("builtins.range", HUGE),
    call("builtins.range", 1, 2, 0),
    call("builtins.range", 0.5, 1),
    call("builtins.slice", [], 1, 2),
    call("pathlib.PurePosixPath", *["a"] * 100_000),
    call("pathlib.PurePosixPath", 1),
    call("pathlib.PosixPath", b"a"),
    call("uuid.UUID", "12345678123456781234567812345678"),
    call("uuid.UUID"),
    call("ipaddress.IPv4Address", "1" * 1_000_000),
    call("ipaddress.IPv4Address", HUGE),
    call("ipaddress.IPv4Address", b"1234"),
    call("ipaddress.IPv4Network", "10.0.0.1/8"),
    b"\x80\x02cuuid\nUUID\n)\x81}X\x03\x00\x00\x00int" + pickle.dumps(1 << 128, 2)[2:-1] + b"sb.",
    b"\x80\x02cuuid\nUUID\n)\x81}X\x03\x00\x00\x00int" + pickle.dumps(HUGE, 2)[2:-1] + b"sb.",
    b"\x80\x02cuuid\nUUID\n)\x81}X\x03\x00\x00\x00intK\x01X\x01\x00\x00\x00xK\x01ub.",
    b"\x80\x02cuuid\nUUID\n)\x81]b.",
    b"\x80\x02cuuid\nUUID\n)\x81.",
    # Factories that would run.
    b"ccollections\ndefaultdict\n(cos\nsystem\ntR.",
    b"ccollections\ndefaultdict\n(cbuiltins\nopen\ntR.",
    b"ccollections\ndefaultdict\n(cbuiltins\nrange\ntR.",
    b"ccollections\ndefaultdict\n(ccollections\nOrderedDict\ntR.",
    b"ccollections\ndefaultdict\n(cbuiltins\nlist\n(tRtR.",
    # Keywords and states that none of them has.
    b"\x80\x04ccollections\ndeque\n)}\x8c\x06lengthK\x01s\x92.",
    b"ccollections\ndeque\n)R(dS'append'\nK\x01sb.",
    b"cdecimal\nDecimal\n(S'1'\ntR(dS'x'\nK\x01sb.",
    call("datetime.timezone"),
]


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: repr(data[:50]))
def test_what_the_type_never_wrote_is_a_decode_error_at_once(data: bytes) -> None:
    # The limit of a test's time would end one that hangs.
    with pytest.raises(wirespool.DecodeError):
        wirespool.pickle.loads(data, allow=STDLIB_DATA)


def test_a_default_dict_calls_only_what_makes_something_empty() -> None:
    for factory in (list, dict, set, int, str, float, tuple, bytes, bool, frozenset, bytearray, complex):
        data = pickle.dumps(collections.defaultdict(factory, {1: 2}))
        read = loads(data)
        assert read["new"] == factory()


def test_a_large_range_takes_no_room() -> None:
    assert loads(pickle.dumps(range(10**30))) == range(10**30)


def test_it_is_a_mapping_that_nobody_changes() -> None:
    with pytest.raises(TypeError):
        STDLIB_DATA["os", "system"] = print  # type: ignore[index]
    merged = STDLIB_DATA | {("m", "C"): dict}
    assert wirespool.pickle.loads(b"cm\nC\n)R.", allow=merged) == {}
    assert callable(STDLIB_DATA["decimal", "Decimal"])


def zone_data(key: str, from_cache: object = True) -> bytes:
    """What asks for a time zone."""
    arguments = pickle.dumps((key, from_cache))[11:-1]
    return b"\x80\x04cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\nV_unpickle\ntR" + arguments + b"R."


@pytest.mark.parametrize(
    "key",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "Europe/../Europe/Berlin",
        "Europe//Berlin",
        "Europe/Berlin/",
        "./Europe/Berlin",
        "Europe\\Berlin",
        "Europe/Berlin\n",
        "Europe/Berlin\0",
        "Europe",
        "zone.tab",
        "Ber\u0131in",
        "A" * 10_000,
        "",
        "Europe/Nowhere",
        "posixrules",
        b"UTC",
        None,
    ],
)
def test_only_a_time_zone_that_there_is_becomes_a_path(key: Any) -> None:
    with pytest.raises(wirespool.DecodeError, match=r"zoneinfo\.ZoneInfo\._unpickle") as raised:
        loads(zone_data(key))
    assert raised.value.kind == "schema"


def test_a_time_zone_is_read_once_however_often_it_is_asked_for() -> None:
    zone = zoneinfo.ZoneInfo("Asia/Tokyo")
    assert loads(zone_data("Asia/Tokyo", 0)) is zone
    assert loads(zone_data("Asia/Tokyo", True)) is zone
    with pytest.raises(wirespool.DecodeError, match="a bool is needed"):
        loads(zone_data("Asia/Tokyo", [1]))


def test_no_other_method_of_a_class_is_called() -> None:
    for method in (b"no_cache", b"from_file", b"_unpickle.__func__"):
        value = loads(zone_data("UTC").replace(b"_unpickle", method))
        assert (type(value), value.kind) == (wirespool.Opaque, "computed")


def test_a_zone_that_is_not_listed_is_named() -> None:
    value = datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC"))
    allow = {key: made for key, made in STDLIB_DATA.items() if key[0] != "zoneinfo"}
    with pytest.raises(wirespool.DecodeError, match=r"\('zoneinfo', 'ZoneInfo\._unpickle'\), which allow"):
        wirespool.pickle.loads(pickle.dumps(value), allow=allow)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_another_time_zone_can_be_added(protocol: int) -> None:
    def zone(key: str, from_cache: object = True) -> datetime.tzinfo:
        assert key == "Europe/Berlin"
        return datetime.timezone(datetime.timedelta(hours=1), key)

    allow = STDLIB_DATA | {("zoneinfo", "ZoneInfo._unpickle"): zone}
    value = datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    assert wirespool.pickle.loads(pickle.dumps(value, protocol), allow=allow).tzname() == "Europe/Berlin"
    by_name = b"\x80\x04\x8c\x08zoneinfo\x8c\x12ZoneInfo._unpickle\x93\x8c\rEurope/Berlin\x88\x86R."
    assert wirespool.pickle.loads(by_name, allow=allow).tzname(None) == "Europe/Berlin"


@pytest.mark.parametrize(
    ("shared", "call"),
    [
        (b"9" * 1_000_000, b"cdecimal\nDecimal\nh\0\x85R"),
        (b"a/" * 500_000, b"cpathlib\nPosixPath\nh\0\x85R"),
    ],
)
def test_one_text_cannot_be_made_into_any_number_of_objects(shared: bytes, call: bytes) -> None:
    text = b"X" + len(shared).to_bytes(4, "little") + shared + b"q\0"
    few = wirespool.pickle.loads(text + b"(" + 10 * call + b"l.", allow=STDLIB_DATA)
    assert len(few) == 10
    assert len(set(map(str, few))) == 1
    with pytest.raises(wirespool.DecodeError, match="same data again and again") as raised:
        wirespool.pickle.loads(text + b"(" + 5_000 * call + b"l.", allow=STDLIB_DATA)
    assert raised.value.kind == "limit"


def test_one_list_cannot_be_made_into_any_number_of_mappings() -> None:
    pairs = b"](" + b"".join(b"J" + n.to_bytes(4, "little") + b"N\x86" for n in range(20_000)) + b"eq\0"
    call = b"ccollections\nOrderedDict\nh\0\x85R"
    with pytest.raises(wirespool.DecodeError, match="same data again and again"):
        wirespool.pickle.loads(pairs + b"(" + 3_000 * call + b"l.", allow=STDLIB_DATA)
