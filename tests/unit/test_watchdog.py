"""A call that never ends ends the check, with a reason that names it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from indelible import Limits, Scope, Submit, explore, watchdog
from indelible.impl.adapters.replacements import surrounded
from indelible.impl.adapters.surroundings import Surroundings
from indelible.model.errors import NeverEnded
from indelible.model.implementation import ASKING
from indelible.progress import interruptible
from indelible.watchdog import CALL_SECONDS, CAUGHT_MAX, Watchdog, watched

signal_raise = signal.raise_signal
"""What no step replaces."""


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ASKING, "what", lambda: "handle(n0, Submit(command='a'))")


def ticked(dog: Watchdog, clock: list[float], *times: float) -> list[str]:
    """What the watchdog says at these times."""
    said = []
    for clock[0] in times:
        try:
            dog.tick()
            said.append("")
        except NeverEnded as ended:
            said.append(str(ended).partition(" in the midst of ")[0])
    return said


@pytest.mark.parametrize(
    ("seconds_max", "is_interrupted", "times", "says"),
    [
        (None, False, (1, CALL_SECONDS, CALL_SECONDS + 2), ["", "", "60 s were over"]),
        (None, True, (1, 2), ["", "interrupted"]),
        (5, False, (1, 4, 6), ["", "", "the time limit of 5 s was reached"]),
        (500, False, (100, 130, 170), ["", "", "60 s were over"]),
    ],
)
@pytest.mark.usefixtures("asking")
def test_a_call_that_goes_on_is_ended(
    seconds_max: float | None, is_interrupted: bool, times: tuple[float, ...], says: list[str]
) -> None:
    clock = [0.0]
    dog = Watchdog(seconds_max, lambda: is_interrupted, lambda: clock[0])
    assert ticked(dog, clock, *times) == says


@pytest.mark.usefixtures("asking")
def test_many_calls_may_take_long_together(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    dog = Watchdog(5, lambda: True, lambda: clock[0])
    for time in range(100):
        monkeypatch.setattr(ASKING, "number", 1_000 + time)
        assert ticked(dog, clock, time) == [""]
    monkeypatch.setattr(ASKING, "what", None)
    assert ticked(dog, clock, 200, 300) == ["", ""]


@pytest.mark.usefixtures("asking")
def test_code_that_catches_everything_ends_with_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(watchdog, "_EXIT", codes.append)
    clock = [0.0]
    dog = Watchdog(1, lambda: False, lambda: clock[0])
    ticked(dog, clock, *range(CAUGHT_MAX + 2))
    assert not codes
    ticked(dog, clock, CAUGHT_MAX + 2)
    assert codes == [3]
    assert "handle(n0, Submit(command='a'))" in capsys.readouterr().err


def spin() -> None:
    while True:
        pass


def wait_for_itself() -> None:
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


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watchdog, "TICK_SECONDS", 0.01)
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    yield
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("hang", [spin, wait_for_itself, catch])
@pytest.mark.usefixtures("fast")
def test_a_search_in_which_a_step_never_ends_is_inconclusive(hang: Callable[[], None]) -> None:
    with watched(0.05, lambda: False):
        verdict = explore(Hangs(hang), Scope(nodes=1, commands=("a", "b")), limits=Limits())
    assert verdict.outcome == "inconclusive"
    assert verdict.reason == (
        "the time limit of 0.05 s was reached in the midst of handle(n0, Submit(command='b')), "
        "which may never end"
    )


@pytest.mark.usefixtures("fast")
def test_the_timer_of_somebody_else_is_left_alone() -> None:
    def theirs(*_: object) -> None: ...

    signal.signal(signal.SIGALRM, theirs)
    with watched(0.05, lambda: False):
        assert signal.getsignal(signal.SIGALRM) is theirs
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_control_c_in_a_step_of_a_hosted_node_asks_to_stop() -> None:
    with interruptible() as interrupted:
        with surrounded(Surroundings(0)):
            signal_raise(signal.SIGINT)
        assert interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
