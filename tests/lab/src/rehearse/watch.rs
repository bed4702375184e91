//! What leaves each node for the rest of the world, and which DNS questions are asked
//! on it: by tcpdump(8) in the node's own network, before anybody changes a packet's
//! sender.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, bail};
use ipnet::Ipv4Net;
use rustix::process::{Pid, Signal, kill_process};

use super::packet::{Content, End, Packet};
use super::socket_owner::{self, Owner};
use crate::{Lab, Node, network};

/// Who sent a packet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sender {
    /// Whoever has this address among the pods.
    Address(Ipv4Addr),
    /// A node itself, and whose socket it was, if the socket was still there.
    Node {
        /// The node's name.
        node: String,
        /// Whose socket it was.
        owner: Option<Owner>,
    },
}

/// Where a connection was to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Destination {
    pub(super) address: Ipv4Addr,
    pub(super) port: Option<u16>,
    pub(super) protocol: &'static str,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Connections that left a node for the rest of the world.
    pub(super) connections: BTreeSet<(Sender, Destination)>,
    /// Names that were asked for, each by whom.
    pub(super) asked: BTreeSet<(Sender, String)>,
    /// Names that somebody got a good answer for.
    pub(super) answered: BTreeSet<String>,
    /// Questions without an answer so far: who asked, from which port, by which
    /// number.
    open: HashMap<(End, u16), String>,
}

impl Seen {
    /// How many different things were seen so far.
    pub(super) fn count(&self) -> usize {
        self.connections.len() + self.asked.len()
    }
}

/// Watches a lab's nodes for as long as the value lives.
pub(super) struct Watch {
    seen: Arc<Mutex<Seen>>,
    watchers: Vec<Watcher>,
}

struct Watcher {
    tcpdump: Child,
    lines: JoinHandle<()>,
    words: JoinHandle<String>,
}

impl Watch {
    /// Begins to watch. `inside` are the networks that are not the rest of the world.
    pub(super) fn begin(lab: &Lab, inside: &[Ipv4Net]) -> anyhow::Result<Self> {
        let mut watch = Self { seen: Arc::default(), watchers: Vec::new() };
        for node in lab.nodes() {
            watch.watchers.push(Watcher::start(node, inside, &watch.seen)?);
        }
        Ok(watch)
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        locked(&self.seen)
    }

    /// Ends it, and gives what was seen, and how many packets nobody looked at.
    pub(super) fn end(mut self) -> anyhow::Result<(Seen, u64)> {
        let mut dropped = 0;
        for watcher in std::mem::take(&mut self.watchers) {
            dropped += watcher.end()?;
        }
        Ok((std::mem::take(&mut *self.seen()), dropped))
    }
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    // Each entry is whole, whoever panicked after it.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Watch {
    fn drop(&mut self) {
        for watcher in &mut self.watchers {
            // It may have ended already.
            let _ = watcher.tcpdump.kill();
            let _ = watcher.tcpdump.wait();
        }
    }
}

impl Watcher {
    fn start(node: &Node, inside: &[Ipv4Net], seen: &Arc<Mutex<Seen>>) -> anyhow::Result<Self> {
        let init = node.init().with_context(|| format!("{} is off", node.name))?;
        let nowhere = inside.iter().map(|one| format!("not dst net {one}"));
        let outside = nowhere.collect::<Vec<_>>().join(" and ");
        let mut tcpdump = Command::new("nsenter")
            .arg(format!("--net=/run/netns/{}", network::namespace(&node.name)))
            .args(["tcpdump", "-i", "any", "-n", "-t", "-l", "--immediate-mode"])
            // The kernel keeps as many packets as fit, each with the room of the largest:
            // with the defaults that is eight (tcpdump(8)).
            .args(["--buffer-size", "16384", "--snapshot-length", "2048"])
            .arg(format!("ip and (udp port 53 or ({outside}))"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting tcpdump")?;
        let (Some(out), Some(err)) = (tcpdump.stdout.take(), tcpdump.stderr.take()) else {
            bail!("tcpdump has no output");
        };
        let mut err = BufReader::new(err);
        let mut said = String::new();
        while !said.contains("listening on") {
            if err.read_line(&mut said).context("reading from tcpdump")? == 0 {
                bail!("tcpdump did not start: {}", said.trim());
            }
        }
        let words = thread::spawn(move || {
            let mut words = String::new();
            // What it says at its end; without it, nobody knows what was dropped.
            let _ = err.read_to_string(&mut words);
            words
        });
        let (name, address, seen) = (node.name.clone(), node.address, Arc::clone(seen));
        let inside = inside.to_owned();
        let lines = thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let Some(packet) = Packet::of(&line) else { continue };
                let sender = || match packet.from.address == address {
                    true => Sender::Node { node: name.clone(), owner: owner(init, &packet) },
                    false => Sender::Address(packet.from.address),
                };
                let is_outside = !inside.iter().any(|one| one.contains(&packet.to.address));
                note(&seen, &packet, is_outside, sender);
            }
        });
        Ok(Self { tcpdump, lines, words })
    }

    /// Ends it, and gives how many packets it did not see.
    fn end(mut self) -> anyhow::Result<u64> {
        let pid = i32::try_from(self.tcpdump.id()).ok().and_then(Pid::from_raw);
        let pid = pid.context("tcpdump has no number")?;
        kill_process(pid, Signal::INT).context("ending tcpdump")?;
        self.tcpdump.wait().context("waiting for tcpdump")?;
        // A thread that panicked has already said so.
        let _ = self.lines.join();
        let words = self.words.join().unwrap_or_default();
        dropped(&words).with_context(|| format!("tcpdump ended with {}", words.trim()))
    }
}

