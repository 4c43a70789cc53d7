"""Warnings about a config: names of prompts and question templates that are not there, and what no run takes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from app.domain import extra_kwargs
from app.domain.names import DEFAULT_TEMPLATE, enumerated
from app.domain.resolution import Config
from app.registry.configs import mentions, own_template, prompts, question_templates, target_files
from app.registry.configs.mentions import PROMPT_FIELDS
from app.registry.documents import Source


def dangling(source: Source, config: Config, brought: Collection[str] = ()) -> Iterator[str]:
    """Yield a warning for each prompt, and each file in `templates/`, that a config names and that is not there.

    The fields of `extra_kwargs` that no run takes, or that win over others, have warnings, too.
    `brought` are the paths of files that come with the config and are not written.
    """
    for field in PROMPT_FIELDS:
        name = config.get(field)
        if name and not source.version(prompts.FOLDER.path(name)):
            yield f"{field}: there is no prompt '{name}'. Create the prompt, or name another one."
    for index, generator in enumerate(config.get("generators") or ()):
        path = generator.get("template_path") or ""
        if path.startswith(f"{question_templates.FOLDER}/") and path not in brought and not source.version(path):
            field = f"generators.{index}.template_path"
            yield f"{field}: there is no file '{path}'. Send the text in template_content, or name another file."
    yield from extra_kwargs.problems(config.get("extra_kwargs") or {})
    yield from extra_kwargs.winners(config)


def dangling_of_all(source: Source, configs: Iterable[tuple[str, Config]]) -> list[str]:
    """Return the warnings about many configs, by name: each warning once, with the names that it is about."""
    concerned: defaultdict[str, list[str]] = defaultdict(list)
    for name, config in configs:
        for warning in dangling(source, config):
            concerned[warning].append(name)
    return [f"{enumerated(names)}: {warning}" for warning, names in concerned.items()]


def dangling_at(source: Source) -> list[str]:
    """Return the warnings about all targets of a commit, and about the default: each once, with the names.

    No document is parsed, since what each version of a document mentions is kept.
    """
    versions = target_files.FOLDER.versions(source)
    known = {*prompts.FOLDER.names(source)}
    files = {f"{question_templates.FOLDER}/{name}" for name in source.list(question_templates.FOLDER)}
    concerned: defaultdict[str, list[str]] = defaultdict(list)
    for name, mentioned in mentions.of_all(source):
        for prompt in {*mentioned.prompts.values()} - known:
            concerned[f"there is no prompt '{prompt}' at this commit."].append(name)
        for path in mentioned.files.keys() - files:
            concerned[f"there is no file '{path}' at this commit."].append(name)
    for name, version in versions.items():
        template = own_template.template(source, name, version).name
        if template not in versions and template != DEFAULT_TEMPLATE:
            concerned[f"there is no template '{template}' at this commit."].append(name)
    return [f"{enumerated(names)}: {warning}" for warning, names in sorted(concerned.items())]
