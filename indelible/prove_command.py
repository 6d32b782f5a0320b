"""The command about proofs. Control flow only: what is proved, and the words, are elsewhere."""

from __future__ import annotations

import click

from indelible.options import DURATION

__all__ = ["prove"]

CHOICES = ("quorums", "safety", "all")


@click.command()
@click.argument("part", type=click.Choice(CHOICES), required=False)
@click.option("--quorums", metavar="NAME",
              help="Prove only that the quorums of this system meet, which pyproject.toml names in "
              "[tool.indelible.quorums]; and say what it withstands. Without 'safety', 'all' and "
              "--weaken.")  # fmt: skip
@click.option("--weaken", metavar="NAME",
              help="Leave out an axiom, a guard or a conjunct: something is then refuted, "
              "or the proof would say nothing.")  # fmt: skip
@click.option("--timeout", "timeout_seconds", type=DURATION, default="10s", show_default=True,
              metavar="TIME", help="The most that each obligation may take.")  # fmt: skip
@click.option("--progress/--no-progress", default=None, help="On stderr, while it runs.")
@click.option("--quiet", "-q", is_flag=True, help="Print one line, and no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md).")
def prove(
    part: str | None,
    quorums: str | None,
    weaken: str | None,
    timeout_seconds: float,
    progress: bool | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Prove safety for any number of nodes, ballots and slots.

    PART is 'quorums', that they meet where they must, and so do those of every system in
    [tool.indelible.quorums] of pyproject.toml; 'safety', that Multi-Paxos never decides two values
    in one slot; or 'all', both, which is the default. Exit codes: 0 all is proved, 1 something is
    refuted, 3 something is unknown, which is not proved.
    """
    import json

    from indelible.progress import interruptible, shown_line
    from indelible.proof_text import proof_headline, proof_text
    from indelible.proofs import (
        EXIT_CODES,
        attempted,
        measured,
        named_quorums,
        obligations_of,
        project_obligations,
        proof_object,
        quorums_obligations,
    )
    from indelible.quorum_text import system_lines, system_object
    from indelible.terminal import write_result

    named = None if quorums is None else named_quorums(quorums)
    if named is not None and (part in ("safety", "all") or weaken is not None):
        raise click.UsageError(
            "--quorums is about one system: neither 'safety', 'all' nor --weaken is"
        )
    if named is not None:
        obligations = quorums_obligations(named)
    else:
        obligations = obligations_of(part or "all", weaken)
        # What is left out is left out of a theorem, which a project's systems are not about.
        if part != "safety" and weaken is None:
            obligations += project_obligations()
    show = False if quiet and progress is None else progress
    with interruptible() as interrupted, shown_line(show) as report:
        proof = attempted(
            obligations,
            weakened=weaken,
            timeout_seconds=timeout_seconds,
            report=report,
            interrupted=interrupted,
        )
        withstands = (
            None if named is None or (quiet and not as_json) else measured(named, interrupted)
        )
    if as_json:
        said = proof_object(proof)
        if named is not None:
            said["quorums"] = None if withstands is None else system_object(withstands)
        write_result(json.dumps(said, indent=2))
    elif quiet:
        write_result(proof_headline(proof))
    elif withstands is not None:
        write_result("\n".join([proof_text(proof), "", *system_lines(withstands)]))
    else:
        write_result(proof_text(proof))
    raise SystemExit(EXIT_CODES[proof.outcome])
