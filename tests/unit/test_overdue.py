"""A step that does not end is given up, named, and not waited for."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import Any

import pytest

from indelible import Step, Submit
from indelible.checkers import overdue
from indelible.checkers.overdue import Overdue, watched_steps
from indelible.model.implementation import ask_handle, ask_start


class Stubborn:
    """Never ends, and listens to no exception."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        while True:
            time.sleep(0.01)

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # As code does that goes on whatever happens.
                continue


def test_a_step_that_does_not_end_is_given_up_and_named() -> None:
    with pytest.raises(Overdue) as raised, watched_steps(lambda _: True):
        ask_handle(Stubborn(), 0, (0, 1), 0, Submit("a"))
    assert raised.value.step == "handle(n0, Submit(command='a'))"
    says = r"start\(n1, storage=None\) had not ended after 0\.0 s"
    with pytest.raises(Overdue, match=says), watched_steps(lambda _: True):
        ask_start(Stubborn(), 1, (0, 1), None)


def test_nothing_but_steps_is_given_up() -> None:
    with watched_steps(lambda _: True):
        time.sleep(2 * overdue.LOOK_SECONDS)


def test_afterwards_nobody_looks() -> None:
    with pytest.raises(Overdue), watched_steps(lambda _: True):
        ask_handle(Stubborn(), 0, (0, 1), 0, Submit("a"))
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_who_has_asked_for_an_interruption_gets_it() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: came.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with watched_steps(lambda _: True):
            while not came:
                time.sleep(0.001)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert came == [signal.SIGALRM]


def test_in_another_thread_a_step_is_waited_for() -> None:
    class Slow(Stubborn):
        def handle(self, node: Any, state: Any, event: Any) -> Step:
            time.sleep(2 * overdue.LOOK_SECONDS)
            return Step(1)

    came: list[Step] = []

    def ask() -> None:
        with watched_steps(lambda _: True):
            came.append(ask_handle(Slow(), 0, (0, 1), 0, Submit("a")))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert came == [Step(1)]


def test_a_step_is_told_from_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lasted: list[float] = []
    look = overdue._Look(lambda seconds: bool(lasted.append(seconds)))
    clock = iter((0.0, 5.0, 7.0, 9.0))
    monkeypatch.setattr(overdue, "monotonic", lambda: next(clock))

    class Looking(Stubborn):
        def handle(self, node: Any, state: Any, event: Any) -> Step:
            for _ in range(event.command):
                look(0, sys._getframe())
            return Step(0)

    for looks in (3, 1):
        ask_handle(Looking(), 0, (0, 1), 0, Submit(looks))
    assert lasted == [0.0, 5.0, 7.0, 0.0]
