"""What the standard library reads of pickles that nobody should load.

One in hexadecimal on each line of stdin, an answer on each of stdout:

plain TAB description         it is plain data, in the words of describe.py
asks TAB module.name          it asks for something, which it does not get
refused TAB error             it is no pickle
exhausted TAB                 it takes more memory than there is here

With the argument `python` it is pickle.py that reads, else the C module. Memory and time are limited; a
pickle that takes all the time ends the program, without an answer.
"""

import _compat_pickle
import io
import pickle
import resource
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "pickle_against_cpython"))

from describe import Describer

MEMORY = 1 << 30
SECONDS = 60
PLAIN = {("builtins", name) for name in ("set", "frozenset", "bytes", "bytearray")} | {("_codecs", "encode")}


class Asks(Exception):
    """The pickle asks for something."""


def limited(reader: Any) -> Any:
    """An unpickler that calls nothing but what makes plain data."""

    class Limited(reader):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> Any:
            """As Python 2 names are found, too."""
            if (_compat_pickle.IMPORT_MAPPING.get(module, module), name) in PLAIN:
                return super().find_class(module, name)
            raise Asks(f"{module}.{name}")

        def persistent_load(self, pid: Any) -> Any:
            """Nothing is persistent here."""
            raise Asks("persistent")

    return Limited


def answer(unpickler: Any, data: bytes) -> str:
    """The line for a pickle."""
    try:
        return f"plain\t{Describer()(unpickler(io.BytesIO(data)).load())}"
    except Asks as asked:
        return f"asks\t{str(asked)!a}"
    except (MemoryError, RecursionError):
        return "exhausted\t"
    except Exception as error:
        # A type is plain data that was asked for, but not called.
        if isinstance(error, TypeError) and error.args and isinstance(error.args[0], type):
            return f"asks\t{error.args[0]}"
        return f"refused\t{type(error).__name__}: {str(error)!a}"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    reader = limited(pickle._Unpickler if sys.argv[1:] == ["python"] else pickle.Unpickler)
    for line in sys.stdin:
        print(answer(reader, bytes.fromhex(line)), flush=True)
