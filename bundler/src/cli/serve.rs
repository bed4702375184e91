//! `bundler serve`: a bundle as a registry and as a repository of packages.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify;
use bundle_format::signature::TrustedKeys;
use clap::Args;
use url::Host;

use super::print;
use crate::progress::Progress;
use crate::serve::certificate::Certificate;
use crate::serve::offer::Offer;
use crate::serve::run as serve;
use crate::serve::setup::{self, Place};

/// Serves a bundle's images and packages to nodes, until it is ended
///
/// Read-only: a registry for containerd, a repository for dnf and yum, and files, straight
/// out of the bundle. It verifies the bundle first, and prints the files that nodes need.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// Where to listen: 192.168.1.5:8443
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listen)]
    listen: SocketAddr,
    /// The name or address by which nodes reach this host, if it is not the one in --listen
    #[arg(long, value_name = "HOST", value_parser = host)]
    name: Option<Host>,
    /// The site's own certificate with its chain, in PEM; without it, one is made for this
    /// run
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Serve without TLS
    #[arg(long, conflicts_with = "certificate")]
    plain_http: bool,
    /// Check first that one of the keys in this file has signed the bundle; repeat the
    /// option for more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// Show no progress and no requests
    #[arg(short, long)]
    quiet: bool,
}

/// How many lines about requests may wait to be written.
const LINES: usize = 1000;

/// Reads where to listen. A name may stand for several addresses, and one of them for all of
/// a network that the site did not mean.
fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an address of this host and a port, such as 192.168.1.5:8443 or [::1]:8443; a name \
         goes into --name"
            .to_owned()
    })
}

/// Reads a host's name or address as nodes write it into their files.
fn host(text: &str) -> Result<Host, String> {
    let wrong = || "write a name or an address only, an IPv6 address as [::1]".to_owned();
    let is_of_name = |sign: char| sign.is_ascii_alphanumeric() || ".-".contains(sign);
    let host = Host::parse(text).map_err(|_| wrong())?;
    match &host {
        Host::Domain(name) if !name.chars().all(is_of_name) => Err(wrong()),
        _ => Ok(host),
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let listen = arguments.listen;
    let name = match (&arguments.name, listen.ip()) {
        (Some(name), _) => name.clone(),
        (None, own) if own.is_unspecified() => {
            bail!("by which name or address do nodes reach this host? Say it with --name HOST")
        }
        (None, IpAddr::V4(own)) => Host::Ipv4(own),
        (None, IpAddr::V6(own)) => Host::Ipv6(own),
    };
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let bundle = Bundle::open_trusted(&arguments.bundle, &keys)?.complete()?;
    let certificate = match (&arguments.certificate, &arguments.key) {
        _ if arguments.plain_http => None,
        (Some(chain), Some(key)) => Some(Certificate::read(chain, key)?),
        _ => Some(Certificate::made_for(&name)?),
    };
    let listening = || format!("listening at {listen}");
    let listener = TcpListener::bind(listen).with_context(listening)?;
    let port = listener.local_addr().with_context(listening)?.port();
    let progress = Progress::new("verifying", bundle.length(), arguments.quiet);
    let verification = verify::verify(&bundle, |count| progress.add("", count));
    progress.finish();
    if let Some(report) = verification.report() {
        bail!("{report}");
    }
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let place = Place {
        url: format!("{scheme}://{name}:{port}"),
        certificate: certificate.as_ref().and_then(|own| own.made.clone()),
    };
    let offer = Offer::of(bundle);
    print::data(&setup::files(&offer, &place))?;
    match &certificate {
        Some(own) => print::notice(&format!("certificate  SHA-256 {}", own.fingerprint)),
        None => print::notice(
            "without TLS, whoever is in between can give dnf other keys, and a tag another image",
        ),
    }
    print::notice(&format!("serving {} at {}", arguments.bundle.display(), place.url));
    // A terminal that is stopped must not stop the nodes.
    let (sender, lines) = sync_channel::<String>(LINES);
    thread::spawn(move || lines.iter().for_each(|line| print::notice(&line)));
    serve(&listener, &offer, certificate.as_ref(), &|line| {
        if !arguments.quiet {
            drop(sender.try_send(line.to_owned()));
        }
    });
    Ok(())
}