/// The line `12 packets dropped by kernel`.
fn dropped(words: &str) -> Option<u64> {
    let line = words.lines().find_map(|line| {
        line.split_once(" packet")?.1.contains("dropped by kernel").then_some(line)
    });
    line?.split(' ').next()?.parse().ok()
}

fn owner(init: Pid, packet: &Packet) -> Option<Owner> {
    let protocol = match packet.content {
        Content::Question { .. } => "udp",
        Content::Answer { .. } => return None,
        Content::Other(protocol) => protocol,
    };
    socket_owner::of(init, protocol, packet.from.port?)
}

/// Notes a packet. `sender` finds out who sent it, which takes a moment.
fn note(seen: &Mutex<Seen>, packet: &Packet, is_outside: bool, sender: impl Fn() -> Sender) {
    let protocol = match &packet.content {
        Content::Answer { id, is_good } => {
            let mut seen = locked(seen);
            let name = seen.open.remove(&(packet.to, *id));
            if let (Some(name), true) = (name, *is_good) {
                seen.answered.insert(name);
            }
            return;
        }
        Content::Question { .. } => "udp",
        Content::Other(protocol) => protocol,
    };
    let sender = sender();
    let mut seen = locked(seen);
    if let Content::Question { id, name } = &packet.content {
        seen.open.insert((packet.from, *id), name.clone());
        seen.asked.insert((sender.clone(), name.clone()));
    }
    if is_outside {
        let End { address, port } = packet.to;
        seen.connections.insert((sender, Destination { address, port, protocol }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note_line(seen: &Mutex<Seen>, line: &str) {
        let packet = Packet::of(line).unwrap();
        let is_outside = !packet.to.address.is_private();
        note(seen, &packet, is_outside, || Sender::Address(packet.from.address));
    }

    #[test]
    fn a_name_counts_as_answered_after_one_good_answer() {
        let seen = Mutex::default();
        for (id, name, answer) in [
            (1, "web.default", "NXDomain* 0/1/0"),
            (2, "web.default", "1/0/0 A 10.96.0.1"),
            (3, "example.com", "NXDomain 0/0/0"),
        ] {
            note_line(
                &seen,
                &format!("c  In  IP 10.244.0.5.99 > 10.96.0.10.53: {id}+ A? {name}. (1)"),
            );
            note_line(
                &seen,
                &format!("c  Out IP 10.96.0.10.53 > 10.244.0.5.99: {id} {answer} (1)"),
            );
        }
        let seen = locked(&seen);
        assert_eq!(seen.answered, ["web.default".to_owned()].into());
        assert_eq!(seen.asked.len(), 2);
        assert!(seen.open.is_empty());
    }

    #[test]
    fn a_retry_is_not_another_connection() {
        let seen = Mutex::default();
        for port in [4000, 4000, 4001] {
            note_line(
                &seen,
                &format!("c  In  IP 10.244.0.5.{port} > 192.0.2.1.443: Flags [S], seq 1"),
            );
        }
        assert_eq!(locked(&seen).connections.len(), 1);
    }

    #[test]
    fn tcpdump_says_what_it_did_not_see() {
        let words =
            "4 packets captured\n4 packets received by filter\n12 packets dropped by kernel\n";
        assert_eq!(dropped(words), Some(12));
        assert_eq!(dropped("1 packet dropped by kernel"), Some(1));
        assert_eq!(dropped("killed"), None);
    }
}
