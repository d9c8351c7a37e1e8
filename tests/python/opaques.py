"""What `Opaque` objects ask for, done by the test: for pickles that the test has itself."""

import _compat_pickle
import copyreg
import importlib
import pickle
import sys
from collections.abc import Iterable
from typing import Any

import wirespool


def named(module: str, qualname: str) -> Any:
    """The object of a name, Python 2's too."""
    if (module, qualname) in _compat_pickle.NAME_MAPPING:
        module, qualname = _compat_pickle.NAME_MAPPING[module, qualname]
    else:
        module = _compat_pickle.IMPORT_MAPPING.get(module, module)
    found = importlib.import_module(module)
    for name in qualname.split("."):
        found = getattr(found, name)
    return found


class Maker:
    """Makes a value again with what its `Opaque` objects ask for in their place."""

    def __init__(self, buffers: Iterable[Any] | None) -> None:
        """Begin with nothing made."""
        self.made: dict[int, Any] = {}
        self.states: list[tuple[Any, Any]] = []
        self.buffers = list(buffers or [])

    def __call__(self, value: Any) -> Any:
        """What `value` stands for."""
        made = self.make(value)
        # A state may hold what its object is an argument of: that must be made first.
        while self.states:
            unfinished, state = self.states.pop(0)
            self.build(unfinished, self.make(state))
        return made

    def make(self, value: Any) -> Any:
        """A part of it, which may be without its state yet."""
        if id(value) in self.made:
            return self.made[id(value)]
        made: Any
        match value:
            case wirespool.Opaque():
                return self.request(value)
            case list():
                made = self.made[id(value)] = []
                made.extend(map(self.make, value))
            case dict():
                made = self.made[id(value)] = {}
                made.update((self.make(key), self.make(item)) for key, item in value.items())
            case set():
                made = self.made[id(value)] = set()
                made.update(map(self.make, value))
            case tuple() | frozenset():
                elements = [self.make(element) for element in value]
                # Through a cycle it may have been made meanwhile.
                made = self.made.setdefault(id(value), type(value)(elements))
            case _:
                made = value
        return made

    def request(self, opaque: wirespool.Opaque) -> Any:
        """What an unpickler makes of a request."""
        match opaque.kind:
            case "global":
                assert opaque.module is not None and opaque.qualname is not None
                callee = named(opaque.module, opaque.qualname)
            case "extension":
                callee = named(*copyreg._inverted_registry[opaque.subject])  # type: ignore[attr-defined]
            case "computed":
                callee = self(opaque.subject)
            case "buffer":
                if opaque.subject >= len(self.buffers):
                    raise pickle.UnpicklingError("there is no such buffer")
                callee = self.buffers[opaque.subject]
            case kind:
                raise AssertionError(f"{kind} is nothing that these pickles ask for")
        made = callee
        if opaque.args is not None:
            made = self.called(callee, [self.make(argument) for argument in opaque.args], dict(opaque.kwargs))
        made = self.made.setdefault(id(opaque), made)
        for item in opaque.items:
            made.add(self.make(item)) if hasattr(made, "add") else made.append(self.make(item))
        for key, item in opaque.entries:
            made[self.make(key)] = self.make(item)
        if opaque.state is not None:
            self.states.append((made, opaque.state))
        return made

    def called(self, callee: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        """As NEWOBJ, REDUCE or INST do: an Opaque does not say which it was, the class does."""
        own = [getattr(callee, name, None) for name in ("__reduce__", "__reduce_ex__")]
        is_plain = own == [object.__reduce__, object.__reduce_ex__]
        if isinstance(callee, type) and callee is not type and is_plain:
            return callee.__new__(callee, *arguments, **keywords)
        return callee(*arguments)

    def build(self, made: Any, state: Any) -> None:
        """As BUILD does."""
        if hasattr(made, "__setstate__"):
            made.__setstate__(state)
            return
        state, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
        vars(made).update((sys.intern(name), item) for name, item in (state or {}).items())
        for name, item in (slots or {}).items():
            setattr(made, name, item)
