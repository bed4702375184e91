//! How long the application is silent while something goes on.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lab::network::LAN;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// How often each address is asked.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long an answer may take. Later ones are none.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many clients ask an address, one after the other. One that waits holds no other up, so a
/// silence is as long as the application's, not as a client's patience.
const CLIENTS: u32 = 10;

/// A question to the application.
#[derive(Clone, Copy)]
struct Ask {
    /// Since all began.
    at: Duration,
    is_answered: bool,
}

/// Tells other threads to end, when it is dropped.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Asks the application while `run` runs, every 100 ms at each of these addresses, like
/// clients of each. Returns the longest time in which no question to any of them got an answer
/// within a second, and prints that of each.
pub(crate) fn longest_silence(addresses: &[&str], run: impl FnOnce()) -> Duration {
    let (is_over, begun) = (AtomicBool::new(false), Instant::now());
    let mut all = Vec::new();
    thread::scope(|scope| {
        let clients: Vec<Vec<_>> = addresses
            .iter()
            .map(|address| {
                let place = SocketAddr::new(address.parse::<IpAddr>().unwrap(), 80);
                let client = |number| {
                    let (is_over, first) = (&is_over, INTERVAL * number);
                    scope.spawn(move || ask(place, begun, first, is_over))
                };
                (0..CLIENTS).map(client).collect()
            })
            .collect();
        // Also when it panics.
        let end = Ended(&is_over);
        run();
        drop(end);
        for (address, clients) in addresses.iter().zip(clients) {
            let own: Vec<Ask> =
                clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
            let longest = longest(own.clone()).1.as_secs_f64();
            println!("{address} was silent for {longest:.1} s at most");
            all.extend(own);
        }
    });
    let (at, longest) = longest(all);
    println!("nobody answered for {:.1} s, from second {}", longest.as_secs_f64(), at.as_secs());
    longest
}

/// Asks one address again and again until it is over.
fn ask(place: SocketAddr, begun: Instant, first: Duration, is_over: &AtomicBool) -> Vec<Ask> {
    let namespace = File::open(format!("/run/netns/{LAN}")).unwrap();
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    let (mut asks, mut next) = (Vec::new(), first);
    loop {
        thread::sleep(next.saturating_sub(begun.elapsed()));
        if is_over.load(Ordering::SeqCst) {
            return asks;
        }
        let at = begun.elapsed();
        asks.push(Ask { at, is_answered: answers(place) });
        next = at + INTERVAL * CLIENTS;
    }
}

/// The longest silence, and when it began: from a question without an answer to the next
/// question with one, or to the last.
fn longest(mut asks: Vec<Ask>) -> (Duration, Duration) {
    asks.sort_by_key(|ask| ask.at);
    let (mut longest, mut silent_since) = ((Duration::ZERO, Duration::ZERO), None);
    for ask in asks {
        let since = *silent_since.get_or_insert(ask.at);
        if ask.at - since > longest.1 {
            longest = (since, ask.at - since);
        }
        if ask.is_answered {
            silent_since = None;
        }
    }
    longest
}

fn answers(place: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&place, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains("node="))
}

#[test]
fn a_silence_lasts_from_a_question_to_the_next_answer() {
    let ask = |at: u64, is_answered| Ask { at: Duration::from_millis(at), is_answered };
    let silence = |asks: &[Ask]| {
        let (since, length) = longest(asks.to_vec());
        (since.as_millis(), length.as_millis())
    };
    assert_eq!(silence(&[ask(0, true), ask(900, true)]), (0, 0));
    // In the order in which clients told.
    let one = [ask(400, true), ask(0, true), ask(200, false), ask(100, false), ask(300, true)];
    assert_eq!(silence(&one), (100, 200));
    assert_eq!(silence(&[ask(0, true), ask(100, false), ask(700, false)]), (100, 600));
    assert_eq!(silence(&[]), (0, 0));
}
