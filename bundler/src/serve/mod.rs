//! A bundle as a read-only registry, as a repository for dnf and yum, and as files, straight
//! out of its tar: for one evening on a laptop. HTTP is HTTP/1.1 here, `GET` and `HEAD` only,
//! one thread a connection: `httparse` reads the heads, `rustls` has TLS. A library for
//! servers would bring its own runtime for the few lines that are left.

mod answer;
pub mod certificate;
pub mod offer;
mod patience;
mod range;
mod registry;
mod request;
mod seats;
pub mod setup;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bundle_format::text::printable;
use indicatif::HumanBytes;
use rustls::{ServerConnection, StreamOwned};

use answer::Answer;
use certificate::Certificate;
use offer::Offer;
use patience::Patient;
use request::{Request, Unread};
use seats::Seats;

/// How long a client may be silent, or take nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// How long a client may take for one request, and for each of its turns in the handshake.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it waits where nothing can be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves `offer` for ever, by TLS if there is a certificate. `tell` gets a line for each
/// answer.
pub fn run(
    listener: &TcpListener,
    offer: &Offer,
    certificate: Option<&Certificate>,
    tell: &(impl Fn(&str) + Sync),
) {
    let seats = Seats::default();
    thread::scope(|scope| {
        for stream in listener.incoming() {
            let Ok((stream, client)) = stream
                .and_then(|own| Ok((own.peer_addr()?, own)))
                .map(|(client, own)| (own, client.ip().to_canonical()))
            else {
                // The client is gone, or there are no descriptors now.
                thread::sleep(PAUSE);
                continue;
            };
            let Some(seat) = seats.take(client) else {
                tell(&format!("{client} has too many connections"));
                continue;
            };
            let begun = thread::Builder::new().spawn_scoped(scope, move || {
                let _seat = seat;
                let told = welcome(stream, offer, certificate, &|line| {
                    tell(&format!("{client} {line}"));
                });
                if let Err(error) = told {
                    tell(&format!("{client} {}", printable(&error.to_string())));
                }
            });
            if let Err(error) = begun {
                tell(&format!("{client} cannot be served now: {error}"));
            }
        }
    });
}

/// Answers one client until it goes.
fn welcome(
    stream: TcpStream,
    offer: &Offer,
    certificate: Option<&Certificate>,
    tell: &impl Fn(&str),
) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    stream.set_nodelay(true)?;
    let stream = Patient::new(stream, PATIENCE);
    match certificate {
        None => converse(stream, offer, tell),
        Some(certificate) => {
            let tls =
                ServerConnection::new(certificate.config.clone()).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(tls, stream);
            let result = converse(&mut stream, offer, tell);
            stream.conn.send_close_notify();
            // `flush` would wait for a handshake that never comes. Whoever is gone already needs
            // no goodbye.
            drop(stream.conn.write_tls(&mut stream.sock));
            result
        }
    }
}

fn converse(mut stream: impl Read + Write, offer: &Offer, tell: &impl Fn(&str)) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let request = match request::next(&mut stream, &mut buffer) {
            Ok(request) => request,
            Err(Unread::Gone) => return Ok(()),
            Err(Unread::Broken(error)) => return Err(error),
            Err(senseless @ Unread::Senseless(_)) => {
                let refusal = Answer::refusal(400, "UNSUPPORTED", &senseless.to_string());
                refusal.write(&mut stream, &Request::unread(), &offer.bundle)?;
                return Err(io::Error::other(senseless));
            }
        };
        let (status, sent) = offer.answer(&request).write(&mut stream, &request, &offer.bundle)?;
        let (method, path) = (printable(&request.method), printable(&request.path));
        tell(&format!("{status} {method} {path} {}", HumanBytes(sent)));
        if !request.goes_on {
            return Ok(());
        }
    }
}
