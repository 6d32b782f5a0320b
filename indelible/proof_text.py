"""Proofs as text: one line that says it all, then every obligation, then what refutes some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from indelible.checkers.lemmas.obligation import Answer, Obligation, Outcome
from indelible.proofs import Proof
from indelible.terminal import table_text

__all__ = ["proof_headline", "proof_text"]

MARKS: Final[dict[Outcome, str]] = {"proved": "✓", "refuted": "✗", "unknown": "?"}


def proof_headline(proof: Proof) -> str:
    """What became of all obligations."""
    count = len(proof.results)
    without = f" without {proof.weakened}" if proof.weakened else ""
    if proof.outcome == "proved":
        return f"proved{without}: {_obligations(count, 'all ')}"
    refuted, unknown = proof.having("refuted"), proof.having("unknown")
    parts = [f"{len(refuted)} refuted"] if refuted else []
    parts += [f"{len(unknown)} unknown"] if unknown else []
    first = (refuted or unknown)[0][0] if count else None
    named = f", first {first.name} of {first.group}" if first else "nothing to prove"
    return f"{proof.outcome}{without}: {' and '.join(parts)} of {_obligations(count)}{named}"


def _obligations(count: int, every: str = "") -> str:
    return "1 obligation" if count == 1 else f"{every}{count} obligations"


def proof_text(proof: Proof) -> str:
    """The headline, the table, and each counterexample."""
    lines = [proof_headline(proof), "", *_table(proof), ""]
    for obligation, answer in proof.having("refuted"):
        lines += [f"Refuted: {obligation.name} of {obligation.group}"]
        lines += [f"      {line}" for line in answer.counterexample] + [""]
    if proof.bad_run:
        lines += [f"Without {proof.weakened}, this can happen:", *proof.bad_run, ""]
    elif proof.bad_run_reason:
        lines += [f"No run shows what goes wrong: {proof.bad_run_reason}.", ""]
    slowest = max((answer.seconds for _, answer in proof.results), default=0.0)
    lines += [f"{proof.seconds:.1f} s in all, {slowest:.2f} s for the slowest"]
    return "\n".join(lines)


def _table(proof: Proof) -> Iterator[str]:
    groups: dict[str, list[tuple[Obligation, Answer]]] = {}
    for obligation, answer in proof.results:
        groups.setdefault(obligation.group, []).append((obligation, answer))
    for group, results in groups.items():
        yield group
        rows = [row for result in results for row in _rows(*result)]
        yield table_text(rows, right=[1])


def _rows(obligation: Obligation, answer: Answer) -> Iterator[tuple[str, str, str]]:
    """What was to be proved, and the instance that proves it, if it takes one."""
    says = answer.reason if answer.outcome == "unknown" else obligation.says
    yield f"  {MARKS[answer.outcome]} {obligation.name}", f"{answer.seconds:.3f} s", says
    if answer.outcome == "proved" and answer.counterexample:
        yield "", "", f"  by {', '.join(answer.counterexample)}"
