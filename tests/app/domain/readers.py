"""YAML readers of other languages and libraries: one process for each, which reads many documents."""

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import TaggedScalar

from app.domain.canonical_yaml import load
from tests import node

_SCRIPTS = Path(__file__).parent / "readers"
_BUILD = Path(__file__).parents[3] / "build"
_GO_PACKAGES = Path("/usr/share/gocode")  # where Debian puts them

Found = dict[str, list[Any]]  # what each reader made of each document


def read_with_node(texts: list[str], folder: Path) -> Found:
    """Return what js-yaml and npm's `yaml` read."""
    scripts = node.installed(_SCRIPTS)
    return _run(["node", str(scripts / "read.mjs")], texts, folder)


def read_with_ruby(texts: list[str], folder: Path) -> Found:
    """Return what Ruby's Psych reads."""
    if shutil.which("ruby") is None:
        pytest.skip("ruby is not installed")
    return _run(["ruby", str(_SCRIPTS / "read.rb")], texts, folder)


def read_with_go(texts: list[str], folder: Path) -> Found:
    """Return what Go's yaml.v3 reads."""
    if shutil.which("go") is None or not (_GO_PACKAGES / "src/gopkg.in/yaml.v3").is_dir():
        pytest.skip("go and its yaml.v3, as Debian packages, are not installed")
    places = {"GOPATH": str(_GO_PACKAGES), "GOCACHE": str(_BUILD / "go-cache")}
    env = os.environ | places | {"GO111MODULE": "off", "GOFLAGS": ""}
    program = folder / "read"
    subprocess.run(["go", "build", "-o", program, _SCRIPTS / "read.go"], env=env, check=True, timeout=300)
    return _run([str(program)], texts, folder)


def read_with_python(texts: list[str], _: Path) -> Found:
    """Return what PyYAML and ruamel.yaml read, and what Bakehouse reads."""
    old = YAML(typ="safe", pure=True)
    old.version = (1, 1)
    readers: dict[str, Callable[[str], Any]] = {
        "Bakehouse": lambda text: load(text.encode()),
        "PyYAML": lambda text: yaml.load(text, yaml.SafeLoader),
        "ruamel.yaml": YAML(typ="safe", pure=True).load,
        "ruamel.yaml, YAML 1.1": old.load,
        "ruamel.yaml, round trip": YAML(typ="rt", pure=True).load,
    }
    return {name: [_tagged_by(read, text) for text in texts] for name, read in readers.items()}


ALL = [read_with_python, read_with_node, read_with_ruby, read_with_go]


def mistakes(documents: Iterable[Any], found: Found) -> list[str]:
    """Return a line for each document that a reader read as something else."""
    wanted = [comparable(tagged(document)) for document in documents]
    lines = []
    for reader, values in found.items():
        for one, other in zip(wanted, values, strict=True):
            if not _is_same(one, comparable(other)):
                lines.append(f"{reader}: {str(one)[:500]} was read as {str(other)[:500]}")
    return lines


def tagged(value: Any) -> Any:
    """Return a value as the readers write it, each with its type, in JSON."""
    if isinstance(value, str):
        return {"text": str(value)}
    if value is None or isinstance(value, bool):
        return {"word": value}
    if isinstance(value, int):
        return {"integer": str(int(value))}
    if isinstance(value, float):
        return {"float": struct.pack(">d", value).hex()}
    if isinstance(value, dict):
        # ruamel.yaml keeps the tag of the key `!!str '<<'`
        pairs = [(name.value if isinstance(name, TaggedScalar) else name, item) for name, item in value.items()]
        if not all(isinstance(name, str) for name, _ in pairs):
            return {"other": f"the keys {list(value)}"}
        return {"object": [[str(name), tagged(item)] for name, item in pairs]}
    return {"list": [tagged(item) for item in value]} if isinstance(value, list) else {"other": repr(value)}


def comparable(value: Any) -> Any:
    """Return a tagged value with the pairs of objects as a dictionary: not every reader keeps their order."""
    if "object" in value:
        pairs = value["object"]
        assert len(dict(pairs)) == len(pairs)
        return {"object": {name: comparable(item) for name, item in pairs}}
    if "list" in value:
        return {"list": [comparable(item) for item in value["list"]]}
    return value


def _is_same(one: Any, other: Any) -> bool:
    """Compare tagged values. JavaScript has no integers, and Go none of more than 64 bits."""
    if one.keys() != other.keys():
        return "integer" in one and "float" in other and tagged(float(int(one["integer"]))) == other
    ((kind, mine),) = one.items()
    theirs = other[kind]
    if kind == "object":
        return mine.keys() == theirs.keys() and all(_is_same(item, theirs[name]) for name, item in mine.items())
    if kind == "list":
        return len(mine) == len(theirs) and all(map(_is_same, mine, theirs))
    return bool(mine == theirs)


def _tagged_by(read: Callable[[str], Any], text: str) -> Any:
    try:
        return tagged(read(text))
    except Exception as error:  # each reader has errors of its own
        return {"error": repr(error)}


def _run(command: list[str], texts: list[str], folder: Path) -> Found:
    """Run a reader on a file with all texts, and return what it writes."""
    file = folder / "texts.json"
    file.write_text(json.dumps(texts))
    done = subprocess.run([*command, str(file)], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    found: Found = json.loads(done.stdout)
    return found
