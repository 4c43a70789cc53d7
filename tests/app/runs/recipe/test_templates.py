"""Question templates, and what is wrong with some."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.templates import OUR_TEMPLATE, fill, template_problem


def test_our_template_is_right_and_says_how_many_questions_are_wanted():
    assert template_problem(OUR_TEMPLATE) is None
    filled = fill(OUR_TEMPLATE, 7, "You are a cat.")
    assert "exactly 7 questions" in filled
    assert "\nYou are a cat.\n" in filled
    assert "$" not in filled


def test_both_ways_to_write_a_name_are_filled():
    assert fill("$numq of ${prompt_u}, $$5, ${numq}", 3, "x") == "3 of x, $5, 3"
    assert template_problem("$numq of ${prompt_u}, $$5") is None


@given(st.text(), st.integers(1, 1000))
def test_the_prompt_is_put_in_as_it_is(prompt, numq):
    assert fill("${numq}|${prompt_u}", numq, prompt) == f"{numq}|{prompt}"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("${numq} ${prompt_u}\nit costs $5", "line 2 has '$'"),
        ("${numq} ${prompt_u}\n\n$", "line 3 has '$'"),
        ("${numq} ${prompt_u} ${os.environ}", "line 1 has '$'"),
        ("${numq} ${prompt_u}\r\n${NUMQ}", "line 2 has '${NUMQ}'"),
        ("${numq} ${prompt_u} $prompt_v", "line 1 has '$prompt_v'"),
        ("$5\n${numq} $6\n$7 ${prompt_u}", "line 1 and 2 further places have '$'"),
        ("Ask about ${prompt_u}.", "it must contain '${numq}'"),
        ("", "it must contain '${numq}', '${prompt_u}'"),
        ("$$numq $${prompt_u}", "it must contain '${numq}', '${prompt_u}'"),
    ],
)
def test_a_mistake_is_told_with_its_line(template: str, problem: str):
    assert problem in (template_problem(template) or "")


@given(st.lists(st.sampled_from(["$", "$$", "{", "}", "numq", "prompt_u", "${numq}", "$prompt_u", "\n", "x", ".y"])))
def test_a_template_without_a_problem_can_be_filled_and_another_cannot_or_lacks_a_name(parts):
    template = "".join(parts)
    problem = template_problem(template)
    try:
        filled = fill(template, 12345, "teacher")
    except (ValueError, KeyError):
        assert problem
    else:
        assert bool(problem) == ("12345" not in filled or "teacher" not in filled)
