//! Whether another machine of the node's network has an address.

use std::net::{Ipv4Addr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::exec::Command;
use crate::host::Host;

/// How long the kernel may take: it believes an older answer for 5 s, and then asks
/// three times, a second each (arp(7)).
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
/// The port that discards what it gets (RFC 863).
const DISCARD: u16 = 9;

/// Whether another machine answers for an address. Firewalls do not hide it, because
/// they let ARP through. The kernel does not ask if this node has the address itself:
/// then the answer is no.
pub(crate) fn has(host: &Host, address: Ipv4Addr) -> anyhow::Result<bool> {
    if host.is_this_system() {
        // Before the kernel sends a packet, it asks which machine has the address.
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0));
        drop(socket.and_then(|socket| socket.send_to(&[], (address, DISCARD))));
    }
    let question = Command::of("ip -4 neigh show to").with(address.to_string());
    let begun = Instant::now();
    loop {
        let said = host.answer(&question)?;
        // A folder may have no such program.
        if said.status == Some(127) && !host.is_this_system() {
            return Ok(false);
        }
        if !said.succeeded() {
            bail!("`{question}` {}", said.end());
        }
        let has_answered = said.stdout.contains(" lladdr ");
        let state = said.stdout.split_ascii_whitespace().last().unwrap_or_default();
        let is_asking = ["INCOMPLETE", "STALE", "DELAY", "PROBE"].contains(&state);
        if !is_asking || begun.elapsed() > PATIENCE {
            return Ok(has_answered);
        }
        sleep(PAUSE);
    }
}

/// Whether another machine answers for an address that this node has as well. The program
/// is `arping` of iputils: its option `-D` looks for a second owner.
pub(crate) fn doubles(host: &Host, address: Ipv4Addr, interface: &str) -> anyhow::Result<bool> {
    let question =
        Command::of("arping -D -q -c 2 -w 2 -I").with(interface).with(address.to_string());
    let said = host.answer(&question)?;
    match said.status {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        Some(127) => {
            bail!("whether another machine has {address} too: `arping` of iputils is not here")
        }
        _ => bail!("`{question}` {}", said.end()),
    }
}
