"""Plain Python values, generated: each type, shared and cyclic."""

from collections.abc import Callable
from copy import copy
from typing import Any

from hypothesis import strategies as st

SIGNS = st.integers(-1, 1)
INTEGERS = st.one_of(
    st.integers(-300, 300),
    st.integers(-(2**70), 2**70),
    st.builds(lambda bits, sign, more: sign * 2**bits + more, st.integers(0, 2100), SIGNS, SIGNS),
)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
# All code points, surrogates too, and what protocol 0 escapes.
# Around where a pickler begins another batch of items.
LONG = st.sampled_from([999, 1000, 1001, 2001]).flatmap(
    lambda count: st.sampled_from([[None] * count, dict.fromkeys(range(count)), set(range(count))])
)
TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=6),
    st.text("\\u0041\n\r\0\x1a'\"é\ud83d\ude00🦀\x85\u2028", max_size=8),
    st.sampled_from(["", "latin1", "a" * 255, "a" * 256, "é" * 128, "\ud800" * 86, "x" * 66000]),
)
BYTES = st.one_of(st.binary(max_size=8), st.sampled_from([b"", bytes(range(256)), b"y" * 255, b"z" * 66000]))
LEAVES = st.one_of(
    *(st.none(), st.booleans(), INTEGERS, FLOATS, TEXTS, BYTES, st.builds(bytearray, BYTES), st.just(())),
    LONG.map(copy),
)


def is_hashable(value: Any) -> bool:
    """Whether it may be a key."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


@st.composite
def graphs(draw: Callable[[Any], Any]) -> Any:
    """A value whose parts hold any parts before them, and whose lists and dicts may hold later ones."""
    parts: list[Any] = draw(st.lists(LEAVES, min_size=1, max_size=8))
    some = st.integers(0, 2**16)

    def chosen(most: int, from_: list[Any]) -> list[Any]:
        return [from_[number % len(from_)] for number in draw(st.lists(some, max_size=most))] if from_ else []

    for _ in range(draw(st.integers(0, 8))):
        keys = [part for part in parts if is_hashable(part)]
        kind = draw(st.sampled_from([list, tuple, dict, set, frozenset]))
        if kind is dict:
            parts.append(dict(zip(chosen(5, keys), chosen(5, parts), strict=False)))
        else:
            parts.append(kind(chosen(5, keys if kind in (set, frozenset) else parts)))
    # Cycles: what can be changed may hold what came after it.
    for number, late in draw(st.lists(st.tuples(some, some), max_size=4)):
        holder, held = parts[number % len(parts)], parts[late % len(parts)]
        if isinstance(holder, list):
            holder.append(held)
        elif isinstance(holder, dict):
            holder[f"late {late}"] = held
    return parts if draw(st.booleans()) else parts[-1]
