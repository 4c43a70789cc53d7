"""`make torture`: the long forms, some lines of figures for each; README.md says what each shows."""

from collections.abc import Callable, Iterator
from itertools import chain

import click

from tests.torture import faults, flips, kills, power, refusals, registers, runs

# By name: takes the number of kills, the number of bits to flip, and the seed.
PARTS: dict[str, Callable[[int, int, int], Iterator[str]]] = {
    "power": lambda _, __, seed: chain(power.run(tries=30, seed=seed), power.run_again(seed)),
    "faults": lambda *_: faults.run(),
    "flips": lambda _, bits, seed: flips.run(bits, seed),
    "refusals": lambda *_: refusals.run(),
    "kills": lambda rounds, _, seed: kills.run(rounds, seed),
    "runs": lambda rounds, _, seed: chain(runs.run(rounds // 2, seed), runs.run(rounds // 2, seed, on_servers=True)),
    "registers": lambda _, __, seed: chain(
        registers.run(clients=64, operations=250, repos=1, registers=16, seed=seed),
        registers.run(clients=64, operations=250, repos=16, registers=4, seed=seed),
    ),
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--kills", "rounds", default=100, show_default=True, help="How often the server is killed.")
@click.option("--flips", "bits", default=400, show_default=True, help="How many bits flip.")
@click.option("--seed", default=1, show_default=True, help="The seed of all random choices.")
def main(parts: tuple[str, ...], rounds: int, bits: int, seed: int) -> None:
    """Crash, starve, damage and crowd the server, and check that nothing is lost."""
    for part in parts or PARTS:
        for line in PARTS[part](rounds, bits, seed):
            click.echo(line)


if __name__ == "__main__":
    main()
