//! What an error of the HTTP library means: whether another attempt may succeed, and
//! when.

use std::error::Error;
use std::io;

use url::Url;

use super::error::{FetchError, with_causes};

/// The error for a request without an answer. `url` is in the form in which it may be
/// shown.
pub(super) fn of_request(error: reqwest::Error, url: Url) -> FetchError {
    let tls = causes(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    let tls: Option<rustls::Error> = tls.map(ToOwned::to_owned);
    let unreachable = is_unreachable(&error);
    let in_vain = error.is_connect() && error.is_timeout();
    let has_no_name = error.is_connect() && is_no_name(&error);
    let words = with_causes(&error.without_url());
    let words = words.trim_start_matches("error sending request: ");
    let words = words.trim_start_matches("client error (Connect): ").to_owned();
    match tls {
        // This concerns the whole host, and does not change within seconds.
        Some(tls @ (rustls::Error::InvalidCertificate(_) | rustls::Error::InvalidMessage(_))) => {
            FetchError::Unreachable { url, source: Lasting(tls_words(&tls)).into() }
        }
        Some(_) => FetchError::Refused { url, reason: words },
        None if has_no_name => {
            // Leaves out what the library and the C library say about
            // their own work.
            let why = words.rsplit("address information: ").next().unwrap_or(&words);
            let source = Lasting(format!("its address is not known: {why}")).into();
            FetchError::Unreachable { url, source }
        }
        None if in_vain => {
            let source = "it took no connection in time".into();
            FetchError::Unreachable { url, source }
        }
        None if unreachable => FetchError::Unreachable { url, source: words.into() },
        None => FetchError::Transport { url, source: words.into() },
    }
}

/// The same for a host that another host redirects to. The first host does answer.
pub(super) fn redirected(failed: FetchError, from: &Url) -> FetchError {
    match failed {
        FetchError::Unreachable { url, source } => {
            let words =
                format!("{source}; {} redirects there", from.origin().ascii_serialization());
            let is_lasting = source.is::<Lasting>();
            let source = if is_lasting { Lasting(words).into() } else { words.into() };
            FetchError::Unreachable { url, source }
        }
        other => other,
    }
}

fn tls_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(_) => {
            format!("the server does not speak TLS ({error}); is it one for http?")
        }
        _ => format!(
            "its certificate is not trusted ({error}); name the authority that signed it as `ca`, or have the system trust it"
        ),
    }
}

/// Why a host cannot be reached, if another attempt would fail too. For example, its
/// address is unknown, or its certificate is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Lasting(pub(super) String);

/// The resolver's own errors have no type of their own, so this reads their text.
fn is_no_name(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "dns error")
}

/// Whether nobody answers there, the address is unknown, or the proxy cannot reach
/// the host.
fn is_unreachable(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    // Errors of a proxy's tunnel have no type either (hyper-util's `tunnel.rs`).
    let no_way = || causes(error).any(|cause| cause.to_string().starts_with("tunnel error"));
    let refused = || {
        causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| {
            matches!(cause.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable)
        })
    };
    error.is_connect() && (error.is_timeout() || is_no_name(error) || no_way() || refused())
}

/// An error's causes, including those that an `io::Error` hides.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| {
        let hidden = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match hidden {
            Some(hidden) => Some(hidden as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}
