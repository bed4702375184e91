//! This program itself, and its copy on the node.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use bundle_format::Digest;

use super::Host;
use crate::receipt::StepName;

/// This program's own file, even if its stick was pulled meanwhile.
const OWN: &str = "/proc/self/exe";

impl Host {
    /// Whether a file is this program, byte for byte.
    pub(crate) fn is_running_program(&self, path: impl AsRef<Path>) -> anyhow::Result<bool> {
        let path = self.path(path);
        let looking = || format!("looking at {}", path.display());
        let (own, kept) = (File::open(OWN).context("opening this program")?, File::open(&path));
        let kept = match kept {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            kept => kept.with_context(looking)?,
        };
        let length = |file: &File| file.metadata().map(|file| file.len());
        if length(&own)? != length(&kept).with_context(looking)? {
            return Ok(false);
        }
        are_equal(own, kept).with_context(looking)
    }

    /// Copies this program to a file that everybody may run.
    pub(crate) fn keep_program(&mut self, step: StepName, path: &Path) -> anyhow::Result<()> {
        let bytes = fs::read(OWN).context("reading this program")?;
        self.copy(step, path, Digest::of(&bytes), &mut &bytes[..], 0o755)
    }
}

/// Whether two readers give the same bytes.
fn are_equal(mut one: impl Read, mut other: impl Read) -> io::Result<bool> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    loop {
        a.clear();
        b.clear();
        let read = (&mut one).take(1 << 16).read_to_end(&mut a)?;
        (&mut other).take(1 << 16).read_to_end(&mut b)?;
        if a != b || read == 0 {
            return Ok(a == b);
        }
    }
}
