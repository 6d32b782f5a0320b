"""The command that writes a first adapter: a skeleton that runs, to be filled with one's own."""

from __future__ import annotations

import shlex
import sys
from importlib.machinery import PathFinder
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
    language = language or _language_of(file)
    suffix, runs = LANGUAGES[language]
    file = file or Path(f"my_{kind}.{suffix}")
    _require_fitting_name(kind, file, language)
    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already: name another file, or give --force")
    text = files("indelible").joinpath("skeletons", f"{kind}.{suffix}").read_text("utf-8")
    write_file(file, text.replace("FILE:Hosted", f"{file.stem}:Hosted"))
    write_result(
        f"{file} is written. Check it, in its folder, with\n\n  {_command(kind, file, runs)}"
    )


def _language_of(file: Path | None) -> str:
    ending = "" if file is None else file.suffix.removeprefix(".")
    for language, (suffix, _) in LANGUAGES.items():
        if ending == suffix:
            return language
    return "python"


def _require_fitting_name(kind: str, file: Path, language: str) -> None:
    """Raises ``UsageError`` for a file that the command that is printed would not run."""
    suffix, _ = LANGUAGES[language]
    if kind != "process" and not (file.suffix == ".py" and file.stem.isidentifier()):
        raise click.UsageError(
            f"{file} cannot be imported: name it as a module, as in my_{kind}.py"
        )
    if file.suffix not in ("", f".{suffix}"):
        known = ", ".join(f"{each} (.{ending})" for each, (ending, _) in LANGUAGES.items())
        raise click.UsageError(
            f"{file} does not end as a file of {language} does: there are skeletons in {known}. In "
            "any other language, write what docs/process-protocol.md asks for; 'indelible adapter "
            "test' says what is missing"
        )
    if suffix == "py" and _is_taken(file):
        raise click.UsageError(
            f"{file} would hide the module {file.stem!r}, which Python has or somebody installed: "
            f"name it otherwise, as in my_{file.stem}.py"
        )


def _is_taken(file: Path) -> bool:
    """Whether there is a module of this name already, elsewhere than in the file's folder."""
    if file.stem in sys.stdlib_module_names:
        return True
    here = {Path.cwd(), file.absolute().parent}
    elsewhere = [each for each in sys.path if each and Path(each).absolute() not in here]
    specs = [
        finder.find_spec(file.stem, elsewhere if finder is PathFinder else None)
        for finder in sys.meta_path  # With those of packages that are installed to be edited.
    ]
    return any(spec is not None and spec.origin is not None for spec in specs)


def _command(kind: str, file: Path, runs: str) -> str:
    if kind == "process":
        return f"indelible check --exec {shlex.quote(f'{runs} {shlex.quote(file.name)}')}"
    return f"indelible check {file.stem}:Hosted"
