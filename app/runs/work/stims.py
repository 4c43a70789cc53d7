"""Stims carried out: each generator's questions become rows."""

from app.domain import canonical_json
from app.runs.ledger.leases import Lease
from app.runs.ledger.rows import Row
from app.runs.ledger.runs import Run
from app.runs.recipe.progress import Progress
from app.runs.services import Runs
from app.runs.work.recorder import Recorder


async def carry_out(runs: Runs, run: Run, lease: Lease) -> None:
    """Make the questions that a stim lacks."""
    assert runs
    recorder = Recorder(lease, Progress(run.total))

    async def work() -> None:
        at = 0
        for index, generator in enumerate(run.config["generators"]):
            for question in generator["questions"][: generator.get("numq")]:
                text = canonical_json.dump({"generator": index, "question": question}).decode()
                await recorder.record(Row(at, 0, text), tokens=(0, 0))
                at += 1

    await recorder.run(work)
