//! Raft (Ongaro and Ousterhout, 2014): one server, without snapshots and changes of membership.
//!
//! A server is told what happens and answers with what it wants done, in order. It does no input or
//! output, and knows nothing of who runs it: see main.rs, where Indelible does. To stay small, a
//! leader always sends all of its log.

use crate::json::Json;
use crate::object;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, PartialEq)]
pub struct Entry {
    pub term: usize,
    pub command: Json,
}

#[derive(Clone)]
pub enum Role {
    Follower,
    Candidate { voters: BTreeSet<usize> },
    /// How much of the leader's log each server is known to have.
    Leader { matching: BTreeMap<usize, usize> },
}

#[derive(Clone)]
pub struct Server {
    me: usize,
    servers: Vec<usize>,
    /// For demonstration: a leader counts servers for entries of earlier terms too (figure 8).
    commits_old_terms: bool,
    // Persistent, as in figure 2 of the paper.
    term: usize,
    voted_for: Option<usize>,
    log: Vec<Entry>,
    // Volatile.
    committed: usize,
    role: Role,
    wanted: Vec<Json>,
}

impl Server {
    /// The first start, or the one after a crash: then `storage` is what was persisted last.
    pub fn start(me: usize, servers: Vec<usize>, storage: &Json, commits_old_terms: bool) -> Server {
        let voted_for = storage.get("voted_for");
        let mut server = Server {
            me,
            servers,
            commits_old_terms,
            term: storage.get("term").number(),
            voted_for: (*voted_for != Json::Null).then(|| voted_for.number()),
            log: entries(storage.get("log")),
            committed: 0,
            role: Role::Follower,
            wanted: Vec::new(),
        };
        server.want(object! { "type" => "set_timer", "timer" => "election" });
        server
    }

    /// What it wants done since this was last asked.
    pub fn take_wanted(&mut self) -> Vec<Json> {
        std::mem::take(&mut self.wanted)
    }

    // --- what happens --------------------------------------------------------------------------

    pub fn submit(&mut self, command: &Json) {
        if let Role::Leader { .. } = self.role {
            self.log.push(Entry { term: self.term, command: command.clone() });
            self.persist();
            self.send_log();
            self.on_appended(self.me, self.log.len());
        }
    }

    pub fn timeout(&mut self) {
        self.want(object! { "type" => "set_timer", "timer" => "election" });
        if let Role::Leader { .. } = self.role {
            return self.send_log();
        }
        self.term += 1;
        self.voted_for = Some(self.me);
        self.role = Role::Candidate { voters: BTreeSet::new() };
        self.persist();
        let (last_term, length) = self.last();
        self.send_others(object! {
            "type" => "request_vote", "term" => self.term, "last_term" => last_term, "length" => length
        });
        self.on_vote(self.me);
    }

    pub fn receive(&mut self, source: usize, message: &Json) -> Result<(), String> {
        let term = message.get("term").number();
        if term > self.term {
            self.term = term;
            self.voted_for = None;
            self.role = Role::Follower;
            self.persist();
        }
        if term < self.term {
            // Out of date. The paper answers with the new term; to stay small, nothing is said here:
            // whoever sent it learns of the term from the next message that has it.
            return Ok(());
        }
        match message.get("type").text() {
            "request_vote" => self.on_request_vote(source, message),
            "vote" => self.on_vote(source),
            "append" => self.on_append(source, message),
            "appended" => self.on_appended(source, message.get("length").number()),
            other => return Err(format!("no such message: {other}")),
        }
        Ok(())
    }

    // --- elections -----------------------------------------------------------------------------

    /// One vote in a term, and only for a log that is at least as good (section 5.4.1).
    fn on_request_vote(&mut self, source: usize, message: &Json) {
        let theirs = (message.get("last_term").number(), message.get("length").number());
        if self.voted_for.is_some_and(|server| server != source) || theirs < self.last() {
            return;
        }
        self.voted_for = Some(source);
        self.persist();
        self.send(source, object! { "type" => "vote", "term" => self.term });
    }

