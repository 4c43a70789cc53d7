"""The same questions through a program that users would use instead; run by a Python that has it installed.

`PYTHON other_generators.py NAME URL MODEL AT_ONCE QUESTIONS FOLDER` prints the seconds and the processor's seconds that
it took, its imports not counted. NAME is a key of `GENERATORS`, QUESTIONS a file of JSON, FOLDER a place for what the
program writes.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

SYSTEM_PROMPT = "Be kind."

Took = tuple[float, float]  # seconds, and seconds of the processor


def distilabel(url: str, model: str, at_once: int, questions: list[str], _: Path) -> Took:
    """Generate with a pipeline of one task; a batch is what is out at once."""
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    data = [{"instruction": question, "system_prompt": SYSTEM_PROMPT} for question in questions]
    with Pipeline(name="bench") as pipeline:
        load = LoadDataFromDicts(data=data, batch_size=at_once)
        llm = OpenAILLM(model=model, base_url=url, api_key="none")
        load >> TextGeneration(llm=llm, input_batch_size=at_once)
    began = _now()
    made = pipeline.run(use_cache=False)["default"]["train"]
    return _took(began, sum(1 for row in made if row["generation"]), questions)


def inspect_ai(url: str, model: str, at_once: int, questions: list[str], folder: Path) -> Took:
    """Evaluate a task without a scorer."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.solver import generate, system_message

    dataset = MemoryDataset([Sample(input=question) for question in questions])
    task = Task(dataset=dataset, solver=[system_message(SYSTEM_PROMPT), generate()])
    began = _now()
    (log,) = eval(
        task,
        model=f"openai/{model}",
        model_base_url=url,
        max_connections=at_once,
        max_samples=at_once,
        display="none",
        log_dir=str(folder),
    )
    return _took(began, sum(1 for sample in log.samples or () if sample.output.completion), questions)


def curator(url: str, model: str, at_once: int, questions: list[str], folder: Path) -> Took:
    """Generate with an LLM of curator, without its cache of earlier runs."""
    os.environ |= {"CURATOR_CACHE_DIR": str(folder), "CURATOR_DISABLE_RICH_DISPLAY": "1", "TELEMETRY_ENABLED": "0"}
    os.environ["TIKTOKEN_CACHE_DIR"] = _tokenizers()
    from bespokelabs.curator import LLM

    limits = {"max_concurrent_requests": at_once, "max_requests_per_minute": 10**7, "max_tokens_per_minute": 10**10}
    llm = LLM(model_name=model, backend="openai", backend_params={"base_url": url, **limits})
    prompts = [
        [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": question}] for question in questions
    ]
    began = _now()
    made = llm(prompts)
    return _took(began, len(made.dataset), questions)


GENERATORS: dict[str, Callable[[str, str, int, list[str], Path], Took]] = {
    "distilabel": distilabel,
    "inspect_ai": inspect_ai,
    "curator": curator,
}


def _now() -> Took:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(usage.ru_utime + usage.ru_stime for usage in used)


def _took(began: Took, made: int, questions: list[str]) -> Took:
    if made != len(questions):
        raise RuntimeError(f"{made} of {len(questions)} questions were answered")
    (seconds, cpu), (first_seconds, first_cpu) = _now(), began
    return seconds - first_seconds, cpu - first_cpu


def _tokenizers() -> str:
    """Return the folder of tokenizers that litellm has, so that tiktoken downloads none."""
    (folder,) = find_spec("litellm").submodule_search_locations
    return str(Path(folder, "litellm_core_utils", "tokenizers"))


def main(name: str, url: str, model: str, at_once: str, questions: str, folder: str) -> None:
    """Print what a generator took."""
    os.environ["OPENAI_API_KEY"] = "none"
    asked = json.loads(Path(questions).read_text())
    seconds, cpu = GENERATORS[name](url, model, int(at_once), asked, Path(folder))
    print(f"took {seconds} {cpu}")


if __name__ == "__main__":
    main(*sys.argv[1:])
