"""The command about proofs. Control flow only: what is proved, and the words, are elsewhere."""

from __future__ import annotations

import click

from indelible.options import DURATION

__all__ = ["prove"]

CHOICES = ("safety", "all")


@click.command()
@click.argument("part", type=click.Choice(CHOICES), default="all")
@click.option("--weaken", metavar="NAME",
              help="Leave out an axiom, a guard or a conjunct: something is then refuted, "
              "or the proof would say nothing.")  # fmt: skip
@click.option("--timeout", "timeout_seconds", type=DURATION, default="10s", show_default=True,
              metavar="TIME", help="The most that each obligation may take.")  # fmt: skip
@click.option("--progress/--no-progress", default=None, help="On stderr, while it runs.")
@click.option("--quiet", "-q", is_flag=True, help="Print one line, and no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md).")
def prove(
    part: str,
    weaken: str | None,
    timeout_seconds: float,
    progress: bool | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Prove safety for any number of nodes, ballots and slots.

    PART is 'safety', that Multi-Paxos never decides two values in one slot, or 'all'. Exit codes: 0
    all is proved, 1 something is refuted, 3 something is unknown, which is not proved.
    """
    import json

    from indelible.progress import interruptible, shown_line
    from indelible.proof_text import proof_headline, proof_text
    from indelible.proofs import EXIT_CODES, attempted, obligations_of, proof_object
    from indelible.terminal import write_result

    obligations = obligations_of(part, weaken)
    show = False if quiet and progress is None else progress
    with interruptible() as interrupted, shown_line(show) as report:
        proof = attempted(
            obligations,
            weakened=weaken,
            timeout_seconds=timeout_seconds,
            report=report,
            interrupted=interrupted,
        )
    if as_json:
        write_result(json.dumps(proof_object(proof), indent=2))
    elif quiet:
        write_result(proof_headline(proof))
    else:
        write_result(proof_text(proof))
    raise SystemExit(EXIT_CODES[proof.outcome])
