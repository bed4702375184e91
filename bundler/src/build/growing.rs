//! Reading a file while it is written.

use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc::Receiver;

/// A file that only grows. Reading it ends when its writer has ended.
pub(super) struct Growing {
    file: File,
    /// Says that there is more. It is closed when the file is whole.
    written: Receiver<()>,
    is_whole: bool,
}

impl Growing {
    /// Reads `file` from its beginning. The writer says by `written` that there is more.
    pub(super) fn new(file: File, written: Receiver<()>) -> Self {
        Self { file, written, is_whole: false }
    }
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.file.read(buffer)?;
            if count > 0 || self.is_whole {
                return Ok(count);
            }
            // What was written before the end may not have been read yet.
            self.is_whole = self.written.recv().is_err();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc::channel;
    use std::thread;

    use bundle_format::Digest;

    use super::*;

    #[test]
    fn a_reader_beside_the_writer_gets_every_byte() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let (wrote, written) = channel();
        let mut growing = Growing::new(file.reopen().unwrap(), written);
        let reader = thread::spawn(move || Digest::of_reader(&mut growing).unwrap());
        let mut all = Vec::new();
        for number in 0..300_u32 {
            let piece = vec![number.to_le_bytes()[0]; usize::try_from(number).unwrap() * 50];
            file.write_all(&piece).unwrap();
            all.extend(piece);
            // Not each piece is told; the last ones are not.
            if number.is_multiple_of(3) && number < 290 {
                wrote.send(()).unwrap();
            }
        }
        drop(wrote);
        assert_eq!(reader.join().unwrap(), (Digest::of(&all), all.len() as u64));
    }
}
