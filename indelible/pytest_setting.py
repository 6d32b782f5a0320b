"""What holds for one run of pytest: the configuration, as the command line changes it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import cast

import pytest

from indelible.configuration import (
    Check,
    Configuration,
    Inconclusive,
    read_configuration,
    unconfigured,
)
from indelible.model.errors import TraceError
from indelible.project import FILE
from indelible.trace_files import SUFFIX

__all__ = ["Setting", "read_setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """The configuration and what the command line says instead.

    ``collects``: whether the project configures anything; ``replay``: the one trace that is asked
    for; ``seed`` decides random runs; ``workers``: among how many processes the tests are divided.
    """

    configuration: Configuration
    collects: bool
    profile: str
    inconclusive: Inconclusive
    replay: Path | None
    seed: int
    workers: int

    def collected(self, arguments: Sequence[str]) -> list[str]:
        """What pytest is to collect. Where somebody asks for a folder, be it by asking for nothing,
        checks and traces belong to it, even if they lie outside; who asks for a file, or for traces
        only, gets that.
        """
        if self.replay is not None:
            return [str(self.replay)]
        traces = self.configuration.traces
        folders = [Path(os.path.abspath(each)) for each in arguments if Path(each).is_dir()]
        if not self.collects or all(each.is_relative_to(traces) for each in folders):
            return list(arguments)
        outside = (
            str(path)
            for path in (self.configuration.file, traces)
            if path.exists() and not any(path.is_relative_to(each) for each in folders)
        )
        return [*arguments, *outside]

    def collector(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """What collects from a file: checks, a trace, or nothing of ours."""
        from indelible.pytest_items import CheckFile, TraceFile

        if path == self.replay:
            return TraceFile.from_parent(parent, path=path)
        if not self.collects:
            return None
        if path.name == FILE and path.samefile(self.configuration.file):
            return CheckFile.from_parent(parent, path=path)
        if path.name.endswith(SUFFIX) and path.is_relative_to(self.configuration.traces):
            return TraceFile.from_parent(parent, path=path)
        return None

    def limits(self, check: Check) -> dict[str, object]:
        """What bounds one search, as fields of ``Limits``."""
        return self.configuration.limits(check, self.profile)


def read_setting(config: pytest.Config) -> Setting:
    """What holds for this run. Raises ``ConfigurationError``, ``TraceError``."""
    found = read_configuration(config.rootpath)
    configuration = found or unconfigured(config.rootpath)
    replay = config.getoption("indelible_replay")
    if replay is not None:
        replay = Path(os.path.abspath(config.invocation_params.dir / replay))
        if not replay.is_file():
            raise TraceError(f"--indelible-replay: there is no file {replay}")
    worker = getattr(config, "workerinput", {})
    seed = config.getoption("indelible_seed")
    if seed is None:  # Drawn anew for every run, which all of its workers have in common.
        seed = Random(worker.get("testrunuid")).getrandbits(32)
    said = config.getoption("indelible_inconclusive") or configuration.inconclusive
    return Setting(
        configuration=configuration,
        collects=found is not None,
        profile=configuration.known_profile(config.getoption("indelible_profile")),
        inconclusive=cast("Inconclusive", said),
        replay=replay,
        seed=seed,
        workers=worker.get("workercount", 1),
    )
