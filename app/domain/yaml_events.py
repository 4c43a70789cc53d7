"""Read YAML from the events of libyaml: a fifth of the time of `yaml.load`, and no node for each value.

Only what documents of Bakehouse hold is read so: mappings with texts as keys, lists, and JSON's scalars, without tags,
anchors and aliases. PyYAML gives each scalar its type, so both ways read the same.
"""

import math
from functools import lru_cache
from typing import Any

import yaml

DEEPEST = 128  # levels; a request may have 100
_TOO_LONG = 10**4300  # Python refuses to write larger integers in decimal
_SHORT = 64  # characters; a longer plain scalar is seldom there twice
_NOTHING = object()

_RESOLVER = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_MAKERS = yaml.constructor.SafeConstructor.yaml_constructors  # by tag; those of scalars keep no state
TEXT = "tag:yaml.org,2002:str"


class NotSimple(Exception):
    """A document has something that only `yaml.load` reads."""


def read(data: bytes) -> Any:
    """Return the value of a document; NotSimple if it must be read by `yaml.load`, YAMLError if it is not YAML.

    The value is JSON data. One loop reads all: a call for each of a million events would take as long as the rest.
    """
    parser = yaml.CSafeLoader(data)
    try:
        return _read(parser)
    finally:
        parser.dispose()


def _read(parser: yaml.CSafeLoader) -> Any:
    whole: list[Any] = []  # one value a document
    into: Any = whole  # the list or mapping that the next value belongs to
    name: Any = _NOTHING  # the key of the next value of a mapping
    outer: list[tuple[Any, Any]] = []  # the lists and mappings around, each with its key
    event: Any = parser.get_event()
    while (kind := type(event)) is not yaml.StreamEndEvent:
        if kind is yaml.ScalarEvent:
            if event.tag not in (None, TEXT) or event.anchor is not None:
                raise NotSimple
            value = typed(event.value) if event.implicit[0] else event.value  # in quotes or a block: a text
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            if event.tag is not None or event.anchor is not None or len(outer) >= DEEPEST:
                raise NotSimple
            value = {} if kind is yaml.MappingStartEvent else []
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            into, name = outer.pop()
            value = _NOTHING
        elif kind is yaml.AliasEvent:
            raise NotSimple
        else:
            value = _NOTHING
        if value is not _NOTHING:
            if type(into) is list:
                into.append(value)
            elif name is not _NOTHING:
                into[name] = value
                name = _NOTHING
            elif type(value) is str:
                name = value
            else:
                raise NotSimple
            if kind is not yaml.ScalarEvent:
                outer.append((into, name))
                into, name = value, _NOTHING
        event = parser.get_event()
    if len(whole) != 1:
        raise NotSimple
    return whole[0]


def is_scalar(value: Any) -> bool:
    """Tell whether a value is a scalar of JSON."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < _TOO_LONG
    return value is None or isinstance(value, str)


def typed(text: str) -> Any:
    """Return the value of a scalar without quotes."""
    tag = _tag(text) if len(text) <= _SHORT else _tag.__wrapped__(text)
    if tag == TEXT:
        return text
    try:
        value = _MAKERS[tag](_CONSTRUCTOR, yaml.ScalarNode(tag, text))
    except (ArithmeticError, KeyError, ValueError) as error:
        raise NotSimple from error
    if not is_scalar(value):
        raise NotSimple
    return value


@lru_cache(maxsize=4096)
def _tag(text: str) -> str:
    """Return the tag of a scalar without quotes. Only tags are kept, since values belong to documents."""
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag
