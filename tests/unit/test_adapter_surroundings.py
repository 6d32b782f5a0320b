"""What foreign code finds in a step: a clock of ours, chance that can be repeated, and no world."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import datetime
import gc
import importlib
import io
import os
import pickle
import random
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from indelible.impl.adapters.freeze import freeze
from indelible.impl.adapters.replacements import imported_names, surrounded
from indelible.impl.adapters.surroundings import EPOCH, Surroundings, current
from indelible.model.errors import ImplementationError


def drawn(node: int, draws: int) -> list[Any]:
    """What everything random gives in a step."""
    with surrounded(Surroundings(node, draws)):
        return [
            random.random(),
            random.randint(0, 10**9),
            random.choice(range(10**9)),
            random.Random().random(),
            random.SystemRandom().random(),
            secrets.token_hex(),
            os.urandom(8),
            uuid.uuid4(),
            uuid.uuid1(),
        ]


def test_chance_follows_from_the_node_and_how_often_it_drew() -> None:
    assert drawn(0, 0) == drawn(0, 0)
    for here, there, later in zip(drawn(0, 0), drawn(1, 0), drawn(0, 1), strict=True):
        assert len({here, there, later}) == 3


def test_only_a_step_that_draws_counts() -> None:
    with surrounded(Surroundings(0, 3)) as around:
        time.time()
        random.Random(1).random()
    assert around.draws_after == 3
    with surrounded(around):
        random.random()
        random.random()
    assert around.draws_after == 4


def test_all_clocks_agree() -> None:
    with surrounded(Surroundings(0, now=lambda: 2.5)):
        assert time.monotonic() == time.perf_counter() == time.process_time() == 2.5
        assert time.time() == EPOCH + 2.5
        assert time.time_ns() == round((EPOCH + 2.5) * 10**9)
        assert time.gmtime() == time.gmtime(EPOCH + 2)
        assert time.strftime("%S") == time.strftime("%S", time.localtime(EPOCH + 2))
        assert time.ctime() == time.asctime() == time.ctime(EPOCH + 2)


REFUSED: dict[str, Callable[[], Any]] = {
    "time.sleep": lambda: time.sleep(60),
    "Thread.start": lambda: threading.Thread(target=print).start(),
    "threading.Condition.wait": lambda: threading.Event().wait(),
    "socket.socket": lambda: socket.socket(),
    "socket.getaddrinfo": lambda: socket.create_connection(("127.0.0.1", 9)),
    "subprocess.Popen": lambda: subprocess.run(["true"], check=False),
    "os.system": lambda: os.system("true"),
    "input": lambda: input(),
    "open('made.txt', 'w')": lambda: open("made.txt", "w"),  # noqa: SIM115
    "open('made.txt', 'a')": lambda: Path("made.txt").open("a"),  # noqa: SIM115
    "os.open('made.txt')": lambda: os.open("made.txt", os.O_CREAT | os.O_WRONLY),
    "os.mkdir": lambda: Path("made/one").mkdir(parents=True),
    "os.rename": lambda: shutil.move("made", "more"),
    "os.remove": lambda: Path("made").unlink(),
    "sqlite3.connect('made.db')": lambda: sqlite3.connect("made.db"),
    "socket.gethostbyname": lambda: socket.gethostbyname("localhost"),
    "os._exit": lambda: os._exit(0),
    "os.kill": lambda: os.kill(os.getpid(), signal.SIGINT),
    "signal.signal": lambda: signal.signal(signal.SIGALRM, signal.SIG_DFL),
    "signal.alarm": lambda: signal.alarm(1),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_wait_or_reach_out_is_refused(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImplementationError) as raised, surrounded(Surroundings(1)):
        REFUSED[what]()
    assert raised.value.fact == f"n1 called {what} while it was handling an event"
    assert raised.value.cause
    assert raised.value.remedy
    assert not list(tmp_path.iterdir())


def test_files_may_be_read_and_modules_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "read_in_a_step.py").write_text("SAID = 'yes'")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    with surrounded(Surroundings(0)):
        assert (tmp_path / "read_in_a_step.py").read_text() == "SAID = 'yes'"
        module = importlib.import_module("read_in_a_step")
        sqlite3.connect(":memory:").close()
    assert module.SAID == "yes"
    assert list((tmp_path / "__pycache__").iterdir())
    (tmp_path / "after").write_text("the step")


def test_a_process_is_a_number_of_the_node_and_has_used_no_time() -> None:
    def told(node: int) -> tuple[int, os.times_result, float]:
        with surrounded(Surroundings(node, now=lambda: 3.0)):
            return os.getpid(), os.times(), time.clock_gettime(time.CLOCK_REALTIME)

    assert told(0) == told(0)
    assert told(0)[0] != told(1)[0]
    assert told(0)[1:] == (os.times_result((3.0, 0, 0, 0, 3.0)), EPOCH + 3.0)


@pytest.mark.usefixtures("no_other_loop")
@pytest.mark.filterwarnings(
    "error::RuntimeWarning", "error::pytest.PytestUnraisableExceptionWarning"
)
def test_a_loop_of_its_own_is_refused_as_such() -> None:
    with pytest.raises(ImplementationError) as raised, surrounded(Surroundings(1)):
        asyncio.run(asyncio.sleep(0))
    assert raised.value.fact == "n1 called asyncio.run() while it was handling an event"
    gc.collect()


def test_what_is_refused_is_told_though_the_code_catches_it() -> None:
    def step() -> None:
        with surrounded(Surroundings(0)), contextlib.suppress(Exception):
            time.sleep(60)

    with pytest.raises(ImplementationError, match=r"time\.sleep"):
        step()


def test_everything_is_put_back_even_after_an_exception() -> None:
    names = [
        *((time, name) for name in dir(time)),
        *((random, name) for name in dir(random)),
        *((os, "urandom"), (threading.Condition, "wait"), (random.Random, "seed")),
        *((os, "_exit"), (sys, "stdout"), (sys.modules["builtins"], "input")),
    ]
    before = [getattr(owner, name) for owner, name in names]

    def step() -> None:
        with surrounded(Surroundings(0)):
            assert time.time is not before[names.index((time, "time"))]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        step()
    assert [getattr(owner, name) for owner, name in names] == before
    assert current() is None


def test_names_that_a_module_imported_are_replaced_too() -> None:
    module = ModuleType("theirs")
    exec("from time import monotonic as now\nfrom random import random\nx = 1", vars(module))
    before = dict(vars(module))
    with surrounded(Surroundings(0, now=lambda: 7.0), imported_names([module])):
        assert module.now() == 7.0
        value = module.random()
    assert vars(module) == before
    with surrounded(Surroundings(0)):
        assert random.random() == value


def test_a_function_that_a_node_keeps_is_copied_as_itself() -> None:
    with surrounded(Surroundings(0, now=lambda: 5.0)):
        kept = time.monotonic
    copied = pickle.loads(pickle.dumps(kept))
    assert copied is kept
    assert kept() != 5.0
    with surrounded(Surroundings(0, now=lambda: 6.0)):
        assert copied() == 6.0


def test_another_thread_keeps_the_real_world() -> None:
    told: list[float] = []
    ready, go = threading.Event(), threading.Event()

    def run() -> None:
        ready.set()
        go.wait()
        told.append(time.time())

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    with surrounded(Surroundings(0)):
        go.set()
        while not told:
            pass
    thread.join()
    assert told[0] > EPOCH + 10**8


def test_what_nodes_print_leaves_stdout_to_the_checker(monkeypatch: pytest.MonkeyPatch) -> None:
    out, error = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", error)
    with surrounded(Surroundings(0)):
        print("in a step")
    print("after it")
    assert (out.getvalue(), error.getvalue()) == ("after it\n", "in a step\n")


def test_steps_within_steps() -> None:
    with surrounded(Surroundings(0, now=lambda: 1.0)):
        with surrounded(Surroundings(1, now=lambda: 2.0)):
            assert time.monotonic() == 2.0
        assert time.monotonic() == 1.0


# --- datetimes --------------------------------------------------------------------------------


def test_datetimes_follow_the_clock() -> None:
    with surrounded(Surroundings(0, now=lambda: 2.5)):
        now = datetime.datetime.now()
        assert now == datetime.datetime.today() == datetime.datetime.fromtimestamp(time.time())
        assert now.timestamp() == EPOCH + 2.5
        assert datetime.date.today() == now.date()
        aware = datetime.datetime.now(datetime.UTC)
        assert datetime.datetime.now(tz=datetime.timezone(datetime.timedelta(hours=2))) == aware
        assert aware.isoformat() == "2001-09-09T01:46:42.500000+00:00"
        assert datetime.datetime.utcnow() == aware.replace(tzinfo=None)
    assert datetime.datetime.now() - now > datetime.timedelta(days=365)
    assert datetime.datetime.utcnow() - now > datetime.timedelta(days=365)


def test_datetimes_of_a_step_are_plain() -> None:
    plain, made = datetime.datetime, []
    with surrounded(Surroundings(0)):
        stand_in = datetime.datetime
        made += [stand_in.now(), stand_in.utcnow(), stand_in.now(datetime.UTC)]
        made += [stand_in(2001, 9, 9, fold=1), stand_in.fromtimestamp(5), stand_in.today()]
        made += [stand_in.strptime("2001", "%Y"), stand_in.fromisoformat("2001-09-09T01:46:40")]
        made += [stand_in.combine(datetime.date(2001, 9, 9), datetime.time()), stand_in.min]
        made += [made[0] + datetime.timedelta(1), made[0].replace(year=2002)]
    assert {type(each) for each in made} == {plain}
    assert datetime.datetime is plain


def test_the_stand_in_is_taken_for_the_class_itself() -> None:
    plain, before = datetime.datetime, datetime.datetime(2000, 1, 1)
    with surrounded(Surroundings(0)):
        stand_in = datetime.datetime
        assert stand_in is not plain
        assert isinstance(before, stand_in)
        assert not isinstance(datetime.date(2000, 1, 1), stand_in)
        assert issubclass(plain, stand_in)
        assert issubclass(stand_in, datetime.date)
        assert not issubclass(datetime.date, stand_in)
        assert type(stand_in.now()) == stand_in == plain  # noqa: E721
        assert {plain: 1}[stand_in] == 1
        assert stand_in.isoformat(before) == "2000-01-01T00:00:00"
        match before:
            case datetime.datetime(year=2000):
                pass
            case _:
                pytest.fail("a datetime is no datetime")
    assert repr(stand_in) == repr(plain)
    assert freeze(stand_in) == freeze(plain)
    assert abs(stand_in.now() - plain.now()) < datetime.timedelta(days=1)
    assert abs(stand_in.utcnow() - plain.utcnow()) < datetime.timedelta(days=1)


def test_a_class_that_derives_from_datetime_in_a_step() -> None:
    with surrounded(Surroundings(0)):

        class Stamp(datetime.datetime):
            pass

        stamps = [Stamp.now(), Stamp(2001, 9, 9), Stamp.utcnow()]
        assert stamps[0].timestamp() == EPOCH
        assert not isinstance(datetime.datetime.now(), Stamp)
        assert issubclass(Stamp, datetime.datetime)
        assert not issubclass(datetime.datetime, Stamp)
        assert Stamp != datetime.datetime
        assert len({Stamp, datetime.datetime}) == 2
    stamps += [Stamp.now(), Stamp.utcnow()]
    assert {type(each) for each in stamps} == {Stamp}
    assert stamps[-1] > stamps[0] + datetime.timedelta(days=365)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("pickler", [pickle.Pickler, pickle._Pickler])  # type: ignore[attr-defined]
def test_datetimes_are_pickled_as_always(protocol: int, pickler: Any) -> None:
    def pickled(value: Any) -> bytes:
        written = io.BytesIO()
        pickler(written, protocol).dump(value)
        return written.getvalue()

    values = [datetime.datetime(2001, 9, 9, tzinfo=datetime.UTC), datetime.datetime(1, 1, 1)]
    outside = pickled(values)
    with surrounded(Surroundings(0)):
        inside = pickled(values)
        assert pickle.loads(inside) == pickle.loads(outside) == copy.deepcopy(values) == values
        kept, named = datetime.datetime, pickled(datetime.datetime)
    assert inside == outside
    assert pickled(values) == outside
    assert pickle.loads(named) is datetime.datetime
    assert pickle.loads(pickled(kept)) is kept
    assert copy.deepcopy(kept) is kept


def test_a_datetime_that_a_module_imported_by_name() -> None:
    module = ModuleType("theirs")
    exec("from datetime import datetime as dt, date\nimport datetime", vars(module))
    exec("now, append = dt.now, [].append", vars(module))
    before = dict(vars(module))
    with surrounded(Surroundings(0, now=lambda: 7.0), imported_names([module])):
        assert module.dt.now().timestamp() == EPOCH + 7
        assert module.datetime.datetime.now() == module.dt.now() == module.now()
        assert module.date.today() == module.dt.now().date()
    assert vars(module) == before
