"""Measure processes: `python benchmarks/processes.py`. A script, not a test.

Prints how many steps a second a process is asked that does hardly anything, in Python and in
JavaScript where Node.js is installed: one at a time, each going on from the one before (a round
trip); and many that were foreseen, from states with snapshots (two requests each), by one and by
two processes. Then the same from one state of the Multi-Paxos in the examples, by one process. The
best of several laps, by a clock on the wall: where others use the machine it may be off by half.

Then a search of millions of states through a process that takes a millisecond for each answer:
since each local step is asked once, that takes seconds. The process hosts our own Multi-Paxos.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from indelible import Submit
from indelible.adapters import ProcessAdapter
from indelible.checkers.explore import explore
from indelible.targets import DEFAULT_SCOPE

PYTHON = """
import json, sys
count = 0
for line in sys.stdin:
    request = json.loads(line)
    kind = request["request"]
    if kind == "hello":
        answer = {"protocol": 1, "capabilities": ["fingerprint", "snapshot", "portable"]}
    elif kind == "restore":
        count, answer = request["snapshot"], {}
    elif kind == "snapshot":
        answer = {"snapshot": count}
    else:
        count = 0 if kind == "init" else count + 1
        answer = {"effects": [{"type": "reply", "command": "a", "result": 1}], "fingerprint": count}
    print(json.dumps(answer), flush=True)
"""

JAVASCRIPT = """
let count = 0;
require("readline").createInterface({input: process.stdin}).on("line", line => {
  const {request, snapshot} = JSON.parse(line);
  let answer;
  if (request === "hello")
    answer = {protocol: 1, capabilities: ["fingerprint", "snapshot", "portable"]};
  else if (request === "restore") { count = snapshot; answer = {}; }
  else if (request === "snapshot") answer = {snapshot: count};
  else {
    count = request === "init" ? 0 : count + 1;
    answer = {effects: [{type: "reply", command: "a", result: 1}], fingerprint: count};
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""

STEPS = 20_000
LAPS = 3
BATCH = 256
ROOT = Path(__file__).resolve().parent.parent
HOST = ROOT / "tests" / "support" / "wire_host.py"
EXAMPLE = ROOT / "examples" / "javascript-multipaxos" / "server.js"


def main() -> None:
    """Print everything."""
    servers = {"Python": (sys.executable, "-I", "-S", "-c", PYTHON)}
    node = shutil.which("node")
    if node is not None:
        servers["Node.js"] = (node, "-e", JAVASCRIPT)
    print(f"{'steps/s':<12}{'one by one':>12}{'foreseen':>12}{'by 2':>12}")
    for name, command in servers.items():
        kinds = (one_by_one, partial(foreseen, workers=1), partial(foreseen, workers=2))
        rates = [max(kind(command) for _ in range(LAPS)) for kind in kinds]
        print(f"{name:<12}" + "".join(f"{rate:>12,.0f}" for rate in rates), flush=True)
    if node is not None:
        example = (node, str(EXAMPLE))
        rates = [max(from_one_state(example, many) for _ in range(LAPS)) for many in (1, BATCH)]
        print(f"{'Multi-Paxos':<12}" + "".join(f"{rate:>12,.0f}" for rate in rates), flush=True)
    for answers in (0.0, 0.001):
        for workers in (1, 2, 4):
            print(search(answers, workers), flush=True)


def one_by_one(command: Sequence[str]) -> float:
    """Steps per second, each of which goes on from the one before."""
    adapter = ProcessAdapter(command, workers=1)
    state, _ = adapter.start(0, (0,), None)
    began = time.perf_counter()
    for _ in range(STEPS):
        state, _ = adapter.handle(0, state, Submit("a"))
    return STEPS / (time.perf_counter() - began)


def foreseen(command: Sequence[str], workers: int) -> float:
    """Steps per second from states with snapshots, as a search asks them."""
    adapter = ProcessAdapter(command, workers=workers)
    state, _ = adapter.start(0, (0,), None)
    states = []
    for _ in range(BATCH):
        state, _ = adapter.handle(0, state, Submit("a"))
        states.append(state)
    questions = [(0, state, Submit("a")) for state in states]
    adapter.foresee(questions)
    began = time.perf_counter()
    for _ in range(STEPS // BATCH):
        adapter.foresee(questions)
        for question in questions:
            adapter.handle(*question)
    return STEPS // BATCH * BATCH / (time.perf_counter() - began)


def from_one_state(command: Sequence[str], many: int) -> float:
    """Steps per second from a state to which the process goes back each time."""
    adapter = ProcessAdapter(command, workers=1)
    state, _ = adapter.start(0, (0, 1, 2), None)
    events = [Submit(f"c{number}") for number in range(STEPS // 4)]
    began = time.perf_counter()
    for first in range(0, len(events), many):
        questions = [(0, state, event) for event in events[first : first + many]]
        if many > 1:
            adapter.foresee(questions)
        for question in questions:
            adapter.handle(*question)
    return len(events) / (time.perf_counter() - began)


def search(seconds: float, workers: int) -> str:
    """How long a search takes whose process takes ``seconds`` for each answer."""
    command = (sys.executable, "-P", str(HOST), "multipaxos", "portable", f"slow={seconds}")
    adapter = ProcessAdapter(command, workers=workers)
    verdict = explore(adapter, DEFAULT_SCOPE)
    return (
        f"{seconds * 1000:g} ms an answer, {workers} processes: {verdict.outcome}, "
        f"{verdict.states_distinct:,} states, {verdict.calls:,} calls, {verdict.seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
