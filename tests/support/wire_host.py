"""Hosts an implementation that is written in Python, as any process does: over lines of JSON.

For twins: the same code is tried directly, and by way of the protocol. Run as a script with the
name of an implementation (a known bug, ``relay`` or ``random``) and words: ``plain``, ``snapshot``,
``portable`` as the tiny server has them; ``seed=N`` for a random one.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

from indelible import Receive, Submit, Timeout
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.impl.multipaxos import ballot, log, messages, replica
from indelible.model.canonical import canonical

sys.path.append(str(Path(__file__).parent.parent))
from support.random_implementation import RandomImplementation
from support.relay import Relay

CLASSES = {
    name: kind
    for module in (ballot, log, messages, replica)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and (is_dataclass(kind) or hasattr(kind, "_fields"))
}


def implementation(name, seed):
    """The implementation of that name."""
    if name == "random":
        return RandomImplementation(seed)
    return Relay() if name == "relay" else KNOWN_BUGS[name].implementation


def encoded(value):
    """A value as JSON-able data, with the names of classes, so that it can be made again."""
    if is_dataclass(value):
        names = [part.name for part in fields(value)]
    elif hasattr(value, "_fields"):
        names = value._fields
    elif isinstance(value, frozenset):
        return {"type": "frozenset", "of": [encoded(part) for part in canonical(value)]}
    elif isinstance(value, tuple):
        return [encoded(part) for part in value]
    else:
        return value
    return {"type": type(value).__name__} | {name: encoded(getattr(value, name)) for name in names}


def decoded(data):
    """What was encoded so."""
    if isinstance(data, list):
        return tuple(decoded(part) for part in data)
    if not isinstance(data, dict):
        return data
    parts = {name: decoded(part) for name, part in data.items() if name != "type"}
    if data["type"] == "frozenset":
        return frozenset(parts["of"])
    return CLASSES[data["type"]](**parts)


def effect_data(effect):
    """An effect as the protocol has it; ballots are arrays, which have an order."""
    kind = re.sub("(?!^)(?=[A-Z])", "_", type(effect).__name__).lower()
    parts = {part.name: getattr(effect, part.name) for part in fields(effect)}
    return {"type": kind} | {
        name: list(part) if isinstance(part, ballot.Ballot) else encoded(part)
        for name, part in parts.items()
    }


def event_of(data):
    """An event of the protocol."""
    match data["type"]:
        case "receive":
            return Receive(data["source"], decoded(data["message"]))
        case "timeout":
            return Timeout(decoded(data["timer"]))
    return Submit(decoded(data["command"]))


def main(name, *words):
    """Answer until there is no more to answer."""
    seeds = [int(word.partition("=")[2]) for word in words if word.startswith("seed=")]
    hosted = implementation(name, *(seeds or [0]))
    capabilities = ["votes", "promises", "leaders"] + ["fingerprint"] * ("plain" not in words)
    capabilities += ["snapshot"] if {"snapshot", "portable"} & set(words) else []
    capabilities += ["portable"] if "portable" in words else []
    states, kept = {}, {}

    def stepped(node, step):
        states[node] = step[0]
        answer = {"effects": [effect_data(effect) for effect in step[1]]}
        return answer | ({} if "plain" in words else {"fingerprint": encoded(step[0])})

    def answered(request):
        node = request.get("node")
        match request["request"]:
            case "hello":
                return {"protocol": 1, "name": name, "capabilities": capabilities}
            case "init":
                nodes, storage = tuple(request["nodes"]), decoded(request["storage"])
                return stepped(node, hosted.start(node, nodes, storage))
            case "step":
                return stepped(node, hosted.handle(node, states[node], event_of(request["event"])))
            case "snapshot" if "portable" in words:
                return {"snapshot": encoded(states[node])}
            case "snapshot":
                kept[len(kept)] = states[node]
                return {"snapshot": len(kept) - 1}
            case "restore" if "portable" in words:
                states[node] = decoded(request["snapshot"])
            case "restore":
                states[node] = kept[request["snapshot"]]
            case "forget":
                kept[request["snapshot"]] = None
        return {}

    for line in sys.stdin:
        try:
            answer = answered(json.loads(line))
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
