"""`wirespool.Opaque`: what a pickle asked for, to be looked at and not to be run."""

import copy
import pickle
from typing import Any

import pytest
import wirespool


def opaque(data: bytes, **options: Any) -> wirespool.Opaque:
    """What a pickle of one request is read as."""
    value = wirespool.pickle.loads(data, **options)
    assert isinstance(value, wirespool.Opaque)
    return value


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"cos\nsystem\n.", "<Opaque os.system>"),
        (b"cos\nsystem\n(S'ls'\ntR.", "<Opaque os.system('ls')>"),
        (b"cm\nC\n)R.", "<Opaque m.C()>"),
        (b"cm\nC\n(K\x01K\x02tR](K\x03eb.", "<Opaque m.C(1, 2) state=[3]>"),
        (b"cm\nC\n)R(K\x01e.", "<Opaque m.C() items=(1,)>"),
        (b"cm\nC\n)RK\x01K\x02s.", "<Opaque m.C() entries=((1, 2),)>"),
        (b"\x80\x04cm\nC\n)}\x8c\x01aK\x01s\x92.", "<Opaque m.C(**{'a': 1})>"),
        (b"\x80\x02K\x07Q.", "<Opaque persistent 7>"),
        (b"\x80\x02\x82\x05.", "<Opaque extension 5>"),
        (b"\x80\x05\x97.", "<Opaque buffer 0>"),
        (b"(i__main__\nf\n)R.", "<Opaque computed <Opaque __main__.f()>()>"),
        (b"cm\nC\ncm\nD\n\x85R.", "<Opaque m.C(<Opaque m.D>)>"),
    ],
)
def test_the_repr_says_the_request(data: bytes, shown: str) -> None:
    assert repr(opaque(data)) == shown


def test_the_repr_is_short_whatever_there_is() -> None:
    value: Any = ["x" * 10_000, b"y" * 10_000, bytearray(10_000), 1 << 100_000, list(range(1000))]
    for _ in range(50):
        value = {"a": [value, value], "b" * 1000: (value,)}
    data = b"\x80\x04cmodule\nname\n" + pickle.dumps(value, 2)[2:-1] + b"\x85R."
    shown = repr(opaque(data))
    assert shown.startswith("<Opaque module.name({'a': [")
    assert shown.endswith(")>")
    assert "…" in shown
    assert len(shown) < 500
    wide = b"\x80\x02cmodule\nname\n" + pickle.dumps(tuple([["z" * 50] * 100] * 100), 2)[2:-1] + b"R."
    assert len(repr(opaque(wide))) < 500


def test_the_repr_of_what_holds_itself_ends() -> None:
    itself = opaque(b"\x80\x04cm\nC\n)\x81\x94h\x00\x85b.")
    assert itself.state[0] is itself
    shown = repr(itself)
    assert "…" in shown
    assert len(shown) < 500


@pytest.mark.parametrize(
    "name", ["\x1b[31mred", "a\u202eb", "a\nb", "x" * 100_000, "\u0430dmin", "os.system) (", "'"]
)
def test_a_name_is_shown_plainly_only_if_it_is_plain(name: str) -> None:
    data = b"\x80\x04" + b"".join(
        b"X" + len(raw).to_bytes(4, "little") + raw for raw in [b"m", name.encode()]
    )
    shown = repr(opaque(data + b"\x93."))
    assert shown.startswith(("<Opaque 'm.", '<Opaque "m.'))
    assert shown.isprintable()
    assert len(shown) < 200


class Loud:
    """Whatever is done with it is heard."""

    def __repr__(self) -> str:
        """Never called."""
        raise AssertionError("the repr ran what it shows")


def test_the_repr_runs_nothing_that_an_allow_list_made() -> None:
    data = b"\x80\x02cm\nC\ncm\nLoud\n)R\x85R."
    holder = opaque(data, allow={("m", "Loud"): Loud})
    assert type(holder.args[0]) is Loud  # type: ignore[index]
    assert repr(holder) == f"<Opaque m.C(<{Loud.__module__}.Loud>)>"


def test_it_is_equal_to_itself_only() -> None:
    data = b"cm\nC\n(K\x01tR."
    first, second = opaque(data), opaque(data)
    assert first == first
    assert first != second
    assert len({first, second}) == 2
    assert (first.module, first.qualname, first.args) == (second.module, second.qualname, second.args)


def test_it_is_matched_by_name_and_arguments() -> None:
    match opaque(b"ccollections\ndeque\n((lp0\ntR."):
        case wirespool.Opaque("collections", "deque", (list(),)):
            pass
        case other:
            raise AssertionError(other)


def test_a_copy_is_the_object_itself() -> None:
    value = [opaque(b"cm\nC\n)R.")]
    assert copy.copy(value[0]) is value[0]
    assert copy.deepcopy(value)[0] is value[0]


def test_it_is_not_pickled_again() -> None:
    value = opaque(b"cm\nC\n)R.")
    for protocol in range(6):
        with pytest.raises(TypeError, match=r"wirespool\.Opaque"):
            pickle.dumps(value, protocol)
    with pytest.raises(TypeError, match=r"wirespool\.Opaque"):
        wirespool.pickle.dumps(value)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (
            b"csklearn.linear_model\nLogisticRegression\n)R.",
            r"\('sklearn\.linear_model', 'LogisticRegression'\)",
        ),
        (b"cbuiltins\ngetattr\n(cm\nC\nVmake\ntR)R.", r"\('m', 'C\.make'\)"),
        (b"\x80\x02K\x07Q.", r"\(persistent\)"),
    ],
)
def test_an_attribute_that_it_has_not_is_told_where_to_be_found(data: bytes, what: str) -> None:
    value: Any = opaque(data)
    with pytest.raises(AttributeError, match=rf"no attribute 'coef_' of an Opaque.*{what}.*see \."):
        value.coef_  # noqa: B018
    assert not hasattr(value, "__array__")
    assert getattr(value, "coef_", None) is None
