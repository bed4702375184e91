//! Standard output and standard error, whose reader may have seen enough.

use std::io::{self, ErrorKind, Write};

/// A stream of which it is no error that nobody reads it any more, such as `head`:
/// what a command does and how it ends are the same then.
#[derive(Debug)]
pub struct Quiet<W>(W);

/// Standard output.
pub fn standard_output() -> Quiet<io::Stdout> {
    Quiet(io::stdout())
}

/// Standard error.
pub fn standard_error() -> Quiet<io::Stderr> {
    Quiet(io::stderr())
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
