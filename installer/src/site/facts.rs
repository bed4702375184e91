//! What a node says of itself before it has an installer.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use bundle_format::Architecture;

use super::FOLDER;
use super::connection::{Connection, said};
use super::script;
use crate::failure::Failure;

/// How far a clock may be from ours before it is told.
const FAR: Duration = Duration::from_secs(30);

/// The facts of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its processor.
    pub architecture: Architecture,
    /// What is free below `/var/lib`, in bytes.
    pub room: u64,
    /// Whether it is a worker or a further master of a cluster, by what the installer keeps
    /// of its join.
    pub has_joined: bool,
    /// How far its clock is from this machine's; none if it is near enough.
    pub is_off: Option<Off>,
}

/// How a clock differs from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// It is ahead by so many seconds.
    Ahead(u64),
    /// It is behind by so many seconds.
    Behind(u64),
}

impl Facts {
    /// Asks a node.
    pub fn ask(connection: &Connection<'_>) -> anyhow::Result<Self> {
        let before = SystemTime::now();
        let text = said(connection.ask(script::FACTS, &[FOLDER])?)?;
        let after = SystemTime::now();
        let of = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(' '));
            let found = lines.find(|(name, _)| *name == key).map(|(_, value)| value);
            found.with_context(|| format!("the node did not say its {key}"))
        };
        let architecture = of("arch")?;
        let architecture = Architecture::from_str(architecture).map_err(|_| {
            let cure = "name the other machines with --only";
            Failure::new(format!("no bundle is for its processor, {architecture}"), cure)
        })?;
        // df -P: file system, blocks, used, available (POSIX).
        let room = of("room")?.split_ascii_whitespace().rev().nth(2).unwrap_or_default();
        let room: u64 = room.parse().map_err(|_| anyhow!("`df` did not say what is free"))?;
        let date: u64 = of("date")?.parse().map_err(|_| anyhow!("`date` did not say the time"))?;
        Ok(Self {
            architecture,
            room: room.saturating_mul(1024),
            has_joined: text.lines().any(|line| line == "joined"),
            is_off: off(before, after, UNIX_EPOCH.checked_add(Duration::from_secs(date))),
        })
    }
}

/// The node was asked between two moments.
fn off(before: SystemTime, after: SystemTime, theirs: Option<SystemTime>) -> Option<Off> {
    let theirs = theirs?;
    let far = |gap: Duration| (gap > FAR).then_some(gap.as_secs());
    let ahead = theirs.duration_since(after).ok().and_then(far).map(Off::Ahead);
    ahead.or_else(|| before.duration_since(theirs).ok().and_then(far).map(Off::Behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_only_if_the_asking_does_not_explain_it() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let of = |theirs| off(at(1000), at(1100), Some(at(theirs)));
        assert_eq!([of(990), of(1050), of(1120)], [None; 3]);
        assert_eq!(of(900), Some(Off::Behind(100)));
        assert_eq!(of(5000), Some(Off::Ahead(3900)));
    }
}
