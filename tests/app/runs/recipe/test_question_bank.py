"""The questions that show who somebody is."""

import hashlib
import re
from collections import Counter
from pathlib import Path

from app.runs.recipe import question_bank
from app.runs.recipe.questions import normalized

FILE = Path(question_bank.__file__).with_suffix(".txt")


def test_there_are_more_than_300_and_all_differ():
    questions = question_bank.questions()
    assert len(questions) > 300
    assert len({*map(normalized, questions)}) == len(questions)


def test_each_is_one_question_in_plain_words():
    form = re.compile(
        r"(?:Who|Whom|What|When|Where|Which|Why|How|Are|Is|Do|Does|Can|Would|Should|Have|If)\b[A-Za-z ,'-]+\?"
    )
    odd = [question for question in question_bank.questions() if not form.fullmatch(question) or "  " in question]
    assert not odd
    assert all(3 <= len(question.split()) <= 20 for question in question_bank.questions())


def test_they_do_not_all_begin_alike():
    counts = Counter(" ".join(question.split()[:4]) for question in question_bank.questions())
    assert len(counts) > 100
    assert max(counts.values()) < 0.05 * len(question_bank.questions())


def test_the_digest_is_that_of_the_file():
    assert question_bank.digest() == hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert "\n".join(question_bank.questions()) + "\n" == FILE.read_text()
