"""Small projects in which pytest is run, in this process or in another."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree

import pytest

# What a run in this process loads is forgotten after it, and some of it cannot be loaded again.
import indelible.answers
import indelible.checkers.explorer.search
import indelible.pytest_explore
import indelible.pytest_summary
import indelible.replays  # noqa: F401

__all__ = [
    "CHECK",
    "case_of",
    "configure",
    "project",
    "properties_of",
    "run",
    "run_here",
]

NODES = """
from indelible import Decide, Receive, Scope, Send, Submit, always


class Careful:
    '''Only node 0 decides, and only once.'''

    scope = Scope(nodes=2, commands=("a", "b"), timeouts_max=0)

    def start(self, node, nodes, storage):
        return None, ()

    def handle(self, node, state, event):
        if node == 0 and isinstance(event, Submit) and state is None:
            return event.command, (Decide(0, event.command),)
        return state, ()


class Hasty(Careful):
    '''Every node decides whatever it is given.'''

    def handle(self, node, state, event):
        return event.command, (Decide(0, event.command),)


class Falls(Careful):
    def handle(self, node, state, event):
        raise ValueError("it falls")


class Hangs(Careful):
    def handle(self, node, state, event):
        while True:
            pass


@always(reads="record", fields=("decided",))
def nothing_decided(record):
    '''Nothing is ever decided.'''
    return not record.decided
"""

WITHOUT = ("-p", "no:hypothesispytest")
"""Hypothesis' own plugin takes a second or two, and nothing here is about it."""

CHECK = "[tool.indelible.checks.c]\ntarget = 'nodes:{}'\nproperties = {}\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with some implementations, and a test of its own."""
    pytester.makepyfile(nodes=NODES)
    pytester.mkdir("tests").joinpath("test_own.py").write_text("def test_own(): pass\n")
    return pytester


def configure(
    project: pytest.Pytester, target: str, *properties: str, more: str = "", top: str = ""
) -> None:
    table = f"[tool.indelible]\n{top}\n" if top else ""
    project.makepyprojecttoml(table + CHECK.format(target, list(properties)) + more)


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """pytest in a process of its own; alone it does not put the folder on the path."""
    return project.run(sys.executable, "-P", "-m", "pytest", *WITHOUT, *arguments)


def run_here(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """The same in this process, which saves the time to load everything."""
    return project.runpytest_inprocess(*WITHOUT, *arguments)


def properties_of(project: pytest.Pytester, name: str) -> dict[str, str]:
    case = case_of(project, name)
    return {
        each.attrib["name"].removeprefix("indelible."): each.attrib["value"]
        for each in case.iter("property")
    }


def case_of(project: pytest.Pytester, name: str) -> ElementTree.Element:
    tree = ElementTree.parse(project.path / "junit.xml")
    (case,) = (each for each in tree.iter("testcase") if each.attrib["name"].startswith(name))
    return case
