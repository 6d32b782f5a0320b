"""A process that hosts a tiny replicated log, and does wrong whatever it is told to do wrong.

Node 0 puts each command that it gets into the next slot of its log, saves that, and tells the
others. Run as a script, with nothing but Python's own library, so that it starts at once. Words on
its command line say what it is to be like:

- ``plain`` has no fingerprints; ``snapshot`` has snapshots by number, ``portable`` as JSON;
- ``hello=KIND`` and ``boom=KIND`` do wrong at hello, or when the command "boom" is submitted; the
  kinds are the keys of ``WRONGS``;
- ``slow=SECONDS`` waits before each answer to a step; ``mark=FILE`` is for ``exits once``;
- ``requests=NUMBER`` is how many it survives;
- ``tcp`` is made for little (``MADE_FOR``); ``says=JSON`` has that for a fingerprint, always;
- ``loses`` restores no more than the first entry of a log; ``deaf`` does not read anything.
"""

import json
import os
import signal
import sys
import time

OUT = sys.stdout.buffer


def say(data):
    write(json.dumps(data).encode() + b"\n")


def write(data):
    OUT.write(data)
    OUT.flush()


def wait():
    time.sleep(60)


WRONGS = {
    "exits": lambda _: (print("that is the end", file=sys.stderr), os._exit(3)),
    "killed": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "hangs": lambda _: wait(),
    "half": lambda answer: (write(json.dumps(answer).encode()), wait()),
    "half then exits": lambda _: (write(b'{"effec'), os._exit(0)),
    "closes": lambda _: (os.close(1), wait()),
    "prints": lambda answer: (write(b"a word of debugging\n"), say(answer)),
    "twice": lambda answer: write(2 * (json.dumps(answer).encode() + b"\n")),
    "large": lambda answer: write(b" " * 200_000 + json.dumps(answer).encode() + b"\n"),
    "bytes": lambda _: write(b'{"effects":["\xff"]}\n'),
    "nothing": lambda _: say({}),
    "array": lambda answer: say([answer]),
    "deep": lambda _: write(b"[" * 100_000 + b"\n"),
    "nested": lambda answer: say({**answer, "fingerprint": nested(100)}),
    "nearly": lambda answer: say({**answer, "fingerprint": nested(99)}),
    "digits": lambda _: write(b'{"effects":[],"fingerprint":' + b"9" * 10_000 + b"}\n"),
    "half a character": lambda answer: say({**answer, "fingerprint": ["\ud83d"]}),
    "half a key": lambda answer: say({**answer, "fingerprint": {"\udca9": 1}}),
    "emoji": lambda answer: say({**answer, "fingerprint": "\U0001f4a9"}),
    "empty": lambda _: write(b"\n"),
    "empty line more": lambda answer: write(json.dumps(answer).encode() + b"\n\n"),  # At once.
    "key twice": lambda _: write(b'{"effects":[],"effects":[],"fingerprint":1}\n'),
    "no number": lambda _: write(b'{"effects":[],"fingerprint":NaN}\n'),
    "more": lambda answer: say({**answer, "extra": 1}),
    "raises": lambda _: say({"error": "boom: it was too much"}),
    "effect": lambda answer: say({**answer, "effects": [{"type": "sned", "to": 1}]}),
    "stranger": lambda answer: say(
        {**answer, "effects": [{"type": "send", "to": 9, "message": 1}]}
    ),
    "version": lambda answer: say({**answer, "protocol": 2}),
    "capability": lambda answer: say({**answer, "capabilities": ["flying"]}),
    "only portable": lambda answer: say({**answer, "capabilities": ["portable"]}),
    "links": lambda answer: say({**answer, "links": "carrier pigeons"}),
    "scope": lambda answer: say({**answer, "scope": {"nodes": 0}}),
    "scope field": lambda answer: say({**answer, "scope": {"node": 3}}),
    "random": lambda answer: say({**answer, "fingerprint": os.urandom(8).hex()}),
    "logs": lambda answer: (os.write(2, 300_000 * b"much to tell\n"), say(answer)),
    "exits once": lambda answer: exit_once(answer),
    "deaf": lambda answer: (say(answer), wait()),
    "ends later": lambda answer: (say(answer), os._exit(4)),
}


