"""A check in which a step never ends ends all the same, and names it."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from indelible import ImplementationError, Limits, Scope, Submit, explore, progress
from indelible.adapters import ObjectAdapter
from indelible.checkers import overdue
from indelible.checkers.overdue import Overdue, watched_steps
from indelible.impl.adapters.replacements import surrounded
from indelible.impl.adapters.surroundings import Surroundings
from indelible.progress import impatient, interruptible

signal_raise = signal.raise_signal
"""What no step replaces."""


BEGAN: list[bool] = []
"""Whether somebody hangs."""


def spin() -> None:
    BEGAN.append(True)
    while True:
        pass


def wait_for_itself() -> None:
    BEGAN.append(True)
    lock = threading.Lock()
    with lock:
        lock.acquire()


def catch() -> None:
    with suppress(Exception):
        spin()


class Hangs:
    def __init__(self, hang: Callable[[], None]) -> None:
        self.hang = hang

    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        return 0, ()

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        if event == Submit("b"):
            self.hang()
        return state, ()


class Hosted(ObjectAdapter):
    """The same, and with a clock that stands still while it runs."""

    def build(self, outbox: Any, node: Any, nodes: Any, storage: Any) -> Any:
        return SimpleNamespace()

    def submit(self, instance: Any, command: Any) -> None:
        if command == "b":
            spin()


@pytest.mark.parametrize(
    "target",
    [Hangs(spin), Hangs(wait_for_itself), Hangs(catch), Hosted()],
    ids=("spins", "waits", "catches", "hosted"),
)
def test_a_search_in_which_a_step_never_ends_is_inconclusive(
    target: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(progress, "SOON_SECONDS", 0.02)
    BEGAN.clear()
    is_late = impatient(0.0, lambda: False)
    with watched_steps(lambda lasted: bool(BEGAN) and is_late(lasted)):
        verdict = explore(target, Scope(nodes=1, commands=("a", "b")))
    assert verdict.outcome == "inconclusive"
    assert re.fullmatch(r"handle\(n0, .*'b'.* had not ended after .* s", verdict.reason)


def test_a_limit_that_was_reached_meanwhile_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(progress, "SOON_SECONDS", 0.0)
    BEGAN.clear()

    def is_interrupted() -> bool:
        return bool(BEGAN)

    limits = Limits(interrupted=is_interrupted)
    with watched_steps(impatient(None, is_interrupted)):
        verdict = explore(Hangs(spin), Scope(nodes=1, commands=("a", "b")), limits=limits)
    assert verdict.outcome == "inconclusive"
    assert verdict.reason.startswith("interrupted, and handle(n0, Submit(command='b')) had not")


@pytest.mark.parametrize(
    ("seconds_max", "is_interrupted", "now", "patience"),
    [(None, False, 500, 60), (None, True, 1, 1), (5, False, 4, 60), (5, False, 6, 1)],
)
def test_a_step_may_last_for_as_long_as_there_is_time(
    seconds_max: float | None,
    is_interrupted: bool,
    now: float,
    patience: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: clock[0])
    is_overdue = impatient(seconds_max, lambda: is_interrupted)
    clock[0] = now
    assert is_overdue(patience)
    assert not is_overdue(patience - 0.1)


def test_control_c_in_a_step_of_a_hosted_node_asks_to_stop() -> None:
    with interruptible() as interrupted:
        with surrounded(Surroundings(0)):
            signal_raise(signal.SIGINT)
        assert interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_an_interrupt_that_nobody_pressed_is_an_error_of_the_code_on_trial() -> None:
    said = "the code on trial raised KeyboardInterrupt"
    with pytest.raises(ImplementationError, match=said), interruptible():
        raise KeyboardInterrupt
    with pytest.raises(Overdue), interruptible():
        raise Overdue("a step", 60)
