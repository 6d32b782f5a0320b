"""The commands for authors of adapters: does it keep to the contract, and the schema. Control flow
only."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import click

from indelible.options import NAMES

if TYPE_CHECKING:
    from indelible.conformance.check import Finding

__all__ = ["adapter"]

SCHEMA: Final = ("indelible.impl.adapters", "process-protocol.schema.json")


@click.group()
def adapter() -> None:
    """Help for authors of adapters and of processes (docs/process-protocol.md)."""


@adapter.command()
def schema() -> None:
    """Print the JSON Schema of the protocol with processes, and of recorded logs."""
    from indelible.terminal import write_result

    package, name = SCHEMA
    write_result(files(package).joinpath(name).read_text("utf-8").rstrip())


@adapter.command()
@click.argument("command", metavar="COMMAND", required=False)
@click.option("--target", metavar="TARGET", help="Try an object of Python, module:attribute.")
@click.option("--steps", type=click.IntRange(1), default=60, show_default=True, metavar="N",
              help="How long each random walk is.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="Decides the walks.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0.1), default=10.0, show_default=True,
              metavar="SECONDS", help="How long a process may take for an answer.")  # fmt: skip
@click.option("--allow-not-seen", "allowed", type=NAMES, default=(), metavar="CHECK,...",
              help="What need not be seen: timeout, where there are no timers.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md).")
def test(
    command: str | None,
    target: str | None,
    steps: int,
    seed: int,
    timeout: float,
    allowed: tuple[str, ...],
    as_json: bool,
) -> None:
    """Try whether a process keeps to the protocol, and say what is missing.

    COMMAND is one command line, as in "node server.js"; no shell is involved. With --target an
    adapter in Python is tried. Exit codes: 0 it conforms, 1 it does not, 3 nothing failed, and
    something was not seen, 2 it could not be tried.
    """
    from indelible.conformance.report import (
        EXIT_CODES,
        finding_text,
        findings_object,
        outcome_of,
        summary_text,
    )
    from indelible.terminal import write_result

    if (command is None) == (target is None):
        raise click.UsageError("name either the COMMAND of a process, or a --target in Python")
    _require_known(allowed)
    findings = []
    tried = (
        _process_findings(command, steps, seed, timeout)
        if command is not None
        else _python_findings(str(target), steps, seed)
    )
    for finding in tried:
        findings.append(finding)
        if not as_json:
            write_result(finding_text(finding))
    name, what = str(target), str(target)
    if command is not None:
        name, what = f"exec:{command}", f"--exec {shlex.quote(command)}"
    if as_json:
        write_result(json.dumps(findings_object(name, findings, allowed), indent=2))
    else:
        write_result(f"\n{summary_text(findings, f'indelible check {what}', allowed)}")
    raise SystemExit(EXIT_CODES[outcome_of(findings, allowed)])


def _require_known(allowed: Sequence[str]) -> None:
    from indelible.conformance.behaviour import SEEN

    for name in allowed:
        if name not in SEEN:
            raise click.BadParameter(
                f"{name!r} is no check that may see nothing; there are: {', '.join(SEEN)}",
                param_hint="'--allow-not-seen'",
            )


def _process_findings(command: str, steps: int, seed: int, timeout: float) -> Iterator[Finding]:
    """One after the other, as they are found."""
    from indelible.conformance.check import run_checks
    from indelible.conformance.host import ProcessHost
    from indelible.conformance.processes import PROCESS_CHECKS, ProcessCandidate

    host = ProcessHost(command, timeout=timeout)
    return run_checks(PROCESS_CHECKS, ProcessCandidate(host, steps=steps, seed=seed))


def _python_findings(target: str, steps: int, seed: int) -> Sequence[Finding]:
    """All at once: what the code prints in between is no result."""
    from indelible.conformance.behaviour import Candidate
    from indelible.conformance.check import run_checks
    from indelible.conformance.host import PythonHost
    from indelible.conformance.objects import PYTHON_CHECKS
    from indelible.targets import find_target, on_trial

    with on_trial():
        found = find_target(target)
        host = PythonHost(found.implementation, found.scope)
        return tuple(run_checks(PYTHON_CHECKS, Candidate(host, steps=steps, seed=seed)))
