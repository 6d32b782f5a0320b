"""The command that writes a first adapter: a skeleton that runs, to be filled with one's own."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

__all__ = ["new_adapter"]

KINDS: Final = ("objects", "asyncio", "process")
LANGUAGES: Final = {"python": ("py", "python"), "javascript": ("js", "node")}
"""By the language of a process: how its files end, and what runs them."""


@click.command("new-adapter")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--language", type=click.Choice(tuple(LANGUAGES)),
              help="Of a process. Default: as FILE ends, or python.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def new_adapter(kind: str, file: Path | None, language: str | None, force: bool) -> None:
    """Write an adapter that runs at once, to be filled with your own.

    KIND says what is to be hosted: objects with methods, programs of asyncio, or a process in any
    language. Prints how to check it; docs/check-your-own.md tells more.
    """
    from indelible.terminal import write_result
    from indelible.trace_files import write_file

    if language is not None and kind != "process":
        raise click.UsageError("--language is for a process: the others are in Python")
    if language is None:
        language = "javascript" if file is not None and file.suffix == ".js" else "python"
    suffix, runs = LANGUAGES[language]
    file = file or Path(f"my_{kind}.{suffix}")
    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already: name another file, or give --force")
    if kind != "process" and not (file.suffix == ".py" and file.stem.isidentifier()):
        raise click.UsageError(
            f"{file} cannot be imported: name it as a module, as in my_{kind}.py"
        )
    text = files("indelible").joinpath("skeletons", f"{kind}.{suffix}").read_text("utf-8")
    write_file(file, text.replace("FILE:Hosted", f"{file.stem}:Hosted"))
    write_result(
        f"{file} is written. Check it, in its folder, with\n\n  {_command(kind, file, runs)}"
    )


def _command(kind: str, file: Path, runs: str) -> str:
    if kind == "process":
        return f"indelible check --exec {shlex.quote(f'{runs} {shlex.quote(file.name)}')}"
    return f"indelible check {file.stem}:Hosted"
