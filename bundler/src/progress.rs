//! The progress of a build: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bundle_format::text::{printable, stderr};
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};

/// The time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how many bytes of a known total are done. The number never decreases.
pub struct Progress {
    total: u64,
    done: AtomicU64,
    shown: Shown,
}

enum Shown {
    Nothing,
    Bars { all: ProgressBar, bars: MultiProgress, items: Mutex<HashMap<String, ProgressBar>> },
    Lines { what: String, last: Mutex<Instant> },
}

impl Progress {
    /// Starts to show `what`, with a total of `total` bytes.
    pub fn new(what: &str, total: u64, quiet: bool) -> Self {
        let shown = if quiet {
            Shown::Nothing
        } else if is_terminal() {
            let bars = MultiProgress::new();
            let all = bars.add(ProgressBar::new(total));
            let template = "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}";
            all.set_style(
                ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            all.set_prefix(what.to_owned());
            Shown::Bars { all, bars, items: Mutex::default() }
        } else {
            Shown::Lines { what: what.to_owned(), last: Mutex::new(Instant::now()) }
        };
        Self { total, done: AtomicU64::new(0), shown }
    }

    /// Adds `count` bytes of `item`.
    pub fn add(&self, item: &str, count: u64) {
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bars { all, bars, items } => {
                all.set_position(done.min(self.total));
                let mut items = items.lock().unwrap_or_else(PoisonError::into_inner);
                let bar = items.entry(item.to_owned()).or_insert_with(|| {
                    let bar = bars.add(ProgressBar::new_spinner());
                    bar.set_style(
                        ProgressStyle::with_template("  {spinner} {msg} {bytes}")
                            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
                    );
                    bar.set_message(printable(item));
                    bar
                });
                bar.inc(count);
                if items.len() > 8 {
                    for (_, bar) in items.drain() {
                        bar.finish_and_clear();
                    }
                }
            }
            Shown::Lines { what, last } => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    drop(writeln!(
                        stderr(),
                        "{what}: {} of {}",
                        HumanBytes(done.min(self.total)),
                        HumanBytes(self.total)
                    ));
                }
            }
        }
    }

    /// Ends with a line that says what was done.
    pub fn finish(self) {
        let words = |what: &str| format!("{what}: {} done", HumanBytes(self.total));
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bars { all, bars, .. } => {
                let line = words(&all.prefix());
                drop(bars.clear());
                drop(writeln!(stderr(), "{line}"));
            }
            Shown::Lines { what, .. } => drop(writeln!(stderr(), "{}", words(what))),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing is written to it here")]
fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
