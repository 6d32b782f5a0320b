"""A replicated log as a process: a skeleton, to be filled with your own.

One request per line on stdin, one answer per line on stdout, the log on stderr: see
docs/process-protocol.md. All nodes live in this process, each with a state of its own.

The first node leads. It gives every command the next slot, saves its log, and tells the others.
"""

import json
import sys

HELLO = {
    "protocol": 1,
    "name": "fixed-leader",
    # The state below is JSON already: it is its own fingerprint, and its own snapshot.
    "capabilities": ["fingerprint", "snapshot", "portable"],
    # "links": "ordered",  # If it needs links like TCP's: reliable, first in, first out.
    # "crashes": False,    # If it is not made to survive restarts.
}

states = {}  # By node: everything that decides how the node goes on, and nothing else.


def start(node, nodes, storage):
    """A node starts: with storage None at first, after a crash with what it persisted last."""
    states[node] = {"node": node, "nodes": nodes, "log": storage or []}
    return [{"type": "set_timer", "timer": "resend"}] if node == nodes[0] else []


def receive(state, source, message):
    """A message arrives. Links may lose, reorder and repeat messages, unless hello says more."""
    if message["type"] == "propose":
        return append(state, message["command"])
    return [{"type": "decide", "slot": message["slot"], "value": message["value"]}]


def timeout(state, timer):
    """A timer fires. It is not armed any more, unless it is set again."""
    return [*tell(state), {"type": "set_timer", "timer": timer}]


def submit(state, command):
    """A client hands a command to this node."""
    leader = state["nodes"][0]
    if state["node"] == leader:
        return append(state, command)
    return [{"type": "send", "to": leader, "message": {"type": "propose", "command": command}}]


def append(state, command):
    """Only the leader does this. The order matters: what others rely on is saved first."""
    if command in state["log"]:
        return []
    state["log"].append(command)
    slot = len(state["log"]) - 1
    return [
        {"type": "persist", "storage": state["log"]},
        {"type": "decide", "slot": slot, "value": command},
        *tell(state),
    ]


def tell(state):
    """Send every entry to every other node."""
    return [
        {"type": "send", "to": other, "message": {"type": "entry", "slot": slot, "value": value}}
        for other in state["nodes"]
        if other != state["node"]
        for slot, value in enumerate(state["log"])
    ]


def step(node, event):
    state = states[node]
    if event["type"] == "receive":
        return receive(state, event["source"], event["message"])
    if event["type"] == "timeout":
        return timeout(state, event["timer"])
    if event["type"] == "submit":
        return submit(state, event["command"])
    raise ValueError(f"there is no event {event['type']!r}")


def answer(request):
    kind, node = request["request"], request.get("node")
    if kind == "hello":
        return HELLO
    if kind == "init":
        effects = start(node, request["nodes"], request["storage"])
        return {"effects": effects, "fingerprint": states[node]}
    if kind == "step":
        effects = step(node, request["event"])
        return {"effects": effects, "fingerprint": states[node]}
    if kind == "snapshot":
        return {"snapshot": states[node]}
    if kind == "restore":
        states[node] = request["snapshot"]
        return {}
    if kind == "forget":
        return {}
    raise ValueError(f"there is no request {kind!r}")


def main():
    for line in sys.stdin:
        try:
            answered = answer(json.loads(line))
        except Exception as error:
            answered = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answered), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:  # A slip would go unnoticed.
        sys.exit(f"unknown arguments: {' '.join(sys.argv[1:])}; there are none")
    main()