    fn on_vote(&mut self, source: usize) {
        let quorum = self.quorum();
        let Role::Candidate { voters } = &mut self.role else { return };
        voters.insert(source);
        if voters.len() >= quorum {
            self.role = Role::Leader { matching: BTreeMap::from([(self.me, self.log.len())]) };
            self.want(object! { "type" => "lead", "ballot" => self.term });
            self.send_log();
        }
    }

    // --- the log -------------------------------------------------------------------------------

    /// Take over what the leader has; cut off only what contradicts it, since this may be late.
    fn on_append(&mut self, source: usize, message: &Json) {
        self.role = Role::Follower;
        let theirs = entries(message.get("log"));
        for (index, entry) in theirs.iter().enumerate() {
            if self.log.get(index).is_some_and(|own| own.term != entry.term) {
                self.log.truncate(index);
            }
            if index == self.log.len() {
                self.log.push(entry.clone());
            }
        }
        self.persist();
        self.send(source, object! {
            "type" => "appended", "term" => self.term, "length" => theirs.len()
        });
        self.commit(message.get("committed").number().min(theirs.len()));
    }

    fn on_appended(&mut self, source: usize, length: usize) {
        let quorum = self.quorum();
        let Role::Leader { matching } = &mut self.role else { return };
        let known = matching.entry(source).or_insert(0);
        *known = length.max(*known);
        let mut lengths: Vec<usize> = matching.values().copied().collect();
        lengths.sort_unstable_by(|one, other| other.cmp(one));
        let Some(&agreed) = lengths.get(quorum - 1) else { return };
        // Only an entry of its own term is committed by counting (section 5.4.2, figure 8).
        let own = agreed > 0 && self.log[agreed - 1].term == self.term;
        if agreed > self.committed && (own || self.commits_old_terms) {
            self.commit(agreed);
            self.send_log();
        }
    }

    fn commit(&mut self, length: usize) {
        for index in self.committed..length.max(self.committed) {
            let command = self.log[index].command.clone();
            self.want(object! { "type" => "decide", "slot" => index, "value" => command.clone() });
            self.want(object! { "type" => "execute", "index" => index, "command" => command });
        }
        self.committed = length.max(self.committed);
    }

    fn last(&self) -> (usize, usize) {
        (self.log.last().map_or(0, |entry| entry.term), self.log.len())
    }

    fn quorum(&self) -> usize {
        self.servers.len() / 2 + 1
    }

    // --- what it wants done ----------------------------------------------------------------------

    fn persist(&mut self) {
        let storage = object! {
            "term" => self.term, "voted_for" => self.voted_for, "log" => self.log.clone()
        };
        self.want(object! { "type" => "persist", "storage" => storage });
    }

    fn send_log(&mut self) {
        self.send_others(object! {
            "type" => "append", "term" => self.term, "log" => self.log.clone(),
            "committed" => self.committed
        });
    }

    fn send_others(&mut self, message: Json) {
        for server in self.servers.clone() {
            if server != self.me {
                self.send(server, message.clone());
            }
        }
    }

    fn send(&mut self, to: usize, message: Json) {
        self.want(object! { "type" => "send", "to" => to, "message" => message });
    }

    fn want(&mut self, effect: Json) {
        self.wanted.push(effect);
    }
}

/// All that decides how it goes on.
impl From<&Server> for Json {
    fn from(server: &Server) -> Json {
        let role = match &server.role {
            Role::Follower => object! { "type" => "Follower" },
            Role::Candidate { voters } => {
                object! { "type" => "Candidate", "voters" => Vec::from_iter(voters.clone()) }
            }
            Role::Leader { matching } => {
                let pairs = matching.iter().map(|(server, length)| vec![*server, *length]);
                object! { "type" => "Leader", "matching" => Vec::from_iter(pairs) }
            }
        };
        object! {
            "term" => server.term, "voted_for" => server.voted_for, "log" => server.log.clone(),
            "committed" => server.committed, "role" => role
        }
    }
}

impl From<Entry> for Json {
    fn from(entry: Entry) -> Json {
        object! { "term" => entry.term, "command" => entry.command }
    }
}

fn entries(log: &Json) -> Vec<Entry> {
    let entry = |item: &Json| Entry {
        term: item.get("term").number(),
        command: item.get("command").clone(),
    };
    log.items().iter().map(entry).collect()
}
