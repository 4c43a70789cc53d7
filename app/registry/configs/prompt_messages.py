"""The commit messages for prompts: which messages changed, and the lines of their texts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from app.domain.alignment import Numbers, differing
from app.registry import field_changes, messages, subjects
from app.registry.field_changes import FieldChange, cut, plural, printable
from app.registry.messages import Origin

_LONGEST_LINE = 200  # characters
_LONGEST_ROLE = 40
_MOST_LINES = 60  # for one prompt
_MOST_LINES_EACH = 20  # for each of several prompts

Message = Mapping[str, Any]


class _TextLine(NamedTuple):
    """A line of a text that was removed (`-`) or added (`+`), and the line of the other text in its place."""

    mark: str
    text: str
    other: str

    def line(self) -> str:
        """Return the line, cut to the part that differs."""
        return f"{self.mark} {printable(cut(self.text, self.other, _LONGEST_LINE)[0])}".rstrip()


class _Header(NamedTuple):
    """Which message the lines below are in."""

    place: str
    role: str
    how: str

    def line(self) -> str:
        """Return a line such as `messages.0 (system) changed:`."""
        return f"{self.place} ({printable(cut(self.role, '', _LONGEST_ROLE)[0])}) {self.how}:"


_Line = _TextLine | _Header | FieldChange
_Pair = tuple[int, Message | None, Message | None]  # the place of a message, and what it was and is


@dataclass(frozen=True, slots=True)
class Summary:
    """A prompt that a commit changed: its name, and its document before (None where it is new) and now."""

    name: str
    before: Mapping[str, Any] | None
    now: Mapping[str, Any]

    def subject(self) -> str:
        """Return what happened to the prompt, such as `prompt a: 1 message changed`."""
        form = "Create prompt {}" if self.before is None else "prompt {}"
        return f"{subjects.head(form, self.name)}: {self.counts()}"

    def counts(self) -> str:
        """Return how many messages were changed, added and removed; of a new prompt, how many there are."""
        if self.before is None:
            return plural(len(self.now["messages"]), "message")
        found = Counter(_how(old, new) for _, old, new in self._pairs())
        parts = [f"{found[how]} {how}" for how in ("changed", "added", "removed") if found[how]]
        if parts:
            count, _, rest = parts[0].partition(" ")
            parts[0] = f"{plural(int(count), 'message')} {rest}"
        if self._tools_changes():
            parts.append("tools changed")
        return ", ".join(parts) or "order of fields changed"

    def lines(self, most: int = _MOST_LINES) -> list[str]:
        """Return the lines that differ, under the message that each is in, and how many more there are."""
        lines = self._lines()
        found = [line.line() for line in islice(lines, most)]
        more = sum(1 for _ in lines)  # which are many, perhaps, and are not written out
        return [*found, f"… and {plural(more, 'more line')}"] if more else found

    def block(self) -> list[str]:
        """Return the lines about this prompt among others."""
        return [self.subject(), *(f"  {line}" for line in self.lines(_MOST_LINES_EACH))]

    def _lines(self) -> Iterator[_Line]:
        for number, old, new in self._pairs():
            place, message = f"messages.{number}", new if new is not None else old or {}
            yield _Header(place, str(message.get("role")), _how(old, new))
            yield from _message_lines(place, old or {}, new or {})
        yield from self._tools_changes()

    def _tools_changes(self) -> list[FieldChange]:
        before, now = ({"tools": each["tools"]} if "tools" in each else {} for each in (self.before or {}, self.now))
        return field_changes.find(before, now)

    def _pairs(self) -> Iterator[_Pair]:
        """Yield the messages that differ, in their order. A place is that in the new list, or else in the old one."""
        numbers = Numbers()
        old, new = (self.before or {"messages": []})["messages"], self.now["messages"]
        for block in differing([*map(numbers.of, old)], [*map(numbers.of, new)]):
            common = min(len(block.old), len(block.new))
            yield from ((to, old[at], new[to]) for at, to in zip(block.old, block.new, strict=False))
            yield from ((at, old[at], None) for at in block.old[common:])
            yield from ((to, None, new[to]) for to in block.new[common:])


def of_one(origin: Origin, summary: Summary) -> str:
    """Return the message of a commit that changed one prompt."""
    return messages.message(origin, summary.subject(), summary.lines())


def of_batch(origin: Origin, batch: Sequence[Summary]) -> str:
    """Return the message of a commit that changed several prompts."""
    if len(batch) == 1:
        return of_one(origin, batch[0])
    subject = subjects.of_many("Write", "prompt", [summary.name for summary in batch])
    return messages.message(
        origin, subject, field_changes.bounded((summary.block() for summary in batch), len(batch), "prompt")
    )


def _how(old: Message | None, new: Message | None) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


def _message_lines(place: str, old: Message, new: Message) -> Iterator[_Line]:
    """Yield the lines that tell a message from another; one of them may be empty."""
    texts = [each.get("content") for each in (old, new)]
    parts = [text.removesuffix("\n") for text in texts if isinstance(text, str)]
    is_text = len(parts) + texts.count(None) == 2 and parts[:1] != parts[1:]  # a line end that differs shows in a value
    if is_text:
        yield from _text_lines(*((text or "").removesuffix("\n") for text in texts))
    shown = {*(["content"] if is_text and any(texts) else []), *([] if old and new else ["role"])}
    others = ({name: value for name, value in each.items() if name not in shown} for each in (old, new))
    yield from (change._replace(field=f"{place}.{change.field}") for change in field_changes.find(*others))


def _text_lines(before: str, after: str) -> Iterator[_TextLine]:
    """Yield the lines of two texts that differ."""
    old, new = (text.split("\n") if text else [] for text in (before, after))
    for block in differing(old, new):
        olds, news = old[block.old.start : block.old.stop], new[block.new.start : block.new.stop]
        yield from (_TextLine("-", line, other) for line, other in zip_longest(olds, news[: len(olds)], fillvalue=""))
        yield from (_TextLine("+", line, other) for line, other in zip_longest(news, olds[: len(news)], fillvalue=""))
