//! What is beyond the nodes' network: a gateway that lets nothing through and says so,
//! and a name server that knows no name. So nothing that looks for the rest of the
//! world hangs for long, and all of it is seen on the node.
//!
//! The gateway takes a connection's first packet without an answer. The next, a second
//! later, is refused: meanwhile the socket is there, and so is the process behind it.

use std::io::Write;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::Lab;
use crate::network::{self, LAN, NOBODY};

/// The packet filter of the bridge's namespace, as nft(8) reads it.
const RULES: &str = "\
table ip sealed
delete table ip sealed
table ip sealed {
  set asked {
    typeof ip saddr . tcp sport . ip daddr . tcp dport
    flags dynamic,timeout
    timeout 10s
  }
  chain arriving {
    type filter hook prerouting priority 0; policy accept;
    ip daddr { 192.168.77.0/24, 127.0.0.0/8, 224.0.0.0/3 } accept
    ip saddr . tcp sport . ip daddr . tcp dport @asked reject with icmp type admin-prohibited
    meta l4proto tcp add @asked { ip saddr . tcp sport . ip daddr . tcp dport } drop
    reject with icmp type admin-prohibited
  }
}
";

/// How long the name server takes to answer: meanwhile the socket is there as well.
const PAUSE: Duration = Duration::from_millis(300);

/// The gateway and the name server, for as long as the value lives.
pub(super) struct Seal {
    is_over: Arc<AtomicBool>,
    names: Option<JoinHandle<()>>,
}

impl Seal {
    /// Seals a lab whose nodes' default route leads to [`NOBODY`].
    pub(super) fn close(lab: &Lab) -> anyhow::Result<Self> {
        network::become_nobody()?;
        let mut nft = Command::new("ip");
        nft.args(["netns", "exec", LAN, "nft", "--file", "-"]).stdin(Stdio::piped());
        let mut child = nft.spawn().context("starting nft")?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(RULES.as_bytes()).context("giving nft its rules")?;
        }
        let status = child.wait().context("waiting for nft")?;
        if !status.success() {
            return Err(anyhow!("nft ended with {status}; what it said is above"));
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let names = serve_no_names(Arc::clone(&is_over))?;
        for node in lab.nodes() {
            let line = format!("echo nameserver {NOBODY} >/etc/resolv.conf");
            node.run(["sh", "-c", &line])?;
        }
        Ok(Self { is_over, names: Some(names) })
    }
}

impl Drop for Seal {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // A thread that panicked has already said so.
        let _ = self.names.take().map(JoinHandle::join);
    }
}

/// Starts the name server, in the namespace that has the bridge.
fn serve_no_names(is_over: Arc<AtomicBool>) -> anyhow::Result<JoinHandle<()>> {
    let socket = thread::spawn(socket).join().map_err(|_| anyhow!("a thread ended"))??;
    socket.set_read_timeout(Some(Duration::from_millis(200))).context("setting a timeout")?;
    let socket = Arc::new(socket);
    Ok(thread::spawn(move || {
        let mut buffer = [0; 1500];
        while !is_over.load(Ordering::Relaxed) {
            let Ok((length, asker)) = socket.recv_from(&mut buffer) else { continue };
            let mut question = buffer.get(..length).unwrap_or_default().to_vec();
            let socket = Arc::clone(&socket);
            thread::spawn(move || {
                thread::sleep(PAUSE);
                if let Some(answer) = no_such_name(&mut question) {
                    // Who asked may have gone.
                    let _ = socket.send_to(answer, asker);
                }
            });
        }
    }))
}

/// A socket of that namespace. A namespace is its thread's, so the thread that calls
/// this must do nothing else.
fn socket() -> anyhow::Result<UdpSocket> {
    let namespace = Path::new("/run/netns").join(LAN);
    let namespace = std::fs::File::open(&namespace)
        .with_context(|| format!("opening {}", namespace.display()))?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .context("entering the bridge's namespace")?;
    UdpSocket::bind((NOBODY, 53)).context("listening for DNS questions")
}

/// Makes a question its answer: there is no such name (RFC 1035, 4.1.1). This is what a
/// closed site's own server says, and all resolvers take it at once; musl's would wait
/// for another answer after any other error.
fn no_such_name(question: &mut [u8]) -> Option<&[u8]> {
    let [_, _, flags, code, ..] = question else { return None };
    if *flags & IS_ANSWER != 0 {
        return None;
    }
    *flags |= IS_ANSWER;
    *code = RECURSES | NO_SUCH_NAME;
    Some(question)
}

const IS_ANSWER: u8 = 0x80;
const RECURSES: u8 = 0x80;
const NO_SUCH_NAME: u8 = 3;
