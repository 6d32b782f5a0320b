"""The pytest plugin: what a project configures is collected as tests, and fixtures for one's own.

pytest imports this in every run of every project where the package is installed; so whatever is
slow is imported where it is used, and a project that configures nothing is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from indelible.project import mentions_us

if TYPE_CHECKING:
    from indelible.checkers.limits import Limits
    from indelible.checkers.property import Property
    from indelible.model.cluster import Cluster
    from indelible.model.implementation import Implementation
    from indelible.model.scope import Scope
    from indelible.model.verdict import Verdict
    from indelible.pytest_setting import Setting

__all__ = ["SETTING"]

SETTING: Final = pytest.StashKey["Setting"]()
"""Under which a run keeps what holds for it, if anything was asked of us."""

OPTIONS: Final = ("indelible_profile", "indelible_inconclusive", "indelible_replay")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("indelible", "checks that a replicated log is never rewritten")
    group.addoption(
        "--indelible-profile", metavar="NAME",
        help="the budget of checks: dev, ci, nightly, or one of [tool.indelible.profiles]",
    )  # fmt: skip
    group.addoption(
        "--indelible-inconclusive", choices=("fail", "skip"),
        help="what becomes of a check that hit a limit; default: as configured, or fail",
    )  # fmt: skip
    group.addoption(
        "--indelible-seed", metavar="N", type=int,
        help="decides random runs; default: drawn, and told at the end",
    )  # fmt: skip
    group.addoption(
        "--indelible-replay", metavar="FILE", type=Path,
        help="replay this saved trace as the only test, and show it",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    if mentions_us(config.rootpath) or any(map(config.getoption, OPTIONS)):
        setting = _setting(config)
        config.args[:] = setting.collected(config.args)
        config.addinivalue_line("markers", "indelible: a check or a trace that indelible collected")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    setting = parent.config.stash.get(SETTING, None)
    return None if setting is None else setting.collector(file_path, parent)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.stash.get(SETTING, None) is not None:
        from indelible.pytest_summary import write_summary

        write_summary(terminalreporter, config.stash[SETTING])


def _setting(config: pytest.Config) -> Setting:
    """What holds for this run, read when it is first asked for."""
    from indelible.model.errors import IndelibleError
    from indelible.pytest_setting import read_setting

    if SETTING not in config.stash:
        try:
            config.stash[SETTING] = read_setting(config)
        except IndelibleError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[SETTING]


@pytest.fixture(name="explore")
def _explore(request: pytest.FixtureRequest) -> Callable[..., Verdict]:
    """``explore(target, scope=None, *, properties=None, limits=None)`` explores every behaviour of
    ``target`` inside ``scope``, and returns the verdict if it holds.

    ``target`` is an implementation, or a name as in ``indelible check``; ``scope`` by default the
    target's own; ``properties`` are properties or names, by default those of ``indelible check``;
    ``limits`` by default those of the profile. A violation fails the test with the counterexample,
    which is saved; an inconclusive verdict fails it, or skips it if that is configured.
    """

    def explore(
        target: Implementation | str,
        scope: Scope | None = None,
        *,
        properties: list[Property | str] | None = None,
        limits: Limits | None = None,
    ) -> Verdict:
        from indelible.pytest_explore import explored

        __tracebackhide__ = True
        return explored(request.node, _setting(request.config), target, scope, properties, limits)

    return explore


@pytest.fixture(name="cluster")
def _cluster(request: pytest.FixtureRequest) -> Callable[..., Cluster]:
    """``cluster(target, scope=None)`` is a ``Cluster`` on which a test can let events happen one by
    one: ``initial()``, ``enabled(state)``, ``step(state, (node, event))``.

    ``target`` is an implementation, or a name as in ``indelible check``; ``scope`` by default the
    target's own.
    """

    def cluster(target: Implementation | str, scope: Scope | None = None) -> Cluster:
        from indelible.model.cluster import Cluster
        from indelible.pytest_explore import found_target

        found = found_target(_setting(request.config), target, scope)
        return Cluster(found.implementation, found.scope)

    return cluster
