// Replicas of paxos.js under Indelible: requests on stdin, answers on stdout, a line of JSON each
// (docs/process-protocol.md). A replica's state is plain JSON, so it is both what tells states apart
// and what takes a replica back to one.
"use strict";

const { createInterface } = require("node:readline");
const { parseArgs } = require("node:util");
const { Replica, RULES } = require("./paxos.js");

const { broken, milliseconds } = options();
const states = {};

const HELLO = {
  protocol: 1,
  name: "javascript-multipaxos",
  capabilities: ["fingerprint", "snapshot", "portable", "votes", "promises", "leaders"],
  scope: {
    commands: ["a", "b"], may_submit: [0], may_time_out: [0, 1], restarts_max: 1, links: "ordered",
  },
};

// --break RULE: do not keep it. --slow MILLISECONDS: what each step takes, as if it had much to do.
function options() {
  try {
    const known = { break: { type: "string" }, slow: { type: "string", default: "0" } };
    const { values } = parseArgs({ options: known });
    if (values.break !== undefined && !RULES.includes(values.break)) {
      throw new Error(`there is no rule '${values.break}' to break: ${RULES.join(", ")}`);
    }
    if (!/^\d+$/.test(values.slow)) throw new Error("--slow takes whole milliseconds");
    return { broken: values.break ?? null, milliseconds: Number(values.slow) };
  } catch (error) {
    console.error(`${error.message}\nusage: server.js [--break ${RULES.join("|")}] [--slow MILLISECONDS]`);
    process.exit(2);
  }
}

function answer(request) {
  const { node } = request;
  switch (request.request) {
    case "hello":
      return HELLO;
    case "init":
      return answered(Replica.start(node, request.nodes, request.storage, broken));
    case "step":
      if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
      return answered(stepped(new Replica(structuredClone(states[node]), broken), request.event));
    case "snapshot":
      return { snapshot: states[node] };
    case "restore":
      states[node] = request.snapshot;
      return {};
    case "forget":
      return {};
    default:
      throw new Error(`no such request: ${request.request}`);
  }
}

function stepped(replica, event) {
  if (event.type === "receive") replica.receive(event.source, event.message);
  else if (event.type === "timeout") replica.timeout(event.timer);
  else if (event.type === "submit") replica.submit(event.command);
  else throw new Error(`no such event: ${event.type}`);
  return replica;
}

function answered(replica) {
  states[replica.state.node] = replica.state;
  return { effects: replica.effects, fingerprint: replica.state };
}

createInterface({ input: process.stdin }).on("line", (line) => {
  let said;
  try {
    said = answer(JSON.parse(line));
  } catch (error) {
    said = { error: String(error.message) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
});
