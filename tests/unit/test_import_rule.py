"""The import rule: the model knows nobody, and implementations and checkers never know each other.

Read from the source and not from what happens to be loaded, so that an import inside a function
counts too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {
    "model": ("indelible.model",),
    "impl": ("indelible.model", "indelible.impl"),
    "checkers": ("indelible.model", "indelible.checkers"),
    "indelible": ("indelible",),
}
"""Which of our packages each folder may import."""

OURS = ("indelible", *MAY_IMPORT)


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every module imported, with the line; a relative one keeps its dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def offences(folder: str, source: str) -> list[str]:
    """The imports in a source file of ``folder`` that the rule forbids."""
    found = []
    for line, name in imported(ast.parse(source)):
        top = name.split(".")[0]
        if name.startswith("."):
            found.append(f"line {line}: {name} is relative")
        elif top in OURS and not any(
            name == allowed or name.startswith(f"{allowed}.") for allowed in MAY_IMPORT[folder]
        ):
            found.append(f"line {line}: {folder} imports {name}")
        elif folder == "model" and top not in OURS and top not in sys.stdlib_module_names:
            found.append(f"line {line}: the model imports {name}, which Python does not bring")
    return found


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_every_import_is_allowed(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    found = [
        f"{file.relative_to(ROOT)}: {offence}"
        for file in files
        for offence in offences(folder, file.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    ("folder", "source", "says"),
    [
        ("model", "from indelible.checkers import properties", "imports indelible.checkers"),
        ("model", "import indelible.impl.multipaxos", "imports indelible.impl.multipaxos"),
        ("model", "import numpy", "which Python does not bring"),
        ("impl", "from indelible.checkers.explore import explore", "indelible.checkers.explore"),
        ("impl", "from indelible import Send", "impl imports indelible"),
        ("checkers", "def f():\n    import indelible.impl", "line 2: checkers imports"),
        ("checkers", "from indelible.cli import main", "imports indelible.cli"),
        ("checkers", "from indelible.modelling import x", "imports indelible.modelling"),
        ("checkers", "from model.scope import Scope", "imports model.scope"),
        ("impl", "from . import ballot", "is relative"),
        ("indelible", "from ..model import scope", "is relative"),
    ],
)
def test_an_offending_import_is_seen(folder: str, source: str, says: str) -> None:
    (offence,) = offences(folder, source)
    assert says in offence


def test_what_the_rule_allows_is_no_offence() -> None:
    assert not offences("model", "import json\nfrom indelible.model.scope import Scope")
    assert not offences("impl", "import indelible.model\nfrom indelible.impl.log import at")
    assert not offences("checkers", "import numpy\nfrom indelible.model import scope")
    assert not offences("indelible", "from indelible.impl.known_bugs import KNOWN_BUGS")


def test_importing_the_package_loads_nothing_heavy(tmp_path: Path) -> None:
    heavy = "{'numba', 'z3', 'hypothesis'}"
    code = f"import sys, indelible; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
