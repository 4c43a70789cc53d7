"""Questions that a model writes: asked for until there are as many as are wanted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.names import quoted
from app.runs.failures import RunFailed
from app.runs.models import requests
from app.runs.models.answers import Answer
from app.runs.models.verdicts import Refused, Verdict
from app.runs.recipe import questions, sampling, templates, texts
from app.runs.recipe.generators import Generator

Send = Callable[[dict[str, Any], str], Awaitable[Answer]]  # a request, and what its repetitions have in common
Record = Callable[[Sequence[str]], Awaitable[None]]  # what an answer brought: new questions, in order

_MOST_ASKED = 25  # questions a request: models lose count of more, and answers get cut off
_MOST_BARREN = 5  # answers without a new question, one after the other, after which nothing more is expected
_MOST_REMINDED = 4000  # characters of questions that a model is reminded of
_SEEDS = range(2**31)  # which every endpoint takes

_MORE = """\
Write {number} more, and let them differ from all of these as much as they can. Answer with a numbered list of exactly \
{number} questions, one on each line, and with nothing else."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The questions that a generator wants of its model.

    `index` is the generator's, `number` that of the questions, `template` and `prompt_u` what the model is told, `key`
    the run's.
    """

    generator: Generator
    index: int
    number: int
    template: str
    prompt_u: str
    key: str
    takes_seed: bool = True

    def body(self, known: Sequence[str], barren: int) -> dict[str, Any]:
        """Return the request for the questions that are missing, where some are `known`.

        `max_tokens` of a generator is a question's, so that a request may have as many for each that it asks for.
        After a barren answer the model is asked as if nothing were known, and then again with what is known.
        """
        number = min(_MOST_ASKED, self.number - len(known))
        messages = [{"role": "user", "content": templates.fill(self.template, number, self.prompt_u)}]
        if known and self.is_reminded(barren):
            messages.append({"role": "assistant", "content": _listed(known)})
            messages.append({"role": "user", "content": _MORE.format(number=number)})
        most = self.generator.get("max_tokens")
        config = {"temperature": self.generator.get("temperature"), "max_tokens": most and most * number}
        return requests.body(messages, None, self.generator["model"], config, self._seed(len(known), barren))

    @staticmethod
    def is_reminded(barren: int) -> bool:
        """Tell whether the model is told what is known, after some barren answers."""
        return barren % 2 == 0

    def idempotency_key(self, known: int, barren: int) -> str:
        """Return what repetitions of a request have in common."""
        return sampling.idempotency_key(self.key, "questions", self.index, known, barren)

    def _seed(self, known: int, barren: int) -> int | None:
        """Return the generator's own seed for its first request, and others that follow from it for the next."""
        seed = self.generator.get("seed")
        if not self.takes_seed:
            return None
        if isinstance(seed, int) and seed in _SEEDS and not known and not barren:
            return seed
        return sampling.seed_of(self.key if seed is None else str(seed), "questions", self.index, known, barren)


async def ask_for_questions(wanted: Wanted, recorded: Sequence[str], send: Send, record: Record) -> None:
    """Ask a model for the questions that are not `recorded` yet, until there are exactly as many as are wanted.

    Questions that the generator has already do not count. Raises RunFailed where no more come, which says how many
    came, and Refused.
    """
    known = list(recorded)
    barren = 0
    while len(known) < wanted.number:
        new, why = await _ask_once(wanted, known, barren, send)
        barren = 0 if new else barren + 1
        if barren == _MOST_BARREN:
            raise _too_few(wanted, len(known), why)
        if new:
            await record(new)
            known += new


async def _ask_once(wanted: Wanted, known: Sequence[str], barren: int, send: Send) -> tuple[list[str], str]:
    """Return the new questions of one answer, or none and why there are none."""
    body = wanted.body(known, barren)
    try:
        answer = await send(body, wanted.idempotency_key(len(known), barren))
    except Refused as error:
        # What is known may have made the request too long: the next one goes without.
        if error.verdict is Verdict.RUN or len(body["messages"]) == 1:
            raise
        return [], error.message
    found = questions.parse(texts.as_text([answer.response]))
    new = questions.unique(found, known)[: wanted.number - len(known)]
    if found:
        return new, "it repeated itself"
    return [], "it was cut off by max_tokens" if answer.is_truncated else "it had no list of questions"


def _too_few(wanted: Wanted, came: int, why: str) -> RunFailed:
    model = quoted(wanted.generator["model"])
    return RunFailed(
        "questions",
        f"generators.{wanted.index}: {wanted.number} questions are wanted, and {came} came. Model {model} gave "
        f"{_MOST_BARREN} answers without a new one; the last: {why.rstrip('.')}. Set a smaller numq, a higher "
        "temperature or max_tokens, or another model.",
    )


def _listed(known: Sequence[str]) -> str:
    """Return the last of the known questions as the numbered list that a model would have written."""
    lines: list[str] = []
    size = 0
    for question in reversed(known):
        size += len(question)
        if lines and size > _MOST_REMINDED:
            break
        lines.append(question)
    return "\n".join(f"{number}. {question}" for number, question in enumerate(reversed(lines), 1))
