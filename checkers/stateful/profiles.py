"""Profiles: how long and how repeatably Hypothesis tries, and where it keeps what failed.

Nothing is registered by importing this: ``register_profiles`` does, and ``settings.load_profile``
makes one of them count, before a machine's ``TestCase`` is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

__all__ = ["PROFILES", "register_profiles"]

_ALWAYS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "deadline": None,
        "suppress_health_check": tuple(HealthCheck),
        "phases": tuple(phase for phase in Phase if phase is not Phase.explain),
    }
)
"""Hypothesis explains a failure by tracing every line of many more runs; a counterexample that is
minimized and told step by step says more, and sooner."""

PROFILES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "dev": MappingProxyType(
            {"max_examples": 100, "stateful_step_count": 80, "derandomize": False}
        ),
        "ci": MappingProxyType(
            {
                "max_examples": 300,
                "stateful_step_count": 100,
                "derandomize": True,
                "database": None,
                "print_blob": True,
            }
        ),
        "nightly": MappingProxyType(
            {
                "max_examples": 10_000,
                "stateful_step_count": 200,
                "derandomize": False,
                "print_blob": True,
            }
        ),
    }
)
"""What each profile sets. *ci* is deterministic, as Hypothesis's own is: the same examples each
time, and none remembered. The others say that they are not, since Hypothesis takes its own *ci* for
what is not said, where it runs in CI."""


def register_profiles(database: ExampleDatabase | str | None = None) -> None:
    """Register ``dev``, ``ci`` and ``nightly`` with Hypothesis; one called ``ci`` is replaced.

    ``database`` keeps what failed in *dev* and *nightly*: any of Hypothesis's, or the path of a
    directory; by default the one that Hypothesis uses. *ci* has none, because it is derandomized.
    """
    if isinstance(database, str):
        database = DirectoryBasedExampleDatabase(database)
    for name, chosen in PROFILES.items():
        kept: dict[str, Any] = {}
        if database is not None and not chosen.get("derandomize"):
            kept["database"] = database
        settings.register_profile(name, settings(**_ALWAYS, **chosen, **kept))
