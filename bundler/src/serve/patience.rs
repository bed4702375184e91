//! Ends a client that sends one byte now and then, to keep its place for ever. A limit on each
//! read does not see it, and within the TLS handshake nobody but the socket counts the reads.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// A client's socket. What the client says between two answers must be there within a time
/// that begins with its first byte.
pub(super) struct Patient<S> {
    socket: S,
    patience: Duration,
    begun: Option<Instant>,
}

impl<S> Patient<S> {
    pub(super) fn new(socket: S, patience: Duration) -> Self {
        Self { socket, patience, begun: None }
    }
}

impl<S: Read> Read for Patient<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.begun.is_some_and(|begun| begun.elapsed() > self.patience) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the client is too slow"));
        }
        let count = self.socket.read(buffer)?;
        self.begun.get_or_insert_with(Instant::now);
        Ok(count)
    }
}

impl<S: Write> Write for Patient<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.socket.write(bytes)?;
        self.begun = None;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;
    use crate::serve::certificate::Certificate;

    #[test]
    fn a_slow_handshake_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        // A record of the handshake, 16,000 bytes long, of which a byte comes every 20 ms.
        let slow = thread::spawn(move || {
            let head = [0x16, 3, 1, 0x3e, 0x80, 1, 0, 0x3e, 0x7c];
            let bytes = head.into_iter().chain(std::iter::repeat(0));
            let mut sends = |byte| client.write_all(&[byte]).is_ok();
            bytes
                .take_while(|byte| {
                    thread::sleep(Duration::from_millis(20));
                    sends(*byte)
                })
                .count()
        });
        let name = url::Host::parse("127.0.0.1").unwrap();
        let config = Certificate::made_for(&name).unwrap().config;
        let tls = rustls::ServerConnection::new(config).unwrap();
        let socket = Patient::new(server, Duration::from_millis(300));
        let mut stream = rustls::StreamOwned::new(tls, socket);
        let error = stream.read(&mut [0; 10]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
        drop(stream);
        assert!(slow.join().unwrap() < 1000);
    }

    #[test]
    fn an_answer_begins_the_time_anew() {
        let bytes = io::Cursor::new(vec![0; 10]);
        let mut own = Patient::new(bytes, Duration::ZERO);
        assert_eq!(own.read(&mut [0; 2]).unwrap(), 2);
        thread::sleep(Duration::from_millis(1));
        own.read(&mut [0; 2]).unwrap_err();
        own.write_all(b"a").unwrap();
        assert_eq!(own.read(&mut [0; 2]).unwrap(), 2);
    }
}
