//! Why a registry does not take something, each in one sentence with what to do.

use anyhow::anyhow;
use bundle_format::text::brief;
use distribution::site::registry::{Answer, shown};
use url::Url;

use crate::fetch::FetchError;

/// The error of a registry that answered otherwise than was wanted. `url` is in the
/// repository that was written to.
pub(super) fn of(url: &Url, answer: &Answer) -> anyhow::Error {
    let own = match answer.words.as_str() {
        "" => String::new(),
        words => format!(", {}", brief(words)),
    };
    let (host, status) = (url.origin().ascii_serialization(), answer.status);
    anyhow!("{host}{} (status {status}{own})", meaning(status, &answer.words, url))
}

const READ_ONLY: &str = " takes nothing: it is read-only, or a cache of another registry; ask who \
                         runs it, or name another registry";

/// What a status means, and what to do about it.
fn meaning(status: u16, words: &str, url: &Url) -> String {
    let repository = repository(url);
    let words = words.to_ascii_lowercase();
    // Harbor has 403 or 412 for it, and its words.
    let is_quota = words.contains("quota") || words.contains("upper limit");
    // Harbor and olareg have 403 for it, and these words.
    let is_read_only = ["read only", "read-only"].iter().any(|own| words.contains(own));
    match status {
        _ if is_quota || status == 507 => " has no room for it: ask who runs the registry for \
                                           more, or remove tags that nobody needs"
            .to_owned(),
        405 => READ_ONLY.to_owned(),
        _ if is_read_only => READ_ONLY.to_owned(),
        _ if words.contains("immutable") => format!(
            " has {repository} set so that no tag of it changes: choose another tag, or ask who \
             runs the registry"
        ),
        401 | 403 => format!(
            " does not let this user push to {repository}: ask for the right to, or log in as \
             somebody else with `docker login`"
        ),
        404 if words.is_empty() => format!(
            " is no registry, or has no place for {repository}: check the address, make the \
             project first, or choose another repository"
        ),
        404 => format!(
            " has no place for {repository}: make the project first, or choose another repository"
        ),
        413 => {
            " or a proxy before it refuses so many bytes at once: have its limit raised (nginx: \
                `client_max_body_size`) to 9 MB or more"
                .to_owned()
        }
        429 => " wants fewer requests: wait some minutes and run this again".to_owned(),
        500..=599 => " has trouble: run this again later; what was pushed stays there".to_owned(),
        _ => format!(" does not take it into {repository}"),
    }
}

/// `https://HOST/v2/<repository>/blobs/…` → the repository.
fn repository(url: &Url) -> &str {
    let path = url.path().strip_prefix("/v2/").unwrap_or_default();
    let ends = ["/manifests/", "/blobs/"];
    ends.iter().find_map(|end| path.rsplit_once(end)).map_or(path, |(repository, _)| repository)
}

/// An error of a request in words: one that brought something read nothing. The state of
/// an upload, which is in its URL, is left out.
pub(super) fn in_words(error: FetchError) -> anyhow::Error {
    match error {
        FetchError::Transport { url, source } => {
            anyhow!("cannot send to {}: {source}", url.origin().ascii_serialization())
        }
        FetchError::Status { url, status, hint } => {
            FetchError::Status { url: shown(&url), status, hint }.into()
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do() {
        let url: Url = "https://r.io/v2/a/b/blobs/uploads/".parse().unwrap();
        for (status, words, meant) in [
            (405, "", "read-only"),
            (403, "DENIED: no", "let this user push to a/b"),
            (403, "DENIED: will exceed the configured upper limit of 1 GiB", "no room"),
            (412, "Quota exceeded", "no room"),
            (507, "", "no room"),
            (413, "", "client_max_body_size"),
            (404, "NAME_UNKNOWN", " has no place for a/b"),
            (404, "", "is no registry, or has no place for a/b"),
            (403, "DENIED: The system is in read only mode.", "it is read-only"),
            (403, "DENIED: repository is read-only", "it is read-only"),
            (412, "PRECONDITION: tag demo:1 configured as immutable", "choose another tag"),
            (503, "", "run this again later"),
            (418, "", "does not take it"),
        ] {
            let text = meaning(status, words, &url);
            assert!(text.contains(meant), "{status} {words}: {text}");
        }
    }
}
