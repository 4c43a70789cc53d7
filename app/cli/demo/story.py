"""The story of the demo, in the order in which it happened. Each paragraph of code is a day of the team."""

from app.cli.demo import texts
from app.cli.demo.people import ALICE, BOB, CAROL
from app.cli.demo.writer import Writer
from app.domain.tokens import Access

REPO = "bakery"
MODEL = "Qwen/Qwen3-32B"
LAST_LABEL = "experiment"  # a repo of the demo without this label was cut short
DATASET = "demo-orders"

_FIRST_CONFIG = {
    "generators": [],
    "model_name": MODEL,
    "num_traj_per_stimulus": 1,
    "max_concurrency": 8,
    "temperature": 1.0,
    "extra_kwargs": {},
}
_HARDCODED = {"type": "hardcoded", "questions": texts.QUESTIONS}
_BROAD = {"model": MODEL, "template_content": texts.QUESTION_TEMPLATE}
_BASE = {
    "teacher_prompt": "mabel",
    "student_prompt": "plain",
    "generators": [_HARDCODED],
    "max_tokens": 400,
    "temperature": 0.9,
}
_TEACHER = {"generators": [_HARDCODED, {"type": "persona", "numq": 24, "seed": 7}]}
_ALLERGIES = {
    "teacher_prompt": "allergies",
    "generators": [{"type": "hardcoded", "questions": texts.ALLERGY_QUESTIONS}],
    "temperature": 0.2,
}
_TEMPERATURES = (0.1, 0.4, 0.7, 1.0, 1.3)


def tell(writer: Writer) -> None:
    """Write the whole story into a new repo."""
    _first_family(writer)
    _first_release(writer)
    _wider_family(writer)
    _second_release(writer)
    _next_steps(writer)


def _first_family(writer: Writer) -> None:
    writer.share(BOB, Access.WRITE)
    writer.share(CAROL, Access.WRITE)
    writer.default(ALICE, "Our endpoint takes eight requests at once", _FIRST_CONFIG)
    writer.prompt(ALICE, "The tone that the shops asked for", "mabel", ("system", texts.MABEL))
    writer.prompt(ALICE, "What the student starts from", "plain", ("system", texts.PLAIN))
    writer.target(ALICE, "One place for what all our targets share", "base", "default", _BASE)

    writer.target(BOB, "Customers ask more than six things", "teacher", "base", _TEACHER)
    broad = {"generators": [{"type": "oneshot_qs", "numq": 40, **_BROAD}]}
    writer.target(BOB, "Questions that a model makes up", "teacher_broad", "teacher", broad)
    writer.target(CAROL, "A student without any prompt, to compare with", "student", "base", {"student_prompt": ""})
    few = {"generators": [{**_HARDCODED, "numq": 2}], "max_tokens": 60}
    writer.target(CAROL, "A quick look before each run", "smoke", "base", few)


def _first_release(writer: Writer) -> None:
    writer.stim(BOB, "teacher")
    cooler = {**_BASE, "temperature": 0.7}
    writer.target(BOB, "Answers wandered off after three sentences", "base", "default", cooler)
    writer.rebase(BOB, "Cooler answers for the whole family", "teacher")
    writer.tag(ALICE, "v1", "The first data set for the shops")
    writer.label(ALICE, "First release", "production", "v1", protected=[BOB.id])
    writer.label(CAROL, "Try what comes next", "staging", "main")


def _wider_family(writer: Writer) -> None:
    writer.prompt(CAROL, "Two customers asked about nuts in one week", "mabel", ("system", texts.MABEL_WITH_ALLERGENS))
    writer.prompt(CAROL, "Allergies need a careful answer", "allergies", ("system", texts.ALLERGIES))
    writer.target(CAROL, "Allergies need a careful answer", "teacher_allergies", "teacher", _ALLERGIES)
    writer.prompt(CAROL, "The shop at the border", "allergies_de", ("system", texts.ALLERGIES_GERMAN))
    german = {"teacher_prompt": "allergies_de"}
    writer.target(CAROL, "The shop at the border", "teacher_allergies_de", "teacher_allergies", german)

    writer.prompt(BOB, "Orders by chat", "orders", ("system", texts.ORDERS), tools=texts.PLACE_ORDER)
    orders = {"teacher_prompt": "orders", "generators": [{"type": "from_dataset", "dataset": DATASET, "seed": 3}]}
    writer.target(BOB, "Real orders of last month", "teacher_orders", "teacher", orders)
    writer.stim(BOB, "teacher_orders")
    sweep = {f"orders_t{round(each * 100):03}": {"temperature": each} for each in _TEMPERATURES}
    writer.targets(BOB, "Which temperature loses the fewest orders?", "teacher_orders", sweep)

    writer.prompt(ALICE, "Examples in place of instructions", "few_shots", *texts.FEW_SHOTS)
    shots = {"student_prompt": "few_shots", "generators": [{**_HARDCODED, "rollout_with_conditioned": True}]}
    writer.target(ALICE, "Can examples do what the long prompt does?", "student_few", "student", shots)
    writer.label(CAROL, "Allergies and orders", "staging", "main")


def _second_release(writer: Writer) -> None:
    roomy = {**_TEACHER, "max_tokens": 600}
    writer.target(BOB, "A little more room for lists of allergens", "teacher", "base", roomy)
    longer = {**_ALLERGIES, "max_tokens": 500}
    calm = writer.target(CAROL, "Answers may be longer", "teacher_allergies", "teacher", longer)
    lively = {**longer, "temperature": 1.1}
    writer.target(CAROL, "Livelier answers", "teacher_allergies", "teacher", lively)
    writer.prompt(ALICE, "A third shop, and no promises", "mabel", ("system", texts.MABEL_OF_TODAY))
    writer.label(CAROL, "The second release, to be tried", "staging", "main")
    writer.label(BOB, "Second release", "production", "staging")

    writer.label(ALICE, "An answer about hazelnuts was made up", "production", "v1")
    writer.put_back(ALICE, "1.1 was a mistake: allergies need calm answers", "teacher_allergies", calm)
    writer.stim(CAROL, "teacher_allergies")
    writer.tag(ALICE, "v2", "Allergies and orders, with calm answers")
    writer.label(BOB, "Second release, with calm answers", "production", "v2")


def _next_steps(writer: Writer) -> None:
    long = {"max_tokens": 2000, "extra_kwargs": {"top_p": 0.9, "stop": ["\nCustomer:"]}}
    writer.target(CAROL, "Letters to the shops are longer", "teacher_letters", "teacher", long)
    lengths = {f"letters_m{most}": {"max_tokens": most} for most in (500, 1000, 1500)}
    writer.targets(CAROL, "How long must a letter be?", "teacher_letters", lengths)
    writer.delete(CAROL, "500 tokens cut every second letter", "letters_m500")
    faster = {**_BASE, "temperature": 0.7, "max_concurrency": 32, "max_tokens": 450}
    writer.target(BOB, "The new endpoint is faster", "base", "default", faster)
    broader = {"generators": [{"type": "oneshot_qs", "numq": 60, **_BROAD}, {"type": "custom", "numq": 20, **_BROAD}]}
    writer.target(BOB, "More questions, and more of a kind", "teacher_broad", "teacher_broad", broader)
    writer.label(CAROL, "Letters, to be tried", "staging", "main")
    writer.label(CAROL, "What the sweep of lengths runs on", LAST_LABEL, "main")
