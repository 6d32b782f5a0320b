// A replicated log as a process: a skeleton, to be filled with your own.
//
// One request per line on stdin, one answer per line on stdout, the log on stderr: see
// docs/process-protocol.md. All nodes live in this process, each with a state of its own.
//
// The first node leads. It gives every command the next slot, saves its log, and tells the others.
'use strict'

const hello = {
  protocol: 1,
  name: 'fixed-leader',
  // The state below is JSON already: it is its own fingerprint, and its own snapshot.
  capabilities: ['fingerprint', 'snapshot', 'portable']
  // links: 'ordered',  // If it needs links like TCP's: reliable, first in, first out.
  // crashes: false,    // If it is not made to survive restarts.
}

const states = new Map() // By node: everything that decides how the node goes on, nothing else.

// A node starts: with storage null at first, after a crash with what it persisted last.
function start (node, nodes, storage) {
  states.set(node, { node, nodes, log: storage ?? [] })
  return node === nodes[0] ? [{ type: 'set_timer', timer: 'resend' }] : []
}

// A message arrives. Links may lose, reorder and repeat messages, unless hello says more.
function receive (state, source, message) {
  if (message.type === 'propose') return append(state, message.command)
  return [{ type: 'decide', slot: message.slot, value: message.value }]
}

// A timer fires. It is not armed any more, unless it is set again.
function timeout (state, timer) {
  return [...tell(state), { type: 'set_timer', timer }]
}

// A client hands a command to this node.
function submit (state, command) {
  const leader = state.nodes[0]
  if (state.node === leader) return append(state, command)
  return [{ type: 'send', to: leader, message: { type: 'propose', command } }]
}

// Only the leader does this. The order matters: what others rely on is saved first.
function append (state, command) {
  if (state.log.includes(command)) return []
  state.log.push(command)
  return [
    { type: 'persist', storage: state.log },
    { type: 'decide', slot: state.log.length - 1, value: command },
    ...tell(state)
  ]
}

// Send every entry to every other node.
function tell (state) {
  return state.nodes.filter(other => other !== state.node).flatMap(to =>
    state.log.map((value, slot) => ({ type: 'send', to, message: { type: 'entry', slot, value } })))
}

function step (node, event) {
  const state = states.get(node)
  if (event.type === 'receive') return receive(state, event.source, event.message)
  if (event.type === 'timeout') return timeout(state, event.timer)
  if (event.type === 'submit') return submit(state, event.command)
  throw new Error(`there is no event ${event.type}`)
}

function answer (request) {
  const node = request.node
  switch (request.request) {
    case 'hello':
      return hello
    case 'init': {
      const effects = start(node, request.nodes, request.storage)
      return { effects, fingerprint: states.get(node) }
    }
    case 'step': {
      const effects = step(node, request.event)
      return { effects, fingerprint: states.get(node) }
    }
    case 'snapshot':
      return { snapshot: states.get(node) }
    case 'restore':
      states.set(node, request.snapshot)
      return {}
    case 'forget':
      return {}
  }
  throw new Error(`there is no request ${request.request}`)
}

const given = process.argv.slice(2)
if (given.length > 0) { // A slip would go unnoticed.
  console.error(`unknown arguments: ${given.join(' ')}; there are none`)
  process.exit(1)
}

require('readline').createInterface({ input: process.stdin }).on('line', line => {
  let answered
  try {
    answered = answer(JSON.parse(line))
  } catch (error) {
    answered = { error: String(error) }
  }
  process.stdout.write(JSON.stringify(answered) + '\n')
})
