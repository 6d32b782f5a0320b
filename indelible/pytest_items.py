"""The tests that are collected: one for each property of a configured check in each scope, and one
for each saved trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from indelible.model.errors import IndelibleError, TraceError
from indelible.pytest_plugin import SETTING
from indelible.terminal import shown

if TYPE_CHECKING:
    from indelible.answers import Answer
    from indelible.configuration import Check, ConfiguredScope
    from indelible.model.trace import Evidence
    from indelible.pytest_setting import Setting
    from indelible.replays import Replayed

__all__ = [
    "FACT",
    "CheckFile",
    "CheckItem",
    "TraceFile",
    "TraceItem",
    "failure",
    "saved_text",
]

FACT: Final = "indelible."
"""How the names of our properties in a report begin."""


class _Item(pytest.Item):
    """A test of ours: told apart by a marker, and with facts for those who read reports."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.add_marker("indelible")

    @property
    def setting(self) -> Setting:
        return self.config.stash[SETTING]

    def note(self, **facts: str | int) -> None:
        self.user_properties += [(f"{FACT}{name}", value) for name, value in facts.items()]

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name

    def runtest(self) -> None:
        from indelible.checkers.overdue import Overdue, watched_steps

        try:
            with watched_steps():
                self.answer()
        except (IndelibleError, Overdue) as error:
            self.note(verdict="error")
            raise failure(str(error)) from None

    def answer(self) -> None:
        """Pass, fail or skip. Raises ``IndelibleError``."""
        raise NotImplementedError


class CheckFile(pytest.File):
    """The pyproject.toml that configures checks."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._answers: dict[tuple[str, str], Mapping[str, Answer] | IndelibleError] = {}

    def collect(self) -> Iterator[CheckItem]:
        from indelible.answers import property_names

        for check in self.config.stash[SETTING].configuration.checks:
            for scope in check.scopes:
                for short, reference in property_names(check).items():
                    yield CheckItem.asking(self, check, scope, short, reference)

    def answer_to(self, item: CheckItem) -> Answer:
        """What the item asks; all that is asked of its target in its scope is answered at once."""
        if item.key not in self._answers:
            try:
                self._answers[item.key] = self._answered(item)
            except IndelibleError as error:
                self._answers[item.key] = error
        answers = self._answers[item.key]
        if isinstance(answers, IndelibleError):
            raise answers
        return answers[item.reference]

    def _answered(self, item: CheckItem) -> Mapping[str, Answer]:
        from indelible.answers import Question, answered

        items = [other for other in self.session.items if isinstance(other, CheckItem)]
        asked = [each.reference for each in items if each.key == item.key]
        setting = item.setting
        return answered(
            Question(
                check=item.check,
                scope=item.scope,
                properties=tuple(asked),
                folder=setting.configuration.folder,
                limits=setting.limits(item.check),
                seed=setting.seed,
                workers=setting.workers,
            )
        )


class CheckItem(_Item):
    """One property of a check, in one scope."""

    check: Check
    scope: ConfiguredScope
    reference: str

    @classmethod
    def asking(
        cls, parent: CheckFile, check: Check, scope: ConfiguredScope, short: str, reference: str
    ) -> CheckItem:
        """The test that is called ``check[scope-property]``."""
        called = f"{scope.name}-{short}" if scope.name else short
        item: CheckItem = cls.from_parent(parent, name=f"{check.name}[{called}]")
        item.check, item.scope, item.reference = check, scope, reference
        if item.config.pluginmanager.hasplugin("xdist"):
            # So that --dist=loadgroup explores each scope in one worker only.
            item.add_marker(pytest.mark.xdist_group(f"indelible-{check.name}-{scope.name}"))
        return item

    @property
    def key(self) -> tuple[str, str]:
        """What is searched once for all its properties."""
        return self.check.name, self.scope.name

    def answer(self) -> None:
        check, scope = self.check, self.scope
        self.note(check=check.name, scope=scope.name, target=check.target, how=check.how)
        assert isinstance(self.parent, CheckFile)
        answer = self.parent.answer_to(self)
        self.note(verdict=answer.verdict, **answer.facts)
        text = answer.text
        if answer.evidence is not None:
            text += saved_text(self, answer.evidence)
        if answer.outcome == "passed":
            return
        unasked = answer.outcome == "not observable" and check.properties is None
        if unasked or (answer.outcome != "violated" and self.setting.inconclusive == "skip"):
            pytest.skip(shown(text, "utf-8"))
        raise failure(text)


def failure(text: str) -> BaseException:
    """A failure that shows nothing but the text, in which no letter steers a terminal."""
    return pytest.fail.Exception(shown(text, "utf-8"), pytrace=False)


def saved_text(item: pytest.Item, evidence: Evidence) -> str:
    """Keep the evidence, and say where, or why not.

    What no name leads to cannot be replayed; it is kept in pytest's cache, to be looked at.
    """
    from indelible.trace_files import keep_trace

    folder = item.config.stash[SETTING].configuration.traces
    if not evidence.target:
        cache = getattr(item.config, "cache", None)
        if cache is None:
            return ""
        folder = cache.mkdir("indelible")
    try:
        path = keep_trace(evidence, folder)
    except TraceError as error:
        return f"\n\nNot saved: {error}"
    path = _from_here(path)
    item.user_properties.append((f"{FACT}trace", str(path)))
    lines = [f"Saved: {path}"]
    if evidence.target:
        lines.append(f"Once it is corrected: indelible replay --mark-fixed {path}")
    return "\n\n" + "\n".join(lines)


class TraceFile(pytest.File):
    """A saved trace, which is read when its test runs."""

    def collect(self) -> Iterator[TraceItem]:
        yield TraceItem.from_parent(self, name="replay")


class TraceItem(_Item):
    """A saved trace is as it is kept: it violates its property, or is marked fixed and does not."""

    def answer(self) -> None:
        from contextlib import chdir

        from indelible.replays import replayed_trace
        from indelible.targets import on_trial
        from indelible.trace_files import read_trace

        with on_trial(), chdir(self.setting.configuration.folder):
            document = read_trace(self.path)
            self.note(target=document.target, property=document.property)
            replayed = replayed_trace(document)
        self.note(verdict=replayed.found.outcome, kept=int(replayed.expected))
        if not replayed.expected:
            raise failure(_not_as_kept(replayed, self.path))


def _not_as_kept(replayed: Replayed, path: Path) -> str:
    """What became of the trace, and what to do."""
    from indelible.render.text import render_text
    from indelible.replays import replay_text

    path = _from_here(path)
    text = replay_text(replayed)
    if replayed.evidence.fixed:
        return f"{text}\n\n{render_text(replayed.evidence)}"
    if replayed.raised:
        remedy = "correct the exception first, which hides whether the property is still violated"
    elif not replayed.violates:
        remedy = f"if that was the purpose: indelible replay --mark-fixed {path}"
    elif replayed.found.outcome == "violates":
        remedy = f"to keep what happens now: indelible replay --renew {path}"
    else:
        remedy = "delete it, or let a search find the violation anew"
    return f"{text}\n  remedy: {remedy}"


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
