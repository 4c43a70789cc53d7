"""The questions in a model's answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.questions import normalized, parse, unique

THREE = ["What is your name?", "Where do you live?", "Tell me a story about a fox."]
BULLETED = "\n".join(f"- {question}" for question in THREE)
QUOTED = json.dumps(THREE)

ANSWERS = {
    "dots": "1. What is your name?\n2. Where do you live?\n3. Tell me a story about a fox.",
    "brackets": "1) What is your name?\n2) Where do you live?\n3) Tell me a story about a fox.",
    "two brackets": "(1) What is your name?\n(2) Where do you live?\n(3) Tell me a story about a fox.",
    "Q": "Q1: What is your name?\nQ2: Where do you live?\nQ3: Tell me a story about a fox.",
    "Q without a number": "Q: What is your name?\nA: Bob.\n\nQ: Where do you live?\nA: Here.\n\n"
    "Q: Tell me a story about a fox.\nA: No.",
    "the whole word": "Question 1: What is your name?\nQuestion 2: Where do you live?\n"
    "question 3. Tell me a story about a fox.",
    "dashes": "1 - What is your name?\n2 – Where do you live?\n3 — Tell me a story about a fox.",
    "hashes": "#1 What is your name?\n#2: Where do you live?\n#3. Tell me a story about a fox.",
    "headings": "### 1. What is your name?\n\n### 2. Where do you live?\n\n### 3. Tell me a story about a fox.",
    "no space": "1.What is your name?\n2.Where do you live?\n3.Tell me a story about a fox.",
    "bullets": BULLETED,
    "stars": "* What is your name?\n* Where do you live?\n* Tell me a story about a fox.",
    "dots as bullets": "• What is your name?\n• Where do you live?\n• Tell me a story about a fox.",
    "bullets and numbers": "- 1. What is your name?\n- 2. Where do you live?\n- 3. Tell me a story about a fox.",
    "bold": "1. **What is your name?**\n2. **Where do you live?**\n3. *Tell me a story about a fox.*",
    "bold with its number": "**1. What is your name?**\n**2. Where do you live?**\n**3. Tell me a story about a fox.**",
    "bold numbers": "**1.** What is your name?\n**Q2:** Where do you live?\n"
    "**Question 3:** Tell me a story about a fox.",
    "bold headings": "1. **Names:** What is your name?\n2. **Places**: Where do you live?\n"
    "3. **Talk:** Tell me a story about a fox.",
    "quotes": "1. \"What is your name?\"\n2. “Where do you live?”\n3. 'Tell me a story about a fox.'",
    "quotes and commas": '1. "What is your name?",\n2. "Where do you live?",\n3. "Tell me a story about a fox."',
    "bold in quotes": '1. "**What is your name?**"\n2. **"Where do you live?"**\n3. _Tell me a story about a fox._',
    "empty lines": "1. What is your name?\n\n\n2. Where do you live?\n   \n3. Tell me a story about a fox.\n",
    "indented": "  1. What is your name?\n  2. Where do you live?\n 10. Tell me a story about a fox.",
    "on the next line": "**Question 1**:\nWhat is your name?\n\n**Question 2:**\n\nWhere do you live?\n\nQ3:\n"
    "Tell me a story about a fox.",
    "a heading of its own": "Question 1\nWhat is your name?\n\n**Question 2**\nWhere do you live?\n\nQuestion 3\n"
    "Tell me a story about a fox.",
    "two numbers": "1. 1. What is your name?\n2. Q2: Where do you live?\n3. (3) Tell me a story about a fox.",
    "lines before and after": "Sure! Here are 3 questions:\n\n1. What is your name?\n2. Where do you live?\n"
    "3. Tell me a story about a fox.\n\nI hope these help. Shall I write more?",
    "a line right after": "1. What is your name?\n2. Where do you live?\n3. Tell me a story about a fox.\n"
    "These differ much.",
    "remarks": "1. What is your name?\n   - asks for the name\n2. Where do you live?\n   *Rationale: a place.*\n"
    "3. Tell me a story about a fox.",
    "wrapped": "1. What is\n   your name?\n2. Where do\n   you live?\n3. Tell me a story\n   about a fox.",
    "headings between": "1. About you:\n   - What is your name?\n   - Where do you live?\n2. Requests:\n"
    "   - Tell me a story about a fox.",
    "in a code fence": "```\n1. What is your name?\n2. Where do you live?\n3. Tell me a story about a fox.\n```",
    "carriage returns": "1. What is your name?\r\n2. Where do you live?\r\n3. Tell me a story about a fox.\r\n",
    "thoughts": "<think>\n1. What do they want?\n2. Why?\n</think>\n1. What is your name?\n2. Where do you live?\n"
    "3. Tell me a story about a fox.",
    "a repeat": "1. What is your name?\n2. what is your  name\n3. Where do you live?\n4. Tell me a story about a fox.",
    "JSON": QUOTED,
    "JSON on lines": json.dumps(THREE, indent=2),
    "JSON in a code fence": f"Here you go:\n\n```json\n{json.dumps(THREE, indent=1)}\n```\nEnjoy!",
    "JSON in an object": json.dumps({"count": 3, "questions": THREE}),
    "JSON in objects": json.dumps({"data": {"items": [{"id": 1, "question": text} for text in THREE]}}),
    "JSON of objects": json.dumps([{"question": text, "topic": "you"} for text in THREE], indent=2),
    "JSON by number": json.dumps({f"question_{number}": text for number, text in enumerate(THREE)}),
    "JSON behind words": f"The list is: {QUOTED}. I hope that it helps.",
    "JSON with numbers in it": json.dumps([f"{number}. {text}" for number, text in enumerate(THREE, 1)]),
    "JSON with a comma at the end": QUOTED[:-1] + ",]",
    "JSON cut off": QUOTED[:-1] + ', "Is there a',
    "objects cut off": json.dumps({"questions": [{"text": text} for text in THREE]})[:-2] + ', {"text": "Is th',
}


@pytest.mark.parametrize("form", ANSWERS)
def test_the_questions_are_found_in(form: str):
    assert parse(ANSWERS[form]) == THREE


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot help with that.",
        "I am sorry. Would you like something else?",
        "[]",
        "{}",
        "1.",
        "[1, 2]",
        "- ",
        "{",
    ],
)
def test_there_are_no_questions_in(answer: str):
    assert parse(answer) == []


def test_lines_without_numbers_are_questions_where_all_of_them_are():
    assert parse("Here they are:\n\nWho are you?\n\nWhat is version 1.5?\n") == ["Who are you?", "What is version 1.5?"]
    assert parse("Who are you?\nI am Bob.") == []


def test_a_number_in_a_question_begins_no_question():
    assert parse("1. What is 1.5 + 2?\n2. At 10:30, who\n   calls?") == ["What is 1.5 + 2?", "At 10:30, who calls?"]


def test_code_belongs_to_the_question_above_it():
    answer = "1. What does this print?\n```python\nfor n in range(3):\n    print(n)\n1. no item\n```\n2. Why?"
    assert parse(answer) == [
        "What does this print?\n```python\nfor n in range(3):\n    print(n)\n1. no item\n```",
        "Why?",
    ]


def test_a_list_in_a_question_is_no_answer_in_json():
    assert parse('1. What is `["a", "b"][0]`?\n2. Why?') == ['What is `["a", "b"][0]`?', "Why?"]


def test_questions_that_differ_in_one_sign_are_two():
    assert unique(["What is 2+2?", "What is 2-2?", "What is 2 + 2?"]) == [
        "What is 2+2?",
        "What is 2-2?",
        "What is 2 + 2?",
    ]


def test_what_utf_8_cannot_hold_is_replaced():
    assert parse('["Who \\ud800 are\\u0000 you?"]') == ["Who ? are you?"]


# Words without the marks that a list has; a question mark ends them, so that no line could be the heading of others.
WORDS = st.text("abcdefghij ÄÖß語🎉0123456789,;-", min_size=1, max_size=40).map(lambda text: f"Is {text.strip()} so?")
LISTS = st.lists(WORDS, min_size=1, max_size=30).map(unique)
MARKERS = st.sampled_from(["{}. ", "{}) ", "({}) ", "Q{}: ", "**{}.** ", "### {}. ", "  {}. ", "- {}. "])
AROUND = st.sampled_from(["", "Here they are:\n\n", "Sure! I wrote\n"])
AFTER = st.sampled_from(["", "\n\nGood luck!", "\nThat is all", "\n"])


@given(LISTS, MARKERS, AROUND, AFTER)
def test_a_numbered_list_is_read_as_it_was_written(questions, marker, before, after):
    items = [marker.format(number) + question for number, question in enumerate(questions, 1)]
    assert parse(before + "\n".join(items) + after) == questions


@given(st.lists(st.text(max_size=20), max_size=10).map(unique), st.sampled_from([None, 2]), AROUND, AFTER)
def test_a_json_list_gives_each_text_that_says_something(texts, indent, before, after):
    wanted = [text for text in texts if text.isalpha()]
    assert parse(before + json.dumps(wanted, indent=indent) + after) == unique(wanted)


@given(LISTS, st.integers(0, 2000))
def test_a_json_list_that_is_cut_off_gives_those_that_are_whole(questions, end):
    text = json.dumps(questions)[:end]
    found = parse(text)
    assert found == questions[: len(found)]
    assert len(found) >= text.count('", "')


@given(st.text(max_size=200) | st.text('1.)Q:-*"[]{}`#\\n ?a\n,', max_size=200))
def test_any_answer_gives_questions_that_are_clean_and_differ(answer):
    found = parse(answer)
    assert len({*map(normalized, found)}) == len(found)
    for question in found:
        assert question == question.strip() != ""
        assert "\0" not in question
        assert question.encode()


@pytest.mark.parametrize("start", ["[", '["', "[{", '{"a":', "1. ", "```\n", "**", '[["a', "1. a\n```x\n"])
def test_a_long_answer_without_sense_is_read_in_few_steps(start: str):
    assert isinstance(parse(start * 20_000), list)


@given(LISTS, LISTS)
def test_known_questions_are_left_out(questions, known):
    found = unique([*known, *questions, *known], {*map(normalized, known)})
    assert {*map(normalized, found)} == {*map(normalized, questions)} - {*map(normalized, known)}
