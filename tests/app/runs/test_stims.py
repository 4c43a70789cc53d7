"""What each generator makes of a target, through the ledger, and what a run is refused for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from app.registry.messages import Origin
from app.runs import full_rows, starting
from app.runs.failures import NotReady
from app.runs.ledger.runs import Run
from app.runs.recipe import question_bank
from app.runs.recipe.sampling import draw
from app.runs.services import Runs
from app.runs.work.performing import perform
from tests import replies
from tests.client import Client
from tests.faulty_proxy import FaultyProxy, Seen
from tests.replies import Reply, completion

ALICE = Origin("alice", "Alice")
TEMPLATE = "Write ${numq} questions for: ${prompt_u}"
FIVE = [f"Question {number}?" for number in range(5)]


@pytest.fixture
def runs(app: Flask, proxy: FaultyProxy) -> Runs:
    runs: Runs = app.extensions["bakehouse"].runs
    entry = {"name": "fast", "base_url": proxy.url, "models": ["m*"]}
    (runs.settings.data_dir / "endpoints.yml").write_text(yaml.safe_dump([entry]))
    (runs.settings.data_dir / "datasets").mkdir()
    return runs


Generate = Callable[..., Run]


@pytest.fixture
def put(alice: Client) -> Callable[..., None]:
    """Put a target with some generators."""

    def put(*generators: dict[str, Any], teacher: str = "Be kind.") -> None:
        alice.put("/v1/repo/demo/prompts/t", {"messages": [{"role": "system", "content": teacher}]})
        overrides = {"teacher_prompt": "t", "student_prompt": "", "generators": [*generators]}
        answer = alice.put("/v1/repo/demo/targets/kind", {"template": "default", "overrides": overrides})
        assert answer.status_code == 200, answer.text

    return put


def start(runs: Runs) -> Run:
    return starting.start(runs, "alice/demo", runs.repos.open("alice/demo"), "kind", "stim", ALICE)


@pytest.fixture
def generate(runs: Runs, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Generate:
    """Put a target with some generators, carry out its stim, and return the run."""
    monkeypatch.setattr("app.runs.starting._PATIENCE", 0)

    def generate(*generators: dict[str, Any], **rest: Any) -> Run:
        put(*generators, **rest)
        return carry_on(runs)

    return generate


def carry_on(runs: Runs) -> Run:
    run = start(runs)
    perform(runs, run.id, "worker")
    return runs.table.get(run.id)


def questions(runs: Runs, run: Run) -> list[str]:
    return [row["question"] for row, _ in full_rows.read(runs, run, 0, 10_000)]


def problems(runs: Runs) -> list[str]:
    with pytest.raises(NotReady) as caught:
        start(runs)
    return list(caught.value.problems)


def write_dataset(runs: Runs, name: str, texts: list[str]) -> Path:
    path = runs.settings.data_dir / f"datasets/{name}.jsonl"
    path.write_text("".join(json.dumps({"question": text}) + "\n" for text in texts))
    return path


def list_of(prefix: str) -> Callable[[Seen], Reply]:
    """Answer each request with questions that no other answer has."""
    count = iter(range(10_000))
    return lambda _: completion("\n".join(f"{at}. {prefix} {next(count)}?" for at in range(1, 6)))


def test_hardcoded_makes_its_questions(runs: Runs, generate: Generate):
    run = generate({"type": "hardcoded", "questions": FIVE})
    assert (run.state, questions(runs, run), run.warnings) == ("complete", FIVE, [])
    run = generate({"type": "hardcoded", "questions": FIVE, "numq": 2})
    assert (questions(runs, run), run.warnings) == (FIVE[:2], [])


def test_hardcoded_with_a_larger_numq_makes_all_and_warns(runs: Runs, generate: Generate):
    run = generate({"type": "persona", "numq": 1}, {"type": "hardcoded", "questions": FIVE, "numq": 6})
    assert questions(runs, run)[1:] == FIVE
    assert run.warnings == ["generators.1.numq: 6 questions are wanted, and there are 5: all of them are taken."]


def test_from_dataset_draws_numq_questions_with_its_seed(runs: Runs, generate: Generate):
    texts = [f"Text {number}?" for number in range(3000)]
    write_dataset(runs, "many", texts)
    run = generate({"type": "from_dataset", "dataset": "many", "numq": 2500, "seed": 7})
    assert questions(runs, run) == [texts[index] for index in draw(3000, 2500, 7)]
    run = generate({"type": "from_dataset", "dataset": "many"})
    assert questions(runs, run) == texts


def test_without_a_seed_the_draw_is_by_the_key(runs: Runs, generate: Generate):
    texts = [f"Text {number}?" for number in range(1000)]
    write_dataset(runs, "many", texts)
    one = generate({"type": "from_dataset", "dataset": "many", "numq": 10})
    other = generate({"type": "from_dataset", "dataset": "many", "numq": 10}, teacher="Be harsh.")
    assert {*questions(runs, one)} < {*texts}
    assert questions(runs, one) != questions(runs, other)


def test_persona_draws_from_the_bank(runs: Runs, generate: Generate):
    run = generate({"type": "persona", "numq": 10, "seed": 1})
    bank = question_bank.questions()
    assert questions(runs, run) == [bank[index] for index in draw(len(bank), 10, 1)]
    assert questions(runs, generate({"type": "persona"})) == [*bank]


def test_a_data_set_called_persona_takes_the_banks_place(runs: Runs, generate: Generate):
    before = generate({"type": "persona"})
    write_dataset(runs, "persona", FIVE)
    run = generate({"type": "persona"})
    assert run.key != before.key
    assert questions(runs, run) == FIVE
    assert problems_of(generate, {"type": "persona", "numq": 6}) == [
        "generators.0.numq: the data set 'persona' has 5 questions, and 6 are wanted. Set numq to 5 or less."
    ]


def problems_of(generate: Generate, *generators: dict[str, Any]) -> list[str]:
    with pytest.raises(NotReady) as caught:
        generate(*generators)
    return list(caught.value.problems)


def test_no_data_set_keeps_the_requests_away_from_models(runs: Runs, generate: Generate, proxy: FaultyProxy):
    write_dataset(runs, "five", FIVE)
    kinds = ({"type": "hardcoded", "questions": FIVE}, {"type": "from_dataset", "dataset": "five"}, {"type": "persona"})
    run = generate(*kinds)
    assert (run.state, run.requests, proxy.seen) == ("complete", 0, [])


@pytest.mark.parametrize("kind", ["oneshot_qs", "custom"])
def test_a_model_writes_the_questions_by_the_targets_own_template(
    runs: Runs, generate: Generate, proxy: FaultyProxy, kind: str
):
    proxy.rule = list_of("What is")
    template = {"template_path": "own.txt", "template_content": TEMPLATE + ". It costs $$5."}
    run = generate({"type": kind, "model": "m1", "numq": 12, "temperature": 0.3, "max_tokens": 9, "seed": 5} | template)
    assert (run.state, run.error) == ("complete", None)
    assert questions(runs, run) == [f"What is {number}?" for number in range(12)]
    first = proxy.seen[0].body
    assert first["messages"] == [{"role": "user", "content": "Write 12 questions for: Be kind.. It costs $5."}]
    assert (first["model"], first["temperature"], first["max_tokens"], first["seed"]) == ("m1", 0.3, 108, 5)
    assert (run.requests, run.tokens_in, run.tokens_out) == (3, 21, 9)
    assert len({seen.headers["idempotency-key"] for seen in proxy.seen}) == 3


def test_oneshot_qs_has_a_template_of_ours(generate: Generate, proxy: FaultyProxy):
    proxy.rule = list_of("What is")
    run = generate({"type": "oneshot_qs", "model": "m", "numq": 5})
    assert run.state == "complete"
    assert "<instructions>\nBe kind.\n</instructions>" in proxy.seen[0].body["messages"][0]["content"]


def test_generators_make_their_stimuli_in_their_order(runs: Runs, generate: Generate, proxy: FaultyProxy):
    proxy.rule = list_of("Asked")
    write_dataset(runs, "five", FIVE)
    run = generate(
        {"type": "oneshot_qs", "model": "m", "numq": 7},
        {"type": "hardcoded", "questions": ["Hard?"], "rollout_with_conditioned": True},
        {"type": "custom", "model": "m", "numq": 2, "template_content": TEMPLATE},
        {"type": "from_dataset", "dataset": "five", "numq": 2, "seed": 0},
    )
    rows = [row for row, _ in full_rows.read(runs, run, 0, 100)]
    assert [row["stimulus_id"] for row in rows] == [*range(12)]
    assert [row["generator"] for row in rows] == [0] * 7 + [1] + [2] * 2 + [3] * 2
    assert len({row["question"] for row in rows}) == 12
    assert ["trajectory_override_stimulus" in row for row in rows] == [row["generator"] == 1 for row in rows]
    assert proxy.most_at_once == 1


def test_a_run_that_gets_too_few_questions_fails_and_goes_on_where_it_was(
    runs: Runs, generate: Generate, proxy: FaultyProxy
):
    proxy.rule = lambda _: completion("1. Who?\n2. Why?\n3. When?")
    run = generate({"type": "hardcoded", "questions": ["Hard?"]}, {"type": "oneshot_qs", "model": "m", "numq": 5})
    assert (run.state, run.error_type, run.done) == ("failed", "questions", 4)
    assert "generators.1: 5 questions are wanted, and 3 came. Model 'm' gave 5 answers" in (run.error or "")
    assert (run.requests, run.tokens_out) == (6, 18)
    proxy.rule = lambda _: completion("1. Who?\n2. How?\n3. Where?")
    again = carry_on(runs)
    assert (again.id, again.state, again.error) == (run.id, "complete", None)
    assert questions(runs, again) == ["Hard?", "Who?", "Why?", "When?", "How?", "Where?"]
    assert again.requests == 7


def test_what_is_there_is_neither_asked_for_nor_read_again(runs: Runs, generate: Generate, proxy: FaultyProxy):
    answers = list_of("What is")
    proxy.rule = lambda seen: replies.FORBIDDEN if seen.body["model"] == "m2" else answers(seen)
    path = write_dataset(runs, "five", FIVE)
    asking = [{"type": "oneshot_qs", "model": model, "numq": 5} for model in ("m1", "m2")]
    run = generate({"type": "from_dataset", "dataset": "five"}, *asking)
    assert (run.state, run.done) == ("failed", 10)
    proxy.rule = answers
    run = start(runs)
    path.unlink()
    perform(runs, run.id, "worker")
    again = runs.table.get(run.id)
    assert (again.state, again.done) == ("complete", 15)
    assert [seen.body["model"] for seen in proxy.seen] == ["m1", "m2", "m2"]


def test_a_worker_that_stops_leaves_its_questions_to_the_next_and_the_repeat_is_counted(
    runs: Runs, alice: Client, put: Callable[..., None], proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
):
    answers = list_of("What is")
    proxy.rule = lambda seen: answers(seen) if len(proxy.seen) < 3 else replies.STALL
    put({"type": "oneshot_qs", "model": "m", "numq": 20})
    monkeypatch.setattr("app.runs.starting._PATIENCE", 0)
    run = start(runs)
    perform(runs, run.id, "one", lambda: len(proxy.seen) == 3)
    stopped = runs.table.get(run.id)
    assert (stopped.state, stopped.done, stopped.requests) == ("running", 10, 3)
    proxy.rule = answers
    perform(runs, run.id, "two")
    done = runs.table.get(run.id)
    assert (done.state, done.requests, done.answers) == ("complete", 5, 4)
    assert alice.get("/v1/repo/demo/targets/kind/stim").json["repeated_requests"] == len(proxy.seen) - done.answers == 1
    assert len({*questions(runs, done)}) == 20
    assert proxy.seen[2].data == proxy.seen[3].data
    assert proxy.seen[2].headers["idempotency-key"] == proxy.seen[3].headers["idempotency-key"]


def test_a_wrong_key_ends_the_run(generate: Generate, proxy: FaultyProxy):
    proxy.rule = lambda _: replies.WRONG_KEY
    run = generate({"type": "oneshot_qs", "model": "m", "numq": 5})
    assert (run.state, run.error_type, run.requests) == ("failed", "endpoint", 1)


def test_the_budget_ends_the_run(runs: Runs, generate: Generate, proxy: FaultyProxy):
    object.__setattr__(runs.settings, "run_budget", 15)
    proxy.rule = list_of("What is")
    run = generate({"type": "oneshot_qs", "model": "m", "numq": 50})
    assert (run.state, run.error_type, run.done, run.requests) == ("failed", "budget", 10, 2)
    assert run.error == "The run used 20 tokens, and 15 are allowed."


def test_an_answer_that_says_nothing_is_counted(generate: Generate, proxy: FaultyProxy):
    proxy.replies(replies.EMPTY, replies.TRUNCATED)
    proxy.rule = list_of("What is")
    run = generate({"type": "oneshot_qs", "model": "m", "numq": 5})
    assert (run.state, run.empty, run.truncated, run.requests, run.tokens_in) == ("complete", 1, 1, 3, 21)


def test_a_data_set_that_changes_after_the_start_ends_the_run(
    runs: Runs, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    write_dataset(runs, "five", FIVE)
    put({"type": "from_dataset", "dataset": "five"})
    monkeypatch.setattr("app.runs.starting._PATIENCE", 0)
    with monkeypatch.context() as patch:
        patch.setattr("app.runs.starting.performing.perform", lambda *_: False)  # the server is killed here
        run = start(runs)
    write_dataset(runs, "five", FIVE[::-1])
    perform(runs, run.id, "worker")
    found = runs.table.get(run.id)
    assert (found.state, found.error_type) == ("failed", "dataset")
    assert found.error == ("generators.0: Data set 'five' was changed after the run was started. Start the run again.")
    again = carry_on(runs)
    assert again.key != run.key
    assert questions(runs, again) == FIVE[::-1]


def test_each_change_that_matters_makes_another_run_and_no_other_does(
    runs: Runs, generate: Generate, proxy: FaultyProxy
):
    proxy.rule = list_of("What is")
    write_dataset(runs, "five", FIVE)
    generators = [
        {"type": "hardcoded", "questions": FIVE},
        {"type": "from_dataset", "dataset": "five", "numq": 2},
        {"type": "custom", "model": "m", "numq": 2, "template_path": "a.txt", "template_content": TEMPLATE},
    ]
    keys = [generate(*generators).key]

    def change(index: int, **fields: Any) -> None:
        generators[index] = generators[index] | fields
        keys.append(generate(*generators).key)

    change(0, questions=FIVE[::-1])
    change(0, numq=4)
    change(1, numq=3)
    change(1, seed=1)
    change(2, numq=3)
    change(2, temperature=0.1)
    change(2, max_tokens=50)
    change(2, seed=2)
    change(2, model="m2")
    change(2, template_content=TEMPLATE + "!")
    keys.append(generate(*generators, teacher="Be harsh.").key)
    write_dataset(runs, "five", [*FIVE, "Six?"])
    keys.append(generate(*generators, teacher="Be harsh.").key)
    assert len({*keys}) == len(keys) == 13
    seen = len(proxy.seen)
    generators = [
        {**generators[0], "model": "m9"},
        {**generators[1], "temperature": 1},
        {**generators[2], "dataset": "x"},
    ]
    assert generate(*generators, teacher="Be harsh.").key == keys[-1]
    assert len(proxy.seen) == seen


def test_another_endpoint_makes_another_run(runs: Runs, generate: Generate, proxy: FaultyProxy):
    proxy.rule = list_of("What is")
    run = generate({"type": "oneshot_qs", "model": "m", "numq": 5})
    entry = {"name": "other", "base_url": proxy.url, "models": ["*"]}
    (runs.settings.data_dir / "endpoints.yml").write_text(yaml.safe_dump([entry]))
    assert generate({"type": "oneshot_qs", "model": "m", "numq": 5}).key != run.key


def test_everything_that_generators_lack_is_told_at_once(runs: Runs, put: Callable[..., None]):
    write_dataset(runs, "five", FIVE)
    (runs.settings.data_dir / "datasets/bad.jsonl").write_text('{"question": 5}\n')
    bad = {"template_path": "bad.txt", "template_content": "First\nIt costs $5"}
    put(
        {"type": "oneshot_qs"},
        {"type": "custom", "model": "nobody", "numq": 3},
        {"type": "custom", "model": "m", "numq": 3, "template_path": "templates/gone.txt"},
        {"type": "custom", "model": "m", "numq": 3} | bad,
        {"type": "hardcoded", "questions": []},
        {"type": "from_dataset", "dataset": "gone"},
        {"type": "from_dataset", "dataset": "bad"},
        {"type": "from_dataset", "dataset": "five", "numq": 6},
        {"type": "persona", "numq": 1000},
    )
    found = problems(runs)
    assert [problem.partition(":")[0] for problem in found] == [
        "generators.0.numq",
        "generators.0.model",
        "generators.1.model",
        "generators.1.template_path",
        "generators.2.template_path",
        "generators.3.template_path",
        "generators.4.questions",
        "generators.5.dataset",
        "generators.6.dataset",
        "generators.7.numq",
        "generators.8.numq",
    ]
    assert found[0] == "generators.0.numq: a generator of type oneshot_qs needs the number of questions, 1 or more."
    assert found[2] == "generators.1.model: No endpoint serves the model 'nobody'. Endpoints serve 'm*'."
    assert "Send template_content" in found[3]
    assert "there is no file 'templates/gone.txt'" in found[4]
    assert "line 2 has '$', which stands for nothing: write '$$' for a dollar sign" in found[5]
    assert "it must contain '${numq}', '${prompt_u}'" in found[5]
    assert "Data set 'gone' is not there." in found[7]
    assert "Data set 'bad' has no text as 'question' in line 1." in found[8]
    assert f"the question bank has {len(question_bank.questions())} questions, and 1000 are wanted" in found[10]


def test_no_more_than_a_million_questions_are_made(runs: Runs, put: Callable[..., None]):
    asking = {"type": "oneshot_qs", "model": "m", "numq": 10_000}
    put(*[asking] * 99, {"type": "hardcoded", "questions": [f"{number}?" for number in range(10_001)]})
    assert problems(runs) == ["generators: they make 1000001 questions, and 1000000 are allowed. Set a smaller numq."]


@pytest.mark.parametrize(
    "path",
    ["../targets/kind.yml", "targets/kind.yml", "/etc/passwd", "templates/", "templates/..", "templates/../a", "a\0b"],
)
def test_a_template_path_leads_nowhere_but_to_templates(runs: Runs, put: Callable[..., None], path: str):
    put({"type": "custom", "model": "m", "numq": 3, "template_path": path})
    assert problems(runs) == [
        f"generators.0.template_path: there is no file '{path}'. Send template_content, or name a file in `templates/`."
    ]


def test_a_template_that_is_not_utf_8_is_refused(runs: Runs, put: Callable[..., None]):
    put({"type": "custom", "model": "m", "numq": 3, "template_path": "own.txt", "template_content": TEMPLATE})
    repository = runs.repos.open("alice/demo")

    def spoil(transaction: Any) -> None:
        transaction.write("templates/own.txt", b"\xff")
        transaction.commit("Spoil a template", ALICE.author)

    repository.transact(spoil)
    assert problems(runs) == [
        "generators.0.template_path: 'templates/own.txt' is not UTF-8. Send the text in template_content."
    ]


@pytest.mark.parametrize(("number", "state"), [(20_000, "complete"), (20_001, "running")])
def test_a_stim_of_very_many_questions_is_made_by_a_worker(
    runs: Runs, put: Callable[..., None], number: int, state: str
):
    put({"type": "hardcoded", "questions": [f"{index}?" for index in range(number)]})
    run = start(runs)
    assert (run.state, run.done) == (state, number if state == "complete" else 0)
    perform(runs, run.id, "worker")
    found = runs.table.get(run.id)
    assert (found.state, found.done) == ("complete", number)
