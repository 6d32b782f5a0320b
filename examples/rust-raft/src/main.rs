//! Servers of raft.rs under Indelible: requests on stdin, answers on stdout, a line of JSON each
//! (docs/process-protocol.md). A snapshot is the number of a copy that is kept until it is forgotten.

mod json;
mod raft;

use json::Json;
use raft::Server;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufWriter, Write};

struct Host {
    commits_old_terms: bool,
    servers: BTreeMap<usize, Server>,
    copies: HashMap<usize, Server>,
    copies_made: usize,
}

impl Host {
    fn answer(&mut self, line: &str) -> Result<Json, String> {
        let request = Json::parse(line)?;
        let node = request.get("node").number();
        let copy = request.get("snapshot").number();
        match request.get("request").text() {
            "hello" => Ok(object! {
                "protocol" => 1,
                "name" => "rust-raft",
                "capabilities" => vec!["fingerprint", "snapshot", "leaders"],
                // Two servers that are elected twice each: as many elections as figure 8 takes.
                "scope" => object! {
                    "commands" => vec!["a", "b"],
                    "may_submit" => object! { "a" => vec![0], "b" => vec![1] },
                    "may_time_out" => vec![0, 1],
                    "timeouts_max" => 2,
                    "links" => "ordered",
                },
            }),
            "init" => {
                let nodes = request.get("nodes").items().iter().map(Json::number).collect();
                let storage = request.get("storage");
                let server = Server::start(node, nodes, storage, self.commits_old_terms);
                self.servers.insert(node, server);
                self.answered(node)
            }
            "step" => {
                let server = self.servers.get_mut(&node).ok_or("no such node")?;
                let event = request.get("event");
                match event.get("type").text() {
                    "receive" => {
                        server.receive(event.get("source").number(), event.get("message"))?
                    }
                    "timeout" => server.timeout(),
                    "submit" => server.submit(event.get("command")),
                    other => return Err(format!("no such event: {other}")),
                }
                self.answered(node)
            }
            "snapshot" => {
                self.copies_made += 1;
                let server = self.servers.get(&node).ok_or("no such node")?;
                self.copies.insert(self.copies_made, server.clone());
                Ok(object! { "snapshot" => self.copies_made })
            }
            "restore" => {
                let server = self.copies.get(&copy).ok_or("no such snapshot")?;
                self.servers.insert(node, server.clone());
                Ok(object! {})
            }
            "forget" => {
                self.copies.remove(&copy);
                Ok(object! {})
            }
            other => Err(format!("no such request: {other}")),
        }
    }

    fn answered(&mut self, node: usize) -> Result<Json, String> {
        let server = self.servers.get_mut(&node).ok_or("no such node")?;
        let effects = server.take_wanted();
        Ok(object! { "effects" => effects, "fingerprint" => Json::from(&*server) })
    }
}

/// Whether it is to be broken. A slip in an argument ends the process: it would run unbroken.
fn commits_old_terms() -> bool {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    match words[..] {
        [] => false,
        ["--break", "figure-8"] => true,
        ["--break", ..] => refuse("there is one rule to break: figure-8"),
        _ => refuse(&format!("unknown arguments: {}", given.join(" "))),
    }
}

fn refuse(fact: &str) -> ! {
    eprintln!("{fact}\nusage: raft [--break figure-8]");
    std::process::exit(2)
}

fn main() -> io::Result<()> {
    let mut host = Host {
        commits_old_terms: commits_old_terms(),
        servers: BTreeMap::new(),
        copies: HashMap::new(),
        copies_made: 0,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let answer = host.answer(&line?).unwrap_or_else(|says| object! { "error" => says.as_str() });
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
