//! The bytes of a bundle whose blobs are elsewhere, such as in a registry. Its documents say
//! which blobs it has, and so what the file would be.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use super::{BLOCK, blob_name, header, padding};
use crate::layout::{Layout, OCI_LAYOUT};
use crate::lock::Descriptor;

/// How many streams are kept open that somebody may read on. Checking takes one a core.
const STREAMS: usize = 16;

/// Opens a blob from an offset on, which is smaller than its size.
pub type OpenBlob = dyn Fn(&Descriptor, u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync;

/// A bundle's bytes: headers, which are made here, and blobs, which are opened. Who reads on
/// where somebody stopped goes on in the same stream.
pub(super) struct Far {
    pieces: Vec<Piece>,
    length: u64,
    open: Box<OpenBlob>,
    streams: Mutex<Vec<Stream>>,
}

/// A piece of the file.
struct Piece {
    start: u64,
    bytes: Bytes,
}

enum Bytes {
    Here(Vec<u8>),
    There(Descriptor),
}

/// A stream, and the offset in the file of its next byte.
struct Stream {
    offset: u64,
    body: Box<dyn Read + Send>,
}

impl Far {
    /// The file of a layout. `documents` are the bytes of blobs that were read already.
    pub(super) fn new(
        layout: &Layout,
        documents: &[(Descriptor, Vec<u8>)],
        open: Box<OpenBlob>,
    ) -> io::Result<Self> {
        let mut made = Self { pieces: Vec::new(), length: 0, open, streams: Mutex::default() };
        made.file("oci-layout", OCI_LAYOUT)?;
        made.file("index.json", &layout.index)?;
        for blob in &layout.blobs {
            let name = blob_name(blob.digest);
            match documents.iter().find(|(document, _)| document.digest == blob.digest) {
                Some((_, bytes)) => made.file(&name, bytes)?,
                None => {
                    made.add(header(&name, blob.size)?.as_bytes().to_vec());
                    made.pieces
                        .push(Piece { start: made.length, bytes: Bytes::There(blob.clone()) });
                    made.length += blob.size;
                    made.zeros(padding(blob.size));
                }
            }
        }
        made.zeros(2 * BLOCK);
        Ok(made)
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let size = bytes.len() as u64;
        self.add([header(name, size)?.as_bytes(), bytes].concat());
        self.zeros(padding(size));
        Ok(())
    }

    fn zeros(&mut self, count: u64) {
        self.add(vec![0; usize::try_from(count).unwrap_or(0)]);
    }

    fn add(&mut self, more: Vec<u8>) {
        if more.is_empty() {
            return;
        }
        let (start, count) = (self.length, more.len() as u64);
        match self.pieces.last_mut().map(|piece| &mut piece.bytes) {
            Some(Bytes::Here(bytes)) => bytes.extend(more),
            _ => self.pieces.push(Piece { start, bytes: Bytes::Here(more) }),
        }
        self.length += count;
    }

    /// The size of the file in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Reads some bytes from `offset` on. Gives 0 at the end.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let behind = self.pieces.partition_point(|piece| piece.start <= offset);
        let Some(piece) = behind.checked_sub(1).and_then(|last| self.pieces.get(last)) else {
            return Ok(0);
        };
        let skip = offset - piece.start;
        match &piece.bytes {
            Bytes::Here(bytes) => {
                let from = usize::try_from(skip).unwrap_or(usize::MAX);
                let mut rest = bytes.get(from..).unwrap_or_default();
                rest.read(buffer)
            }
            Bytes::There(blob) => self.read_blob(buffer, blob, offset, skip),
        }
    }

    fn read_blob(
        &self,
        buffer: &mut [u8],
        blob: &Descriptor,
        offset: u64,
        skip: u64,
    ) -> io::Result<usize> {
        let left = blob.size - skip;
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let mut body = match self.taken(offset) {
            Some(stream) => stream.body,
            None => (self.open)(blob, skip)?,
        };
        let count = body.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("it ended {left} bytes too early"),
            ));
        }
        if (count as u64) < left {
            self.keep(Stream { offset: offset + count as u64, body });
        }
        Ok(count)
    }

    fn taken(&self, offset: u64) -> Option<Stream> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let place = streams.iter().position(|stream| stream.offset == offset)?;
        Some(streams.remove(place))
    }

    /// Keeps a stream for who reads on. The one that waits longest is closed for it.
    fn keep(&self, stream: Stream) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.len() >= STREAMS {
            streams.remove(0);
        }
        streams.push(stream);
    }
}

impl fmt::Debug for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Far").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::digest::Digest;

    fn blob(bytes: &[u8]) -> Descriptor {
        let (media_type, digest) = ("a/b".into(), Digest::of(bytes));
        Descriptor { media_type, digest, size: bytes.len() as u64 }
    }

    #[test]
    fn it_is_the_file_that_a_writer_makes_and_opens_each_blob_once() {
        let all = [vec![1; 512], vec![2; 70_000], vec![3; 1], b"document".to_vec()];
        let layout = Layout {
            index: b"{}".to_vec(),
            documents: Vec::new(),
            blobs: all.iter().map(|bytes| blob(bytes)).collect(),
            absent: Vec::new(),
        };
        let of = |wanted: &Descriptor| {
            all.iter().find(|bytes| Digest::of(bytes) == wanted.digest).unwrap().clone()
        };
        let mut written = Vec::new();
        let reader = |wanted: &Descriptor| Ok(io::Cursor::new(of(wanted)));
        super::super::writer::write(&mut written, &layout, reader, |_| {}).unwrap();

        let opened = Arc::new(AtomicUsize::new(0));
        let (counted, kept) = (Arc::clone(&opened), all.clone());
        let open = move |wanted: &Descriptor, from: u64| {
            counted.fetch_add(1, Ordering::Relaxed);
            let own = kept.iter().find(|bytes| Digest::of(bytes) == wanted.digest).unwrap();
            let rest = own[usize::try_from(from).unwrap()..].to_vec();
            Ok(Box::new(io::Cursor::new(rest)) as Box<dyn Read + Send>)
        };
        let documents = [(blob(&all[3]), all[3].clone())];
        let far = Far::new(&layout, &documents, Box::new(open)).unwrap();
        assert_eq!(far.length(), written.len() as u64);
        let (mut read, mut buffer) = (Vec::new(), [0; 1000]);
        loop {
            match far.read_at(&mut buffer, read.len() as u64).unwrap() {
                0 => break,
                count => read.extend_from_slice(&buffer[..count]),
            }
        }
        assert!(read == written, "the bytes differ");
        assert_eq!(opened.load(Ordering::Relaxed), 3, "one stream a blob");
        // Elsewhere, a blob is opened there.
        let middle = written.iter().position(|byte| *byte == 2).unwrap() + 30_000;
        assert_eq!(far.read_at(&mut buffer, middle as u64).unwrap(), 1000);
        assert_eq!((opened.load(Ordering::Relaxed), buffer[0]), (4, 2));
    }
}
