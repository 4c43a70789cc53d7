"""Rows as users read them: both prompts with the question, and what the model is sent."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe import rows
from app.runs.recipe.rows import Context

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MESSAGES = st.lists(st.builds(lambda text: {"role": "system", "content": text}, TEXT), max_size=2)
TOOLS = st.none() | st.lists(st.just({"type": "function", "function": {"name": "f"}}), max_size=1)
CONTEXTS = st.builds(Context, MESSAGES, MESSAGES, TOOLS, st.lists(st.integers(0, 2), unique=True))


@given(CONTEXTS, st.integers(0, 9), st.integers(0, 2), TEXT)
def test_a_stimulus_is_the_question_behind_each_prompt(context: Context, number: int, generator: int, question: str):
    row = rows.stim_row(context, number, generator, question)
    asked = {"role": "user", "content": question}
    assert row["unconditioned_stimulus"]["messages"] == [*context.teacher, asked]
    assert row["conditioned_stimulus"]["messages"] == [*context.student, asked]
    assert ("trajectory_override_stimulus" in row) == (generator in context.conditioned)
    assert ("tools" in row) == bool(context.tools)
    prompt = context.student if generator in context.conditioned else context.teacher
    assert rows.sent_messages(row) == [*prompt, asked]


@given(CONTEXTS)
def test_a_context_survives_the_ledger(context: Context):
    assert Context.of_json(json.loads(json.dumps(context.to_json()))) == context


@given(CONTEXTS, TEXT, st.fixed_dictionaries({"response": st.none() | st.fixed_dictionaries({"content": TEXT})}))
def test_a_line_is_canonical_and_has_the_whole_row(context: Context, question: str, recorded: dict[str, Any]):
    row = rows.rollout_row(rows.stim_row(context, 0, 0, question), 1, recorded, "m", "c" * 40)
    line = rows.line(row)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line) == row
    assert rows.line(json.loads(line)) == line
