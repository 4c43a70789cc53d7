"""Canonical YAML as it was written before the law of `yaml_scalars`, to recognize files of that time.

Such files stay as they are until their content changes.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from app.domain import yaml_scalars

_VISIBLE = r"!-~\u00a1-\u2027\u202a-\ud7ff"
_LITERAL_LINE = re.compile(rf"(?:[{_VISIBLE}](?:[ {_VISIBLE}]*[{_VISIBLE}])?)?")
_AMBIGUOUS = re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|[yYnN])\Z")


class _Plain(yaml.resolver.Resolver):
    """The types that PyYAML gives to scalars without quotes, and numbers of YAML 1.2."""


_Plain.add_implicit_resolver("tag:yaml.org,2002:float", _AMBIGUOUS, list("-+.0123456789yYnN"))
_PLAIN = _Plain()


def dump(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that a document had."""
    events: list[yaml.Event] = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False)]
    _add_events(document, events)
    events += [yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent()]
    text: str = yaml.emit(events, Dumper=yaml.CSafeDumper, allow_unicode=True, width=2**20)
    return text.encode()


def _add_events(value: Any, events: list[yaml.Event]) -> None:
    if isinstance(value, str):
        events.append(_text(value))
    elif isinstance(value, Mapping):
        events.append(yaml.MappingStartEvent(None, None, True, flow_style=not value))
        for name, item in value.items():
            _add_events(name, events)
            _add_events(item, events)
        events.append(yaml.MappingEndEvent())
    elif isinstance(value, list):
        events.append(yaml.SequenceStartEvent(None, None, True, flow_style=not value))
        for item in value:
            _add_events(item, events)
        events.append(yaml.SequenceEndEvent())
    else:
        events.append(yaml.ScalarEvent(None, None, (True, False), yaml_scalars.other(value)))


def _text(text: str) -> yaml.ScalarEvent:
    tag: str = _PLAIN.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    style = "|" if _is_literal(text) else None
    return yaml.ScalarEvent(None, None, (tag == "tag:yaml.org,2002:str", True), text, style=style)


def _is_literal(text: str) -> bool:
    if "\n" not in text or text.startswith("\n") or text.endswith("\n\n"):
        return False
    return all(_LITERAL_LINE.fullmatch(line) for line in text.split("\n"))
