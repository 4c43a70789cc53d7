"""Question templates: what a model is asked, with `${numq}` and `${prompt_u}` to be filled in."""

from collections import defaultdict
from string import Template

from app.domain.names import enumerated

NAMES = ("numq", "prompt_u")

OUR_TEMPLATE = """\
Write ${numq} questions that people could ask an assistant who was told this:

<instructions>
${prompt_u}
</instructions>

Let the questions differ as much as they can: in topic, length, tone and in what the person wants. Some of them should \
touch what the assistant was told, some should be about something else. A question may also be a request. Each must \
make sense by itself.

Answer with a numbered list of exactly ${numq} questions, one on each line, and with nothing else. Do not answer the \
questions.
"""


def fill(template: str, numq: int, prompt_u: str) -> str:
    """Return a template with the number of questions and the teacher prompt in it; `$$` becomes `$`."""
    return Template(template).substitute(numq=numq, prompt_u=prompt_u)


def template_problem(template: str) -> str | None:
    """Return what is wrong with a template, with the line of each mistake, or None."""
    found = set()
    lines: defaultdict[str, list[int]] = defaultdict(list)
    for match in Template.pattern.finditer(template):
        name = match["named"] or match["braced"]
        if name in NAMES:
            found.add(name)
        elif not match["escaped"]:
            lines[match[0] if name else "$"].append(template.count("\n", 0, match.start()) + 1)
    problems = [f"{_places(numbers)} '{text}', which stands for nothing" for text, numbers in sorted(lines.items())]
    if problems:
        problems[-1] += f": write '$$' for a dollar sign, and use no names but {enumerated(f'${{{n}}}' for n in NAMES)}"
    missing = [f"${{{name}}}" for name in NAMES if name not in found]
    if missing:
        problems.append(f"it must contain {enumerated(missing)}")
    return "; ".join(problems) or None


def _places(numbers: list[int]) -> str:
    first = numbers[0]
    return f"line {first} has" if len(numbers) == 1 else f"line {first} and {len(numbers) - 1} further places have"
