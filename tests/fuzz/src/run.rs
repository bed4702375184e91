//! Runs a target on broken inputs.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::grammar::Grammar;
use crate::mutate::mutated;

/// A parser: bytes in, and in words what came of them. It panics if something is
/// wrong with the parser.
pub type Target = fn(&[u8]) -> String;

/// The longest that one input may take, in a build that is not optimised and on a
/// machine that does other things.
pub const LIMIT: Duration = Duration::from_secs(10);
/// The most inputs that are kept.
const POOL: usize = 4000;
/// The most characters of an outcome that tell it from others.
const OUTCOME: usize = 120;

/// An input that a parser cannot take.
#[derive(Debug)]
pub struct Crash {
    /// The input.
    pub input: Vec<u8>,
    /// What happened.
    pub reason: String,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.input.escape_ascii().take(2000).map(char::from).collect();
        write!(f, "{}\ninput: b\"{shown}\"", self.reason)
    }
}

/// A target with the inputs that are worth changing. The same seeds give the same run.
pub struct Run {
    target: Target,
    grammar: Option<Grammar>,
    pool: Vec<Vec<u8>>,
    seen: HashSet<String>,
    rng: Rng,
    tried: u64,
}

impl Run {
    /// Begins with these numbers and no inputs.
    pub fn new(target: Target, grammar: Option<Grammar>, numbers: u64) -> Self {
        let rng = Rng::with_seed(numbers);
        Self { target, grammar, pool: Vec::new(), seen: HashSet::new(), rng, tried: 0 }
    }

    /// Tries an input as it is, and keeps it.
    pub fn seed(&mut self, input: &[u8]) -> Result<String, Crash> {
        let outcome = self.try_one(input)?;
        self.pool.push(input.to_vec());
        Ok(outcome)
    }

    /// A new input: by the grammar if there is one, or made of those that are kept. There is
    /// a seed.
    pub fn broken(&mut self) -> Vec<u8> {
        match self.grammar {
            Some(grammar) => grammar(&mut self.rng),
            None => mutated(&self.pool, &mut self.rng),
        }
    }

    /// Tries an input, and keeps it if its outcome is new.
    pub fn take(&mut self, input: Vec<u8>) -> Result<(), Crash> {
        let outcome = self.try_one(&input)?;
        if self.pool.len() < POOL && self.seen.insert(kind(&outcome)) {
            self.pool.push(input);
        }
        Ok(())
    }

    /// How many inputs were tried.
    pub fn tried(&self) -> u64 {
        self.tried
    }

    /// How many different outcomes there were.
    pub fn outcomes(&self) -> usize {
        self.seen.len()
    }

    fn try_one(&mut self, input: &[u8]) -> Result<String, Crash> {
        self.tried += 1;
        let begun = Instant::now();
        let target = self.target;
        let crash = |reason| Crash { input: input.to_vec(), reason };
        let outcome = catch_unwind(|| target(input)).map_err(|panic| crash(said(&*panic)))?;
        match begun.elapsed() {
            taken if taken > LIMIT => Err(crash(format!("it took {:.1} s", taken.as_secs_f32()))),
            _ => Ok(outcome),
        }
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("it panicked: {}", text.unwrap_or_default())
}

/// An outcome without what it says of this input only: quoted words, numbers and
/// digests. Of two inputs with the same kind, one is enough.
fn kind(outcome: &str) -> String {
    let plain = outcome.split('`').step_by(2).flat_map(str::chars);
    plain.filter(|letter| !letter.is_ascii_hexdigit()).take(OUTCOME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_panics_is_given() {
        let picky = |bytes: &[u8]| {
            assert!(!bytes.contains(&b'x'), "there is an x");
            "read".to_owned()
        };
        let mut run = Run::new(picky, None, 1);
        assert_eq!(run.seed(b"abc").unwrap(), "read");
        let crash = run.take(b"abx".to_vec()).unwrap_err();
        assert_eq!(
            (&crash.input[..], crash.reason.as_str()),
            (&b"abx"[..], "it panicked: there is an x")
        );
    }

    #[test]
    fn outcomes_of_the_same_kind_are_told_once() {
        assert_eq!(kind("line 3: `a` is unknown"), kind("line 14: `bc` is unknown"));
        assert_ne!(kind("line 3: `a` is unknown"), kind("line 3: `a` is missing"));
    }

    #[test]
    fn the_same_numbers_give_the_same_inputs() {
        let inputs = || {
            let mut run = Run::new(|bytes| bytes.len().to_string(), None, 7);
            run.seed(b"name: value\n").unwrap();
            (0..50).map(|_| run.broken()).collect::<Vec<_>>()
        };
        assert_eq!(inputs(), inputs());
    }
}
