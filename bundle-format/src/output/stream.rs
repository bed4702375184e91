//! Standard output and standard error, whose reader may have seen enough.

use std::io::{self, ErrorKind, Write};

/// A stream of which it is no error that nobody reads it any more, such as `head`:
/// what a command does and how it ends are the same then.
#[derive(Debug)]
pub struct Quiet<W>(W);

impl<W: Write> Quiet<W> {
    /// The same stream, without that error.
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
