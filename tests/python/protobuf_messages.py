"""Random Protocol Buffers messages, made by the `protobuf` package from any descriptor."""

import random
import struct
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

DEEPEST = 4
"""How many messages stand in each other at most."""

Random = random.Random


def integer(bits: int, signed: bool) -> Callable[[Random], int]:
    """Integers of all sizes, near the borders more often than chance would have it."""
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def draw(rng: Random) -> int:
        small = rng.randrange(-300, 300)
        return rng.choice([least, most, 0, 1, rng.randint(least, most), min(max(small, least), most)])

    return draw


def double(rng: Random) -> float:
    """Doubles of all kinds but NaN, which is not equal to itself."""
    return rng.choice([0.0, -0.0, 1.5, -1e300, 5e-324, float("inf"), rng.uniform(-100, 100)])


def single(rng: Random) -> float:
    """The same of what fits 32 bits."""
    drawn = rng.choice([0.0, -0.0, 0.1, -1e30, 1.25e-37, float("-inf"), rng.uniform(-100, 100)])
    return float(struct.unpack("<f", struct.pack("<f", drawn))[0])


def text(rng: Random) -> str:
    """Short texts, with what needs to be escaped."""
    return "".join(rng.choice('ab _"\\\n\0é中🦀') for _ in range(rng.randrange(6)))


SCALARS: dict[int, Callable[[Random], Any]] = {
    FieldDescriptor.TYPE_DOUBLE: double,
    FieldDescriptor.TYPE_FLOAT: single,
    FieldDescriptor.TYPE_INT32: integer(32, True),
    FieldDescriptor.TYPE_SINT32: integer(32, True),
    FieldDescriptor.TYPE_SFIXED32: integer(32, True),
    FieldDescriptor.TYPE_INT64: integer(64, True),
    FieldDescriptor.TYPE_SINT64: integer(64, True),
    FieldDescriptor.TYPE_SFIXED64: integer(64, True),
    FieldDescriptor.TYPE_UINT32: integer(32, False),
    FieldDescriptor.TYPE_FIXED32: integer(32, False),
    FieldDescriptor.TYPE_UINT64: integer(64, False),
    FieldDescriptor.TYPE_FIXED64: integer(64, False),
    FieldDescriptor.TYPE_BOOL: lambda rng: rng.random() < 0.5,
    FieldDescriptor.TYPE_STRING: text,
    FieldDescriptor.TYPE_BYTES: lambda rng: rng.randbytes(rng.randrange(6)),
}


def fill(message: Any, rng: Random, held: list[type[Message]], depth: int = 0) -> None:
    """Set some fields of a message; what an `Any` holds is one of `held`."""
    special = SPECIAL.get(message.DESCRIPTOR.full_name)
    if special:
        special(message, rng, held, depth)
        return
    share = rng.choice([0.1, 0.3, 0.6])
    fields = list(message.DESCRIPTOR.fields)
    extensions = message.DESCRIPTOR.file.pool.FindAllExtensions(message.DESCRIPTOR)
    rng.shuffle(fields)
    for field in [*fields, *extensions]:
        is_required = getattr(field, "is_required", False)
        is_message = field.message_type is not None
        if is_required or (rng.random() < share and not (is_message and depth >= DEEPEST)):
            fill_field(message, field, rng, held, depth)


def fill_field(message: Any, field: Any, rng: Random, held: list[type[Message]], depth: int) -> None:
    """Set one field."""
    slot: Any
    if field.is_extension:
        slot = message.Extensions[field] if field.is_repeated or field.message_type else None
    else:
        slot = getattr(message, field.name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        key, item = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        for _ in range(rng.randrange(1, 4)):
            if item.message_type:
                fill(slot[scalar(key, rng)], rng, held, depth + 1)
            else:
                slot[scalar(key, rng)] = scalar(item, rng)
    elif field.is_repeated:
        for _ in range(rng.randrange(1, 4)):
            if field.message_type:
                fill(slot.add(), rng, held, depth + 1)
            else:
                slot.append(scalar(field, rng))
    elif field.message_type:
        slot.SetInParent()
        fill(slot, rng, held, depth + 1)
    elif field.is_extension:
        message.Extensions[field] = scalar(field, rng)
    else:
        setattr(message, field.name, scalar(field, rng))


def scalar(field: Any, rng: Random) -> Any:
    """A value of a field that is no message."""
    if not field.enum_type:
        return SCALARS[field.type](rng)
    known = [value.number for value in field.enum_type.values]
    return rng.choice(known if field.enum_type.is_closed or len(known) == 1 else [*known, 77])


def timestamp(message: Any, rng: Random, held: list[type[Message]], depth: int) -> None:
    """A time of the years 1 to 9999."""
    message.seconds = rng.choice([0, -62_135_596_800, 253_402_300_799, rng.randrange(-(10**10), 10**10)])
    message.nanos = fraction(rng)


def duration(message: Any, rng: Random, held: list[type[Message]], depth: int) -> None:
    """A length of time in either direction."""
    sign = rng.choice([1, -1])
    message.seconds = sign * rng.choice([0, 1, 315_576_000_000, rng.randrange(10**9)])
    message.nanos = sign * fraction(rng)


def fraction(rng: Random) -> int:
    """Nanoseconds that take 0, 3, 6 or 9 digits."""
    return rng.choice([0, 500_000_000, 21_000_000, 1_000, rng.randrange(10**9)])


def any_message(message: Any, rng: Random, held: list[type[Message]], depth: int) -> None:
    """A message of a type that is known."""
    inner = rng.choice(held)()
    fill(inner, rng, held, max(depth + 1, DEEPEST - 1))
    message.Pack(inner, deterministic=True)


def mask(message: Any, rng: Random, held: list[type[Message]], depth: int) -> None:
    """Paths that camel case can say."""
    message.paths.extend(rng.choices(["a", "foo_bar", "a.b_c", "x1.foo_bar_baz"], k=rng.randrange(3)))


def struct_message(message: Any, rng: Random, held: list[type[Message]], depth: int) -> None:
    """A JSON object."""
    for _ in range(rng.randrange(4)):
        value(message.fields[text(rng)], rng, held, depth + 1)


def list_message(message: Any, rng: Random, held: list[type[Message]], depth: int) -> None:
    """A JSON array."""
    for _ in range(rng.randrange(4)):
        value(message.values.add(), rng, held, depth + 1)


def value(message: Any, rng: Random, held: list[type[Message]], depth: int) -> None:
    """Anything that is JSON."""
    kind = rng.randrange(6 if depth < DEEPEST + 2 else 4)
    if kind == 0:
        message.null_value = 0
    elif kind == 1:
        message.number_value = rng.choice([0.0, 1.0, -2.5, 1e300])
    elif kind == 2:
        message.string_value = text(rng)
    elif kind == 3:
        message.bool_value = rng.random() < 0.5
    elif kind == 4:
        message.struct_value.SetInParent()
        struct_message(message.struct_value, rng, held, depth)
    else:
        message.list_value.SetInParent()
        list_message(message.list_value, rng, held, depth)


SPECIAL: dict[str, Callable[[Any, Random, list[type[Message]], int], None]] = {
    "google.protobuf.Timestamp": timestamp,
    "google.protobuf.Duration": duration,
    "google.protobuf.Any": any_message,
    "google.protobuf.FieldMask": mask,
    "google.protobuf.Struct": struct_message,
    "google.protobuf.ListValue": list_message,
    "google.protobuf.Value": value,
}


def varint(number: int) -> bytes:
    """A length as it stands before a message."""
    if number < 0x80:
        return bytes([number])
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7)
