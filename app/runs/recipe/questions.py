"""The questions in a model's answer: a numbered list, a JSON list, or what models write instead."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

# `1.`, `1)`, `(1)`, `1:`, `1 -`, `#1`, `Q1:`, `Question 1.`, each perhaps bold, behind a bullet or in a heading.
_NUMBER = r"""
    (?: \(?\d{1,4}(?P<inner>\*{0,3})[.):\]] | \d{1,4}\ ?[-–—](?=\s) | \#\d{1,4}[.):]?
      | q(?:uestion)?\ ?\#?\d{0,4}(?P<within>\*{0,3})\ ?[.):]
      | question\ \d{1,4}(?=\**\s*$) )(?!\d)"""
_NUMBERED = re.compile(
    rf"\s*(?:\#{{1,6}}\s+)?(?:[-*•]\s+)?(?P<open>\*{{0,3}}){_NUMBER}(?P<close>\*{{0,3}})(?P<text>.*)",
    re.IGNORECASE | re.VERBOSE,
)
_BULLET = re.compile(r"\s*[-*•–](?P<text>\s.*)")
_HEADING = re.compile(r"\*\*[^*]{1,60}(?::\*\*|\*\* ?:)(?=.*\w)")  # `**Childhood:** What …`
_JSON = re.compile(r'\[(?=\s*["{])|\{(?=\s*")')
_FENCE = ("```", "~~~")
_PAIRS = [pair.split() for pair in ("** **", "__ __", "* *", "_ _", '" "', "“ ”", "« »", "„ “", "' '")]
_QUOTED = ('",', "”,", "',")
_ENDS = tuple(".?!…\"”'*")
_FIELDS = ("question", "text", "prompt", "message", "query", "content", "q")
_MOST_TRIES = 20  # places where JSON may begin
_MOST_LEVELS = 4  # of JSON


def parse(text: str) -> list[str]:
    """Return the questions in an answer, each once, without their numbers, quotes and emphasis.

    Reads the first of these that is there: a numbered list; a JSON list, or an object with a list in it, also where
    the answer was cut off; a list with bullets; lines that all are questions. Lines before and after are left out.
    """
    text = text.rpartition("</think>")[2]
    lines = text.splitlines()
    for found in (_listed(lines, _NUMBERED), _from_json(text), _listed(lines, _BULLET), _bare(lines)):
        questions = unique(map(_cleaned, found))
        if questions:
            return questions
    return []


def unique(questions: Iterable[str], known: Set[str] = frozenset()) -> list[str]:
    """Return the questions that are not empty, each once, without those whose normalized form is `known`."""
    seen = {""}
    found = []
    for question in questions:
        form = normalized(question)
        if form not in seen and form not in known:
            seen.add(form)
            found.append(question)
    return found


def normalized(question: str) -> str:
    """Return a text that is equal for questions that differ only in case, space and the marks at their end."""
    return " ".join(unicodedata.normalize("NFC", question).casefold().split()).rstrip(" .?!…")


def _listed(lines: Sequence[str], marker: re.Pattern[str]) -> list[str]:
    """Return the items of a list, each with its further lines."""
    matches = [marker.fullmatch(line) for line in lines]
    first = next((number for number, match in enumerate(matches) if match), len(lines))
    is_fenced = any(line.lstrip().startswith(_FENCE) for line in lines[:first])  # the list itself is in a code fence
    last_fence = max((number for number, line in enumerate(lines) if _closes(line)), default=-1)
    items: list[str] = []
    number = first
    is_open = False  # whether the next line may belong to the last item
    while number < len(lines):
        match, line = matches[number], lines[number]
        number += 1
        if match:
            items.append(_without_number(_item(match)))
            is_open = True
        elif is_open and not is_fenced and number <= last_fence and line.lstrip().startswith(_FENCE):
            end = next(at for at in range(number, len(lines)) if _closes(lines[at])) + 1
            items[-1] = "\n".join([items[-1], *lines[number - 1 : end]])
            number, is_open = end, False
        elif line.strip():
            is_further = line[0].isspace() and not items[-1].endswith(_ENDS) and not _BULLET.fullmatch(line)
            is_open = is_open and (is_further or not items[-1])
            if is_open:
                items[-1] = f"{items[-1]} {line.strip()}".strip()
    return [item for item in items if not item.rstrip("*").endswith(":")]  # those are headings


def _item(match: re.Match[str]) -> str:
    groups = match.groupdict("")
    is_bold_behind = not any(groups.get(name) for name in ("inner", "within", "close"))  # `**1. What …?**`
    return (groups.get("open", "") if is_bold_behind else "") + groups["text"].strip()


def _closes(line: str) -> bool:
    """Tell whether a line closes a code fence."""
    return line.strip() in _FENCE


def _bare(lines: Sequence[str]) -> list[str]:
    """Return lines without a marker, where all of them are single questions, save a first one that ends in a colon."""
    filled = [line.strip() for line in lines if line.strip() and not line.startswith(_FENCE)]
    rest = filled[1:] if filled and filled[0].endswith(":") else filled
    return rest if all(re.fullmatch(r"(?:[^.!?]|[.!?](?!\s))+\?[\"”'*]*", line) for line in rest) else []


def _from_json(text: str) -> list[str]:
    """Return the strings of the first JSON list or object that has some."""
    for _, match in zip(range(_MOST_TRIES), _JSON.finditer(text), strict=False):
        values = list(_values(text, match.start()))
        found = _strings(values, _MOST_LEVELS)
        if found:
            return [_without_number(string) for string in found]
    return []


def _values(text: str, start: int) -> Iterator[Any]:
    """Yield the object at a place, or the entries of the list there, as many as are whole."""
    decoder = json.JSONDecoder(strict=False)
    position = start + 1 if text[start] == "[" else start
    try:
        while True:
            value, position = decoder.raw_decode(text, _behind_space(text, position))
            yield value
            position = _behind_space(text, position)
            if text[position : position + 1] != ",":
                return
            position += 1
    except (ValueError, RecursionError):
        return


def _behind_space(text: str, position: int) -> int:
    while text[position : position + 1].isspace():
        position += 1
    return position


def _strings(value: Any, levels: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and levels:
        return [string for item in value for string in _strings(item, levels - 1)]
    if not isinstance(value, dict) or not levels:
        return []
    named = [value[field] for field in _FIELDS if isinstance(value.get(field), str)]
    if named:
        return named[:1]
    within = (_strings(item, levels - 1) for item in value.values() if isinstance(item, list | dict))
    numbered = [item for name, item in value.items() if isinstance(item, str) and re.fullmatch(r"\D*\d+", name)]
    return next(filter(None, within), numbered)


def _without_number(text: str) -> str:
    match = _NUMBERED.fullmatch(text)
    return _item(match) if match else text


def _cleaned(text: str) -> str:
    """Return a question without emphasis, quotes and a heading around it, and without what UTF-8 cannot hold."""
    text = text.encode(errors="replace").decode().replace("\0", "")
    while True:
        before = text
        text = text.strip().removesuffix(",") if text.rstrip().endswith(_QUOTED) else text.strip()
        heading = _HEADING.match(text)
        text = text[heading.end() :].strip() if heading else text
        for start, end in _PAIRS:
            inner = text[len(start) : -len(end)]
            if text.startswith(start) and text.endswith(end) and start not in inner and end not in inner:
                text = inner
        if text == before:
            return text
