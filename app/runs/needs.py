"""What one generator needs to make its questions, and which of it is missing."""

from dataclasses import dataclass, field
from typing import Any

from app.domain.canonical_json import digest
from app.domain.names import file_name_problem, quoted
from app.registry.configs import question_templates
from app.runs.datasets import DatasetProblem
from app.runs.recipe import keys, question_bank
from app.runs.recipe.generators import ASKING, PERSONA, Generator, is_conditioned
from app.runs.recipe.templates import OUR_TEMPLATE, template_problem
from app.runs.services import Runs
from storage.snapshot import Snapshot

_LARGEST_TEMPLATE = 1024 * 1024  # bytes
_DRAWN = ("type", "numq", "seed")
_ASKED = ("type", "model", "numq", "max_tokens", "temperature", "seed")
# The fields that the questions of a generator depend on, by its type.
_FIELDS = {
    "hardcoded": ("type",),
    "from_dataset": (*_DRAWN, "dataset"),
    PERSONA: _DRAWN,
    **dict.fromkeys(ASKING, _ASKED),
}


@dataclass
class Needs:
    """What a generator makes and lacks: `number` is that of its questions, `inputs` what they depend on.

    Without `runs` only git is looked at: data sets, endpoints and the number of a list's questions are left out.
    `templates` are the texts of question templates by their blob id; ours has none, and goes by its digest. `problems`
    and `warnings` name the generator and its field.
    """

    runs: Runs | None
    snapshot: Snapshot
    index: int
    generator: Generator
    may_load: bool = True  # a data set from the hub
    number: int = 0
    inputs: dict[str, Any] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls, runs: Runs | None, snapshot: Snapshot, index: int, generator: Generator, *, may_load: bool = True
    ) -> "Needs":
        """Return what a generator makes at a commit, and everything that is missing."""
        needs = cls(runs, snapshot, index, generator, may_load)
        kind = generator["type"]
        needs.inputs = {name: generator[name] for name in _FIELDS[kind] if generator.get(name) is not None}
        if is_conditioned(generator):
            needs.inputs["rollout_with_conditioned"] = True
        if kind == "hardcoded":
            needs._look_at_questions()
        elif kind in ASKING:
            needs._look_at_numq()
            needs._look_at_model()
            needs._look_at_template()
        else:
            needs._look_at_list()
        needs.inputs["number"] = needs.number
        return needs

    def _look_at_questions(self) -> None:
        """Take the questions of a `hardcoded` generator."""
        questions = self.generator.get("questions") or []
        wanted = self.generator.get("numq")
        if not questions:
            self._miss("questions", "there are none. List at least one question.")
        elif wanted and wanted > len(questions):
            text = f"{wanted} questions are wanted, and there are {len(questions)}: all of them are taken."
            self.warnings.append(self._told("numq", text))
        taken = questions[:wanted]
        self.number = len(taken)
        self.inputs["questions"] = digest(taken)

    def _look_at_list(self) -> None:
        """Take the questions of a data set, or of the question bank where there is no data set `persona`."""
        name = self.generator.get("dataset") if self.generator["type"] != PERSONA else PERSONA
        if not name:
            self._miss("dataset", "a generator of type from_dataset needs the name of a data set.")
            return
        if self.runs is None:
            return
        try:
            size = self._size(self.runs, name)
        except DatasetProblem as error:
            self._miss("dataset" if self.generator["type"] != PERSONA else "type", str(error))
            return
        wanted = self.generator.get("numq") or size
        if wanted is None:
            self._miss("dataset", f"data set {quoted(name)} is not loaded yet. POST …/stim loads it.")
        elif size is not None and wanted > size:
            place = f"data set {quoted(name)}" if "digest" in self.inputs else "question bank"
            self._miss(
                "numq", f"the {place} has {size} questions, and {wanted} are wanted. Set numq to {size} or less."
            )
        self.number = wanted or 0

    def _size(self, runs: Runs, name: str) -> int | None:
        """Take the digest of a list, and return its size; None where it would have to be loaded, and may not."""
        if self.generator["type"] == PERSONA and not runs.datasets.has(PERSONA):
            self.inputs["bank"] = question_bank.digest()
            return len(question_bank.questions())
        self.inputs["digest"] = runs.datasets.digest(name)
        return runs.datasets.size(name) if self.may_load or runs.datasets.is_at_hand(name) else None

    def _look_at_numq(self) -> None:
        self.number = self.generator.get("numq") or 0
        if not self.number:
            text = f"a generator of type {self.generator['type']} needs the number of questions, 1 or more."
            self._miss("numq", text)

    def _look_at_model(self) -> None:
        model = self.generator.get("model")
        if not model:
            text = (
                f"a generator of type {self.generator['type']} needs the name of the model that writes the questions."
            )
            self._miss("model", text)
            return
        if self.runs is None:
            return
        endpoint = self.runs.endpoints.find(model)
        if endpoint is None:
            self._miss("model", self.runs.endpoints.missing(model))
        else:
            self.inputs |= keys.of_endpoint(endpoint.name, takes_seed=endpoint.takes_seed)

    def _look_at_template(self) -> None:
        """Take the question template that the generator names; ours where it names none and may do so."""
        given = self.generator.get("template_path")
        if given:
            self._read_template(given)
        elif self.generator["type"] == "custom":
            self._miss("template_path", "a generator of type custom needs a question template. Send template_content.")
        else:
            self._take_template(digest(OUR_TEMPLATE), OUR_TEMPLATE)

    def _read_template(self, given: str) -> None:
        """Take the question template of a path in `templates/`."""
        is_path = (
            question_templates.named({"generators": [self.generator]}) and file_name_problem(_name_of(given)) is None
        )
        file = self.snapshot.read(given) if is_path else None
        if file is None:
            where = f"`{question_templates.FOLDER}/`"
            text = f"there is no file {quoted(given)}. Send template_content, or name a file in {where}."
            self._miss("template_path", text)
        elif len(file.data) > _LARGEST_TEMPLATE:
            self._miss("template_path", f"{quoted(given)} is larger than 1 MiB. Make it smaller.")
        else:
            try:
                self._take_template(file.id, file.data.decode())
            except UnicodeDecodeError:
                self._miss("template_path", f"{quoted(given)} is not UTF-8. Send the text in template_content.")

    def _take_template(self, name: str, text: str) -> None:
        problem = template_problem(text)
        if problem:
            self._miss("template_path", f"the question template cannot be filled in: {problem}.")
        self.inputs["template"] = name
        self.templates[name] = text

    def _miss(self, name: str, text: str) -> None:
        self.problems.append(self._told(name, text))

    def _told(self, name: str, text: str) -> str:
        return f"generators.{self.index}.{name}: {text}"


def _name_of(path: str) -> str:
    return path.rpartition("/")[2]
