"""Schemas that tests write, and the real protoc."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

GOOGLE = Path(str(importlib.util.find_spec("grpc_tools").origin)).parent / "_proto"  # type: ignore[union-attr]
"""Google's own files, as protoc's distribution has them."""

EVERYTHING2 = """\
syntax = "proto2";
package zoo;
import "google/protobuf/timestamp.proto";
import "common/unit.proto";
enum Kind { NONE = 0; BIRD = 3; }
message Animal {
  required string name = 1;
  optional Kind kind = 2 [default = BIRD];
  repeated group Leg = 3 { optional int32 length = 1; }
  map<string, int64> weights = 4;
  oneof home { string cage = 5; common.Unit unit = 6; }
  optional google.protobuf.Timestamp born = 7;
  repeated sint32 moves = 8 [packed = true];
  optional bytes picture = 9;
  optional Animal mother = 10;
  extensions 100 to 200;
}
extend Animal { optional string keeper = 100; }
"""

EVERYTHING3 = """\
syntax = "proto3";
package garden;
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
message Reading {
  optional int32 level = 1;
  double value = 2;
  google.protobuf.Duration took = 3;
  google.protobuf.StringValue note = 4;
  google.protobuf.Struct more = 5;
  map<int32, Reading> by_bed = 6;
  enum State { DRY = 0; WET = 1; }
  repeated State states = 7;
  oneof who { string person = 8; int64 robot = 9; }
}
"""

UNIT = 'syntax = "proto3";\npackage common;\nmessage Unit { string name = 1; int32 power = 2; }\n'

EDITION = 'edition = "2023";\npackage late;\nmessage Late { int32 a = 1; }\n'


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write these files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def zoo(folder: Path) -> Path:
    """Every kind of field, in two files that import others."""
    return write(folder, {"zoo.proto": EVERYTHING2, "garden.proto": EVERYTHING3, "common/unit.proto": UNIT})


def protoc(folder: Path, *words: str) -> None:
    """Run the real protoc in a folder."""
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"-I{GOOGLE}", *words]
    subprocess.run(command, cwd=folder, check=True, timeout=60, capture_output=True)


def generated(folder: Path, *names: str) -> list[ModuleType]:
    """The modules that protoc generates for these files: `cart.proto` becomes cart_pb2."""
    protoc(folder, "--python_out=.", *names)
    made = []
    sys.path.insert(0, str(folder))
    try:
        for name in names:
            module = name.removesuffix(".proto").replace("/", ".") + "_pb2"
            made.append(importlib.import_module(module))
    finally:
        sys.path.remove(str(folder))
    return made
