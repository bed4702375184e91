//! Standard output and standard error, which somebody may stop reading.

use std::io::{self, ErrorKind, Write};

/// A stream that reports no error if nobody reads it any more. So a command does the
/// same, and ends in the same way, if its output goes to `head`.
#[derive(Debug)]
pub struct Quiet<W>(W);

impl<W: Write> Quiet<W> {
    /// The stream without that error.
    pub fn new(inner: W) -> Self {
        Self(inner)
    }
}

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}
