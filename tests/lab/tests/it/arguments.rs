//! What the processes of this machine, and so of all nodes, have as their arguments. Everybody
//! on a node can read them.

use std::collections::HashSet;
use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often they are looked at. A process that is there for less may be missed.
const INTERVAL: Duration = Duration::from_millis(50);

/// Collects the arguments of all processes from now on.
pub(crate) struct Watch {
    end: Sender<()>,
    thread: JoinHandle<HashSet<Vec<u8>>>,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        let (end, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut seen = HashSet::new();
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let processes = fs::read_dir("/proc").unwrap().flatten();
                seen.extend(processes.filter_map(|one| fs::read(one.path().join("cmdline")).ok()));
            }
            seen
        });
        Self { end, thread }
    }

    /// All that were seen, a text for each process.
    pub(crate) fn end(self) -> Vec<String> {
        drop(self.end);
        let seen = self.thread.join().unwrap();
        seen.iter().map(|line| String::from_utf8_lossy(line).replace('\0', " ")).collect()
    }
}
