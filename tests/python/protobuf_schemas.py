"""The schemas of tests/data/proto, as generated classes and as wirespool's."""

import importlib
import random
import sys
from pathlib import Path
from typing import Any

import wirespool
from grpc_tools import protoc
from programs import REPOSITORY
from protobuf_messages import fill, varint

PROTOS = REPOSITORY / "tests" / "data" / "proto"
FILES = ["everything.proto", "legacy.proto", "wellknown.proto", "old.proto"]


class Both:
    """The same schemas, as generated classes and as wirespool's."""

    def __init__(self, folder: Path) -> None:
        """Compile them."""
        google = Path(str(importlib.import_module("grpc_tools").__file__)).parent / "_proto"
        words = ["protoc", f"-I{PROTOS}", f"-I{google}", f"--python_out={folder}", *FILES]
        assert protoc.main(words) == 0
        sys.path.insert(0, str(folder))
        try:
            modules = [importlib.import_module(f"{Path(file).stem}_pb2") for file in FILES]
        finally:
            sys.path.remove(str(folder))
        self.classes: dict[str, Any] = {}
        for module in modules:
            for name in module.DESCRIPTOR.message_types_by_name:
                self.classes[name] = getattr(module, name)
        self.schema = wirespool.Schema(*(PROTOS / file for file in FILES))

    def message(self, name: str, seed: int) -> Any:
        """A random message."""
        held = [self.classes[held] for held in ("Everything", "Legacy", "WellKnown")]
        message = self.classes[name]()
        fill(message, random.Random(seed), held)
        return message

    def read(self, name: str, data: bytes) -> wirespool.Message:
        """What wirespool makes of a message's bytes."""
        stream = varint(len(data)) + data
        [message] = wirespool.decode(stream, f"protobuf:test.{name}/varint", schema=self.schema)
        return message

    def write(self, name: str, value: Any, unknown: Any = None) -> bytes:
        """What wirespool writes."""
        return wirespool.encode(value, f"protobuf:test.{name}/chunk", unknown=unknown, schema=self.schema)
