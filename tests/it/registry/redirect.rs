//! A registry that keeps its blobs at another host, as most large ones do.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Answers each request by `answer`, which is given the head, and hands the
/// heads out; it listens until the test's process ends.
pub(crate) fn serve(
    answer: impl Fn(&str) -> String + Send + 'static,
) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heads) = channel();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let head: Vec<String> =
                lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let head = head.join("\n");
            let answer = answer(&head);
            // Handed out before the answer, so that it is there when the
            // answer is. Whoever asked may have hung up.
            let _ = sender.send(head);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    (address, heads)
}
