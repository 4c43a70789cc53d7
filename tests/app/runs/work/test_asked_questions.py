"""Questions that a model writes; here a function stands for the way to the model."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.failures import RunFailed
from app.runs.models.answers import Answer
from app.runs.models.verdicts import Refused, Verdict
from app.runs.recipe import questions
from app.runs.recipe.questions import normalized
from app.runs.recipe.templates import OUR_TEMPLATE
from app.runs.work.asked_questions import Wanted, ask_for_questions


@dataclass
class Model:
    """A model that answers each request by a function of the number of the request and its body."""

    says: Callable[[int, dict[str, Any]], str | Exception]
    finish_reason: str = "stop"
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    recorded: list[list[str]] = field(default_factory=list)

    async def send(self, body: dict[str, Any], idempotency_key: str) -> Answer:
        self.bodies.append(body)
        self.keys.append(idempotency_key)
        said = self.says(len(self.bodies) - 1, body)
        if isinstance(said, Exception):
            raise said
        response = {"role": "assistant", "content": said, "finish_reason": self.finish_reason, "usage": {}}
        return Answer(response, b"{}", 1, 1)

    async def record(self, questions: Sequence[str]) -> None:
        self.recorded.append(list(questions))

    @property
    def questions(self) -> list[str]:
        return [question for answer in self.recorded for question in answer]


def wanted(number: int, **generator: Any) -> Wanted:
    return Wanted({"model": "m", **generator}, 2, number, OUR_TEMPLATE, "You are a cat.", "key")


def ask(model: Model, wanted: Wanted, recorded: Sequence[str] = ()) -> None:
    asyncio.run(ask_for_questions(wanted, recorded, model.send, model.record))


def numbered(questions: Sequence[str]) -> str:
    return "\n".join(f"{number}. {question}" for number, question in enumerate(questions, 1))


def asked_for(body: dict[str, Any]) -> int:
    """Return how many questions a request asks for."""
    return int(body["messages"][-1]["content"].rpartition("exactly ")[2].split()[0])


def obliging(number: int, body: dict[str, Any]) -> str:
    """Answer as it should be."""
    return numbered([f"What is {number} and {at}?" for at in range(asked_for(body))])


def test_one_answer_with_all_questions_is_enough():
    model = Model(obliging)
    ask(model, wanted(5))
    assert model.recorded == [[f"What is 0 and {at}?" for at in range(5)]]
    (body,) = model.bodies
    assert body["model"] == "m"
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert "exactly 5 questions" in body["messages"][0]["content"]
    assert "You are a cat." in body["messages"][0]["content"]
    assert {*body} == {"model", "messages", "seed"}


def test_many_questions_are_asked_for_in_parts():
    model = Model(obliging)
    ask(model, wanted(60))
    assert [*map(asked_for, model.bodies)] == [25, 25, 10]
    assert [*map(len, model.recorded)] == [25, 25, 10]
    assert len({*model.keys}) == 3


def test_four_where_five_were_asked_for_is_asked_again_for_one():
    model = Model(lambda number, _: numbered(["A?", "B?", "C?", "D?"]) if number == 0 else '["E?"]')
    ask(model, wanted(5))
    assert model.questions == ["A?", "B?", "C?", "D?", "E?"]
    first, second = model.bodies
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
    assert second["messages"][1]["content"] == "1. A?\n2. B?\n3. C?\n4. D?"
    assert asked_for(second) == 1
    assert first["seed"] != second["seed"]


def test_more_than_were_asked_for_are_cut_to_exactly_as_many():
    model = Model(lambda *_: numbered([f"{letter}?" for letter in "ABCDEFG"]))
    ask(model, wanted(5))
    assert model.questions == ["A?", "B?", "C?", "D?", "E?"]


def test_repeats_within_and_between_answers_are_dropped():
    answers = [numbered(["A?", "a", "B?"]), numbered(["b?", "A?", "C?"]), numbered(["D?"])]
    model = Model(lambda number, _: answers[number])
    ask(model, wanted(4))
    assert model.recorded == [["A?", "B?"], ["C?"], ["D?"]]


def test_what_an_interrupted_run_recorded_is_kept_and_only_the_rest_is_asked_for():
    model = Model(lambda *_: numbered(["A?", "C?"]))
    ask(model, wanted(3), ["A?", "B?"])
    assert model.recorded == [["C?"]]
    assert asked_for(model.bodies[0]) == 1
    again = Model(obliging)
    ask(again, wanted(2), ["A?", "B?"])
    assert again.bodies == []


def test_a_run_that_goes_on_repeats_the_request_that_was_out():
    """It carries the same seed and idempotency key, so an endpoint that keeps answers gives the same."""
    first, again = Model(obliging), Model(obliging)
    ask(first, wanted(60))
    ask(again, wanted(60), first.recorded[0])
    assert (again.bodies[0], again.keys[0]) == (first.bodies[1], first.keys[1])


@pytest.mark.parametrize(
    ("says", "finish_reason", "why"),
    [
        ("I cannot do that.", "stop", "it had no list of questions"),
        ("", "stop", "it had no list of questions"),
        ("Certainly! Here is a", "length", "it was cut off by max_tokens"),
        ("1. A?\n2. B?", "stop", "it repeated itself"),
    ],
)
def test_a_model_that_gives_nothing_new_is_given_up_on(says: str, finish_reason: str, why: str):
    model = Model(lambda *_: says, finish_reason)
    with pytest.raises(RunFailed) as caught:
        ask(model, wanted(5), ["A?", "B?"])
    assert len(model.bodies) == 5
    assert model.recorded == []
    assert caught.value.kind == "questions"
    text = str(caught.value)
    assert text.startswith(
        "generators.2: 5 questions are wanted, and 2 came. Model 'm' gave 5 answers without a new one"
    )
    assert f"the last: {why}. Set a smaller numq" in text


def test_the_count_of_barren_answers_begins_anew_with_each_new_question():
    model = Model(lambda number, _: numbered([f"{number // 4}?"]))
    ask(model, wanted(6))
    assert len(model.bodies) == 21


def test_after_a_barren_answer_the_model_is_asked_as_if_nothing_were_known():
    model = Model(lambda number, _: "Sorry." if number == 1 else obliging(number, model.bodies[-1]))
    ask(model, wanted(50))
    assert [len(body["messages"]) for body in model.bodies] == [1, 3, 1]
    assert len({body["seed"] for body in model.bodies}) == 3


def test_a_request_that_became_too_long_is_sent_without_what_is_known():
    def says(number: int, body: dict[str, Any]) -> str | Exception:
        if len(body["messages"]) > 1:
            return Refused(Verdict.SAMPLE, "bad_request", "Endpoint 'e' answered 400: too long.", 400)
        return obliging(number, body)

    model = Model(says)
    ask(model, wanted(50))
    assert len(model.questions) == 50
    assert [len(body["messages"]) for body in model.bodies] == [1, 3, 1]


@pytest.mark.parametrize("verdict", [Verdict.SAMPLE, Verdict.RUN])
def test_a_refusal_of_the_template_itself_ends_the_run(verdict: Verdict):
    model = Model(lambda *_: Refused(verdict, "not_found", "There is no such model.", 404))
    with pytest.raises(Refused, match="no such model"):
        ask(model, wanted(5))
    assert len(model.bodies) == 1


def test_a_wrong_key_ends_the_run_also_later():
    model = Model(lambda number, body: Refused(Verdict.RUN, "not_allowed", "No.") if number else obliging(0, body))
    with pytest.raises(Refused, match="No"):
        ask(model, wanted(50))
    assert len(model.questions) == 25


def test_max_tokens_are_those_of_a_question_and_temperature_goes_along():
    model = Model(obliging)
    ask(model, wanted(30, max_tokens=40, temperature=0.5))
    assert [(body["max_tokens"], body["temperature"]) for body in model.bodies] == [(1000, 0.5), (200, 0.5)]


def test_the_seed_of_the_generator_is_sent_first_and_others_follow_from_it():
    models = [Model(obliging) for _ in range(3)]
    for model, seed in zip(models, (42, 42, 43), strict=True):
        ask(model, wanted(60, seed=seed))
    seeds = [[body["seed"] for body in model.bodies] for model in models]
    assert seeds[0] == seeds[1]
    assert seeds[0][0] == 42
    assert not {*seeds[0]} & {*seeds[2]}
    assert len({*seeds[0]}) == 3


@pytest.mark.parametrize("seed", [-1, 2**31, 10**30])
def test_a_seed_that_not_every_endpoint_takes_is_replaced_by_one_that_follows_from_it(seed: int):
    model = Model(obliging)
    ask(model, wanted(1, seed=seed))
    assert 0 <= model.bodies[0]["seed"] < 2**31


def test_an_endpoint_that_takes_no_seed_gets_none():
    model = Model(obliging)
    ask(model, Wanted({"model": "m", "seed": 5}, 0, 3, OUR_TEMPLATE, "", "key", takes_seed=False))
    assert "seed" not in model.bodies[0]


def test_the_model_is_reminded_of_the_last_questions_only():
    model = Model(obliging)
    known = [f"{number}: {'a' * 500}?" for number in range(30)]
    ask(model, wanted(31), known)
    reminded = model.bodies[0]["messages"][1]["content"]
    assert len(reminded) < 4100
    assert reminded.endswith(known[-1])
    assert reminded.startswith("1. ")


def test_content_in_parts_is_read():
    async def send(*_: object) -> Answer:
        parts = [{"type": "text", "text": "1. A?"}, {"type": "text", "text": "2. B?"}]
        return Answer({"content": parts, "finish_reason": "stop"}, b"", 0, 0)

    model = Model(obliging)
    asyncio.run(ask_for_questions(wanted(2), [], send, model.record))
    assert model.questions == ["A?", "B?"]


ANSWERS = st.lists(st.sampled_from(["A?", "B?", "C?", "D?", "E?", "F?", "", "No."]), max_size=8)


@given(st.integers(1, 6), st.lists(ANSWERS, max_size=8), st.sets(st.sampled_from(["A?", "B?"])))
def test_whatever_a_model_says_there_are_exactly_as_many_different_questions_or_the_run_fails(number, answers, there):
    model = Model(lambda at, _: numbered(answers[at] if at < len(answers) else []))
    recorded = sorted(there)[:number]
    error = None
    try:
        ask(model, wanted(number), recorded)
    except RunFailed as caught:
        error = str(caught)
    came = len(recorded) + len(model.questions)
    assert (came == number) == (error is None)
    assert came <= number
    assert error is None or f"and {came} came" in error
    everything = [*recorded, *model.questions]
    assert len({*map(normalized, everything)}) == len(everything)
    assert len({*model.keys}) == len(model.keys) <= 5 * number + 5


def test_the_work_for_an_answer_does_not_grow_with_the_questions_that_are_known(monkeypatch: pytest.MonkeyPatch):
    read: list[str] = []
    monkeypatch.setattr(questions, "normalized", lambda text: read.append(text) or normalized(text))
    ask(Model(obliging), wanted(1000))
    assert len(read) <= 4 * 1000
    del read[:]
    ask(Model(obliging), wanted(1000), [f"Known {number}?" for number in range(900)])
    assert len(read) <= 900 + 4 * 100
