"""Profiles: what ``dev``, ``ci`` and ``nightly`` set, and where what failed is kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import SkipTest

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)
from hypothesis.extra.redis import RedisExampleDatabase
from hypothesis.stateful import run_state_machine_as_test
from redis import Redis

from indelible import PropertyViolated, Scope, cluster_machine, register_profiles
from indelible.checkers.stateful.profiles import PROFILES
from indelible.impl.known_bugs import KNOWN_BUGS

HALF = KNOWN_BUGS["phase2_quorum_half"]


@pytest.fixture(autouse=True)
def _profiles_as_they_were() -> Iterator[None]:
    ci = settings.get_profile("ci")
    yield
    settings.register_profile("ci", ci)


def test_importing_registers_nothing() -> None:
    code = (
        "import hypothesis, indelible.stateful\n"
        "try: hypothesis.settings.get_profile('nightly')\n"
        "except Exception as error: print(type(error).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "InvalidArgument\n"


def test_every_profile_has_no_deadline_and_leaves_explaining_to_us() -> None:
    register_profiles()
    examples = []
    for name in PROFILES:
        profile = settings.get_profile(name)
        assert profile.deadline is None
        assert set(profile.suppress_health_check) == set(HealthCheck)
        assert Phase.explain not in profile.phases
        assert Phase.shrink in profile.phases
        examples.append(profile.max_examples)
    assert examples == sorted(examples), "from quick to thorough"


def test_ci_is_deterministic_as_that_of_hypothesis_is() -> None:
    theirs = settings.get_profile("ci")
    register_profiles(DirectoryBasedExampleDatabase("never-made"))
    ours = settings.get_profile("ci")
    assert ours.derandomize
    assert theirs.derandomize
    assert ours.database is None
    assert not settings.get_profile("dev").derandomize
    assert not settings.get_profile("nightly").derandomize


def test_a_directory_remembers_what_failed(tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    register_profiles(str(folder))
    machine = cluster_machine(
        HALF.implementation, HALF.scope, properties=[HALF.property], save=None
    )
    dev = settings(settings.get_profile("dev"), derandomize=False)
    assert dev.database == DirectoryBasedExampleDatabase(folder)
    first = settings(dev, phases=[Phase.generate])
    with pytest.raises(PropertyViolated):
        run_state_machine_as_test(machine, settings=first)
    assert any(folder.rglob("*"))
    again = settings(dev, phases=[Phase.reuse])
    with pytest.raises(PropertyViolated):
        run_state_machine_as_test(machine, settings=again)
    elsewhere = DirectoryBasedExampleDatabase(tmp_path / "empty")
    with pytest.raises(SkipTest):
        run_state_machine_as_test(machine, settings=settings(again, database=elsewhere))


@pytest.mark.parametrize(
    "database",
    [
        MultiplexedDatabase(
            DirectoryBasedExampleDatabase("examples"),
            ReadOnlyDatabase(GitHubArtifactDatabase("someone", "something")),
        ),
        RedisExampleDatabase(Redis()),
    ],
    ids=["GitHub artifacts", "Redis"],
)
def test_any_database_of_hypothesis_will_do(database) -> None:
    register_profiles(database)
    assert settings.get_profile("nightly").database is database
    assert settings.get_profile("dev").database is database
    assert settings.get_profile("ci").database is None


def test_a_machine_takes_the_profile_that_is_loaded() -> None:
    register_profiles()
    current = settings.get_current_profile_name()
    try:
        settings.load_profile("nightly")
        machine = cluster_machine(HALF.implementation, Scope(), save=None)
        assert machine.TestCase.settings.max_examples == PROFILES["nightly"]["max_examples"]
    finally:
        settings.load_profile(current)
