"""The skeleton of a process, with one thing wrong in it: that which its command line names.

Run as a script: ``misbehaving_server.py SKELETON [MISDEED]``. A misdeed replaces one part of the
skeleton, and leaves all else as it is.
"""

import copy
import importlib.util
import json
import os
import sys
import time

SKELETON = sys.argv[1]

_spec = importlib.util.spec_from_file_location("skeleton", SKELETON)
skeleton = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(skeleton)

answer, start, step = skeleton.answer, skeleton.start, skeleton.step
kept = {}


def after(change):
    """``answer``, and then ``change(request, answered)``."""

    def answer_and_change(request):
        answered = copy.deepcopy(answer(request))
        changed = change(request, answered)
        return answered if changed is None else changed

    skeleton.answer = answer_and_change


def hello_says(**said):
    skeleton.HELLO.update(said)


def on_step(change):
    after(lambda request, answered: change(answered) if request["request"] == "step" else None)


def fixed_answer(kind, wrong):
    after(lambda request, _: wrong if request["request"] == kind else None)


def prints_first():
    print("listening", flush=True)


def prints_on_step():
    on_step(lambda _: print("a word of debugging", flush=True))


def dies_on_step():
    on_step(lambda _: os._exit(3))


def hangs_on_step():
    on_step(lambda _: time.sleep(60))


def raises_on_submit():
    skeleton.submit = lambda _, command: {}[command]


def misspelt_effect():
    on_step(lambda answered: answered["effects"].append({"type": "sned", "to": 1}))


def sends_to_a_stranger():
    on_step(lambda answered: answered["effects"].append({"type": "send", "to": 9, "message": 1}))


def sends_nothing():
    def silent(answered):
        answered["effects"] = [each for each in answered["effects"] if each["type"] != "send"]

    on_step(silent)


def no_timers():
    skeleton.start = lambda *said: (start(*said), [])[1]


def takes_no_commands():
    hello_says(scope={"commands": []})


def reads_one_line_at_a_time():
    def main():
        while data := os.read(0, 1 << 20):
            print(json.dumps(skeleton.answer(json.loads(data.split(b"\n")[0]))), flush=True)

    skeleton.main = main


def draws_lots():
    on_step(lambda answered: answered["fingerprint"].update(lot=os.urandom(8).hex()))


def shared_counter():
    def count(request, answered):
        if request["request"] == "init" and request["node"] == request["nodes"][0]:
            kept["steps"] = 0
        if request["request"] == "step":
            kept["steps"] += 1
            answered["fingerprint"]["steps"] = kept["steps"]

    after(count)


def remembers_its_log():
    def remembering(node, nodes, storage):
        log = skeleton.states.get(node, {}).get("log")
        return start(node, nodes, storage or log)

    skeleton.start = remembering


def remembers_over_a_restart():
    def counting(node, event):
        skeleton.states[node]["events"] = skeleton.states[node].get("events", 0) + 1
        return step(node, event)

    def remembering(node, nodes, storage):
        events = skeleton.states.get(node, {}).get("events", 0) if storage else 0
        effects = start(node, nodes, storage)
        skeleton.states[node]["events"] = events
        return effects

    skeleton.step, skeleton.start = counting, remembering


def half_a_fingerprint():
    def leave_out(request, answered):
        if "fingerprint" in answered:
            answered["fingerprint"] = {"node": request["node"]}

    after(leave_out)


def never_the_same():
    def count(request, answered):
        if request["request"] == "init":
            kept[request["node"]] = 0
        if "fingerprint" in answered:
            kept[request["node"]] += 1
            answered["fingerprint"]["events"] = kept[request["node"]]

    hello_says(capabilities=["fingerprint"])
    after(count)


def votes_undeclared():
    vote = {"type": "vote", "slot": 0, "ballot": 1, "value": "a"}
    on_step(lambda answered: answered["effects"].append(vote))


def declares_votes():
    hello_says(capabilities=["fingerprint", "votes"])


def no_fingerprint():
    hello_says(capabilities=["snapshot"])


def _by_number(restored):
    """Snapshots are numbers of what ``kept`` has; ``restored`` makes a state of that."""

    def numbered(request):
        kind, node = request["request"], request.get("node")
        if kind == "snapshot":
            number = kept["last"] = kept.get("last", 0) + 1
            kept[number] = restored(skeleton.states[node])
            return {"snapshot": number}
        if kind == "restore":
            skeleton.states[node] = restored(kept[request["snapshot"]])
            return {}
        if kind == "forget":
            del kept[request["snapshot"]]
            return {}
        return answer(request)

    skeleton.answer = numbered


def snapshots_by_number():
    """Nothing is wrong with this one."""
    hello_says(capabilities=["fingerprint", "snapshot"])
    _by_number(copy.deepcopy)


def snapshots_are_no_copies():
    hello_says(capabilities=["fingerprint", "snapshot"])
    _by_number(lambda state: state)


def restores_nothing():
    fixed_answer("snapshot", {"snapshot": 1})
    ask = skeleton.answer
    skeleton.answer = lambda request: {} if request["request"] == "restore" else ask(request)


def numbers_are_not_portable():
    _by_number(copy.deepcopy)


def forgets_everything():
    snapshots_by_number()
    numbered = skeleton.answer
    skeleton.answer = lambda request: (
        (kept.clear(), {})[1] if request["request"] == "forget" else numbered(request)
    )


def forgets_with_a_word():
    hello_says(capabilities=["fingerprint", "snapshot"])
    fixed_answer("forget", {"forgotten": True})


def knows_no_forget():
    """Nothing is wrong with this one: its snapshots are portable."""
    fixed_answer("forget", {"error": "no such request"})


def takes_any_request():
    known = ("hello", "init", "step", "snapshot", "restore", "forget")
    skeleton.answer = lambda request: answer(request) if request["request"] in known else {}


def takes_any_event():
    known = ("receive", "timeout", "submit")
    skeleton.step = lambda node, event: step(node, event) if event["type"] in known else []


def counts_unknown_events():
    def counting(node, event):
        skeleton.states[node]["log"].append(event["type"]) if event["type"] == "no such" else None
        return step(node, event)

    skeleton.step = counting


def short_buffer():
    after(lambda request, _: os._exit(1) if len(json.dumps(request)) > 1 << 16 else None)


def goes_on_for_ever():
    main = skeleton.main
    skeleton.main = lambda: (main(), time.sleep(60))


def says_goodbye():
    main = skeleton.main
    skeleton.main = lambda: (main(), print("goodbye"))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        name, _, given = sys.argv[2].partition("=")
        if given:
            hello_says(**{name: json.loads(given)})
        else:
            globals()[name]()
    skeleton.main()
