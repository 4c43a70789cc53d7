"""`make torture`: the long forms, one line of figures for each."""

import click

from tests.torture import faults, flips, kills, power, refusals, registers


@click.command()
@click.option("--kills", "rounds", default=100, show_default=True, help="How often the server is killed.")
@click.option("--flips", "bits", default=400, show_default=True, help="How many bits flip.")
@click.option("--seed", default=1, show_default=True, help="What chance starts from.")
def main(rounds: int, bits: int, seed: int) -> None:
    """Crash, starve, damage and crowd the server, and check that nothing is lost."""
    for lines in (
        power.run(tries=30, seed=seed),
        power.run_again(seed),
        faults.run(),
        flips.run(bits, seed),
        refusals.run(),
        kills.run(rounds, seed),
        registers.run(clients=64, operations=250, repos=1, registers=16, seed=seed),
        registers.run(clients=64, operations=250, repos=16, registers=4, seed=seed),
    ):
        for line in lines:
            click.echo(line)


if __name__ == "__main__":
    main()