MADE_FOR = {
    "links": "ordered",
    "crashes": False,
    "scope": {"nodes": 2, "commands": ["x"], "timeouts_max": {"t": 1}, "links": "ordered"},
}


def nested(levels):
    return [nested(levels - 1)] if levels > 1 else []


def exit_once(answer):
    """Dies when this happens for the first time, as a file says."""
    try:
        os.close(os.open(option("mark"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        say(answer)
    else:
        os._exit(3)


def option(name):
    found = [word.partition("=")[2] for word in sys.argv[1:] if word.startswith(name + "=")]
    return found[0] if found else None


def started(node, nodes, storage):
    return {"node": node, "nodes": nodes, "log": storage or []}, []


def stepped(state, event):
    """The next state and the effects."""
    node, others = state["node"], [each for each in state["nodes"] if each != state["node"]]
    log = list(state["log"])
    if event["type"] == "submit" and node != 0:
        return state, [
            {"type": "send", "to": 0, "message": {"type": "Ask", "of": event["command"]}}
        ]
    if event["type"] == "submit":
        command = event["command"]
    elif event["message"]["type"] == "Ask":
        command = event["message"]["of"]
    else:
        told = event["message"]
        if told["slot"] != len(log):
            return state, []
        log.append(told["value"])
        return {**state, "log": log}, [
            {"type": "persist", "storage": log},
            {"type": "decide", "slot": told["slot"], "value": told["value"]},
        ]
    if command in log:
        return state, []
    log.append(command)
    entry = {"slot": len(log) - 1, "value": command}
    return {**state, "log": log}, [
        {"type": "persist", "storage": log},
        {"type": "decide", **entry},
        *({"type": "send", "to": to, "message": {"type": "Decided", **entry}} for to in others),
    ]


class Server:
    def __init__(self):
        self.states, self.snapshots = {}, {}
        self.made = 0
        self.capabilities = [] if "plain" in sys.argv else ["fingerprint"]
        self.capabilities += ["snapshot"] if {"snapshot", "portable"} & set(sys.argv) else []
        self.capabilities += ["portable"] if "portable" in sys.argv else []

    def answer(self, request):
        kind, node = request["request"], request.get("node")
        if kind == "hello":
            made_for = MADE_FOR if "tcp" in sys.argv else {}
            return {"protocol": 1, "name": "tiny", "capabilities": self.capabilities, **made_for}
        if kind == "init":
            return self.became(node, *started(node, request["nodes"], request["storage"]))
        if kind == "step":
            if option("slow"):
                time.sleep(float(option("slow")))
            return self.became(node, *stepped(self.states[node], request["event"]))
        if kind == "snapshot":
            if "portable" in sys.argv:
                return {"snapshot": self.states[node]}
            self.made += 1
            self.snapshots[self.made] = self.states[node]
            return {"snapshot": self.made}
        if kind == "restore":
            given = request["snapshot"]
            if "loses" in sys.argv:
                given = {**given, "log": given["log"][:1]}
            self.states[node] = given if "portable" in sys.argv else self.snapshots[given]
            return {}
        if kind == "forget":
            del self.snapshots[request["snapshot"]]
            return {}
        if kind == "kept":  # Asked by tests.
            return {"kept": len(self.snapshots)}
        raise ValueError(kind)

    def became(self, node, state, effects):
        self.states[node] = state
        answer = {"effects": effects}
        if "fingerprint" in self.capabilities:
            said = option("says")
            answer["fingerprint"] = (
                json.loads(said) if said else {"node": node, "log": state["log"]}
            )
        return answer


def main():
    server = Server()
    for number, line in enumerate(sys.stdin):
        request = json.loads(line)
        if number == int(option("requests") or -1):
            os._exit(5)
        answer = server.answer(request)
        wrong = None
        if request["request"] == "hello":
            wrong = option("hello")
        elif request["request"] == "step" and request["event"].get("command") == "boom":
            wrong = option("boom")
        if wrong:
            WRONGS[wrong](answer)
        else:
            say(answer)


if __name__ == "__main__":
    if "deaf" in sys.argv:
        wait()
    main()
