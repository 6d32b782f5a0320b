// Multi-Paxos: one replica of a log. Phase 1 once for all slots, Phase 2 once per entry.
//
// A replica is told what happens (start, receive, timeout, submit) and answers with a list of what it
// wants done, in order. It does no input or output, and all it knows is in `state`, which is plain
// JSON. Nothing here knows who runs it: see server.js, where Indelible does.
"use strict";

// A ballot is [round, node].
const NO_BALLOT = [0, 0];
const above = (one, other) => one[0] > other[0] || (one[0] === other[0] && one[1] > other[1]);
const same = (one, other) => one[0] === other[0] && one[1] === other[1];

const ELECTION = "election";
const FOLLOWER = { role: "follower" };

// For demonstration: the rules that a replica can be told not to keep.
const RULES = ["promises", "highest", "no-ops"];

class Replica {
  // `broken` is the rule that this replica does not keep.
  constructor(state, broken = null) {
    this.state = state;
    this.broken = broken;
    this.effects = [];
  }

  // The first start, or the one after a crash: then `storage` is what was persisted last.
  static start(node, nodes, storage, broken) {
    const { promised, votes } = storage ?? { promised: NO_BALLOT, votes: {} };
    const state = {
      node, nodes, promised, votes, // votes: { slot: { ballot, value } }
      log: {}, applied: 0, executed: [], waiting: [], leading: FOLLOWER,
    };
    const replica = new Replica(state, broken);
    replica.want("set_timer", { timer: ELECTION });
    return replica;
  }

  // --- what happens ----------------------------------------------------------------------------

  submit(command) {
    if (this.state.leading.role === "leader") this.propose(this.nextSlot(), command);
    else this.state.waiting.push(command);
  }

  timeout(timer) {
    if (timer !== ELECTION) return;
    this.want("set_timer", { timer: ELECTION });
    const { node, promised, leading } = this.state;
    if (leading.role === "leader") return;
    const ballot = [promised[0] + 1, node];
    this.state.leading = { role: "candidate", ballot, promises: {} };
    this.promise(ballot);
    this.toOthers({ type: "prepare", ballot });
    this.onPromise(node, { ballot, votes: this.state.votes, log: this.state.log });
  }

  receive(source, message) {
    const { type } = message;
    if (type === "prepare") this.onPrepare(source, message);
    else if (type === "promise") this.onPromise(source, message);
    else if (type === "accept") this.onAccept(source, message);
    else if (type === "accepted") this.onAccepted(source, message);
    else if (type === "decided") this.learn(message.slot, message.value);
    else throw new Error(`no such message: ${type}`);
  }

  // --- acceptor --------------------------------------------------------------------------------

  // Phase 1b: vote in no lower ballot any more, and say what was voted for so far.
  onPrepare(source, { ballot }) {
    if (!above(ballot, this.state.promised)) return;
    this.promise(ballot);
    const { votes, log } = this.state;
    this.send(source, { type: "promise", ballot, votes, log });
  }

  // Phase 2b: vote, unless a higher ballot has been promised.
  onAccept(source, { ballot, slot, value }) {
    if (above(this.state.promised, ballot) && this.broken !== "promises") return;
    this.vote(ballot, slot, value);
    this.send(source, { type: "accepted", ballot, slot });
  }

  promise(ballot) {
    if (this.state.leading.ballot && above(ballot, this.state.leading.ballot)) {
      this.state.leading = FOLLOWER;
    }
    this.state.promised = ballot;
    this.persist();
    this.want("promise", { ballot });
  }

  vote(ballot, slot, value) {
    if (above(ballot, this.state.promised)) this.promise(ballot);
    this.state.votes[slot] = { ballot, value };
    this.persist();
    this.want("vote", { slot, ballot, value });
  }

  // --- proposer --------------------------------------------------------------------------------

  // Once a quorum has promised, lead: first propose again whatever may have been chosen.
  onPromise(source, { ballot, votes, log }) {
    const { leading, waiting } = this.state;
    if (leading.role !== "candidate" || !same(ballot, leading.ballot)) return;
    leading.promises[source] = structuredClone(votes);
    for (const [slot, value] of Object.entries(log)) this.learn(Number(slot), value);
    if (!this.isQuorum(Object.keys(leading.promises).length)) return;
    this.want("lead", { ballot });
    const open = this.openProposals(Object.values(leading.promises));
    this.state.leading = { role: "leader", ballot, acks: {} };
    for (const [slot, value] of open) this.propose(slot, value);
    this.state.waiting = [];
    for (const command of waiting) this.propose(this.nextSlot(), command);
  }

  // For each slot that is not decided, up to the last one voted in: the value of the highest vote
  // that was reported (it may be chosen), or a no-op where there is none.
  openProposals(reports) {
    const highest = {};
    for (const votes of reports) {
      for (const [slot, vote] of Object.entries(votes)) {
        const first = !highest[slot];
        if (first || (above(vote.ballot, highest[slot].ballot) && this.broken !== "highest")) {
          highest[slot] = vote;
        }
      }
    }
    // Wrong: what was voted for moves up, to where nobody has voted.
    if (this.broken === "no-ops") return Object.values(highest).map(({ value }, slot) => [slot, value]);
    const end = Math.max(-1, ...Object.keys(highest).map(Number)) + 1;
    const slots = [...Array(end).keys()].filter((slot) => !(slot in this.state.log));
    return slots.map((slot) => [slot, highest[slot]?.value ?? null]);
  }

  propose(slot, value) {
    const { node, leading } = this.state;
    leading.acks[slot] = [];
    this.vote(leading.ballot, slot, value);
    this.toOthers({ type: "accept", ballot: leading.ballot, slot, value });
    this.onAccepted(node, { ballot: leading.ballot, slot });
  }

  onAccepted(source, { ballot, slot }) {
    const { leading, votes, log } = this.state;
    if (leading.role !== "leader" || !same(ballot, leading.ballot) || slot in log) return;
    const voters = leading.acks[slot];
    if (!voters.includes(source)) voters.push(source);
    voters.sort();
    if (!this.isQuorum(voters.length)) return;
    const { value } = votes[slot];
    this.toOthers({ type: "decided", slot, value });
    this.learn(slot, value);
  }

  nextSlot() {
    const { leading, log } = this.state;
    return Math.max(-1, ...Object.keys(leading.acks).map(Number), ...Object.keys(log).map(Number)) + 1;
  }

  // --- learner ---------------------------------------------------------------------------------

  // A decided entry. Entries are executed in the order of the log, each command once.
  learn(slot, value) {
    const { log, executed } = this.state;
    if (slot in log) return;
    log[slot] = value;
    this.want("decide", { slot, value });
    while (this.state.applied in log) {
      const command = log[this.state.applied++];
      if (command === null || executed.includes(command)) continue;
      this.want("execute", { index: executed.length, command });
      executed.push(command);
    }
  }

  // --- what it wants done ------------------------------------------------------------------------

  isQuorum(count) {
    return count > this.state.nodes.length / 2;
  }

  persist() {
    const { promised, votes } = this.state;
    this.want("persist", { storage: { promised, votes } });
  }

  send(to, message) {
    this.want("send", { to, message });
  }

  toOthers(message) {
    for (const to of this.state.nodes) if (to !== this.state.node) this.send(to, message);
  }

  // What is wanted is what it was at this moment, whatever changes afterwards.
  want(type, details) {
    this.effects.push(structuredClone({ type, ...details }));
  }
}

module.exports = { Replica, RULES };
