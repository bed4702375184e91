//! How long the application is silent while something goes on.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lab::network::LAN;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long an answer may take. Later ones are none.
const PATIENCE: Duration = Duration::from_secs(1);

/// When the last answer came, and the longest time without one.
struct Answers {
    last: Instant,
    longest: Duration,
}

impl Answers {
    fn since(begun: Instant) -> Self {
        Self { last: begun, longest: Duration::ZERO }
    }

    /// Notes an answer, or the end; returns the time since the last one.
    fn note(&mut self) -> Duration {
        let silence = self.last.elapsed();
        self.longest = self.longest.max(silence);
        self.last = Instant::now();
        silence
    }
}

/// Tells other threads to end, when it is dropped.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Asks the application while `run` runs, every 100 ms at each of these addresses, like
/// clients of each. Returns the longest time without an answer from any of them within a
/// second, and prints that of each.
pub(crate) fn longest_silence(addresses: &[&str], run: impl FnOnce()) -> Duration {
    let (is_over, begun) = (AtomicBool::new(false), Instant::now());
    let all = Mutex::new(Answers::since(begun));
    thread::scope(|scope| {
        let asking: Vec<_> = addresses
            .iter()
            .map(|address| {
                let (is_over, all) = (&is_over, &all);
                scope.spawn(move || ask(address, begun, is_over, all))
            })
            .collect();
        // Also when it panics.
        let end = Ended(&is_over);
        run();
        drop(end);
        for (address, asking) in addresses.iter().zip(asking) {
            let longest = asking.join().unwrap().as_secs_f64();
            println!("{address} was silent for {longest:.1} s at most");
        }
    });
    let mut all = all.into_inner().unwrap();
    all.note();
    all.longest
}

/// Asks one address until it is over; returns its longest silence.
fn ask(address: &str, begun: Instant, is_over: &AtomicBool, all: &Mutex<Answers>) -> Duration {
    let namespace = File::open(format!("/run/netns/{LAN}")).unwrap();
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    let place = SocketAddr::new(address.parse::<IpAddr>().unwrap(), 80);
    let mut own = Answers::since(begun);
    while !is_over.load(Ordering::SeqCst) {
        let next = Instant::now() + INTERVAL;
        if answers(place) {
            own.note();
            let silence = all.lock().unwrap().note();
            if silence > PATIENCE {
                let (silence, end) = (silence.as_secs_f64(), begun.elapsed().as_secs());
                println!("nobody answered for {silence:.1} s, until second {end}");
            }
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    own.note();
    own.longest
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
