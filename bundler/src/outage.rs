//! The problems of a lock or a build. An unreachable host is reported once, and not
//! for each thing that should come from it.

use std::collections::BTreeMap;

use anyhow::bail;
use bundle_format::text::brief;
use url::Url;

use crate::fetch::client::Client;
use crate::fetch::download::DownloadError;
use crate::fetch::queue::JobError;
use crate::fetch::{FetchError, with_causes};
use crate::image::pull_error::{PullError, ResolveError};

/// The hosts that will be contacted, by their `https://HOST`.
#[derive(Default)]
pub(crate) struct Places(BTreeMap<String, Place>);

struct Place {
    /// A URL for testing whether the host answers.
    root: Url,
    /// Something that can come from this host only, if there is anything.
    only_for: Option<String>,
}

impl Places {
    /// Adds the host of a URL. `only_for` is what can come from this host only,
    /// if there is anything.
    pub(crate) fn add(&mut self, url: &Url, only_for: Option<String>) {
        let Ok(root) = url.join("/") else { return };
        if !matches!(url.scheme(), "http" | "https") {
            return;
        }
        let host = url.origin().ascii_serialization();
        let place = self.0.entry(host).or_insert(Place { root, only_for: None });
        place.only_for = place.only_for.take().or(only_for);
    }

    /// Tells `hosts` which other hosts to test if the first one is unreachable.
    pub(crate) fn announce(&self, hosts: &Client) {
        hosts.expect(self.0.values().map(|place| place.root.clone()).collect());
    }
}

/// The problems so far.
#[derive(Default)]
pub(crate) struct Problems {
    lines: Vec<String>,
    /// The hosts that could not be reached, by their `https://HOST`.
    hosts: BTreeMap<String, Outage>,
}

/// A host that could not be reached.
struct Outage {
    why: String,
    /// What should come from there.
    wanted: Vec<String>,
}

impl Problems {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.hosts.is_empty()
    }

    /// Adds a problem that does not concern a host.
    pub(crate) fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Adds that `what` failed.
    pub(crate) fn add(&mut self, what: &str, error: &anyhow::Error) {
        if let Some(resolve) = error.downcast_ref::<ResolveError>() {
            let rest: Vec<String> = resolve
                .attempts
                .iter()
                .filter(|attempt| match &attempt.error {
                    PullError::Fetch(error) => !self.take(what, error),
                    _ => true,
                })
                .map(|attempt| format!("\n  from {attempt}"))
                .collect();
            if !rest.is_empty() {
                let source = &resolve.image;
                let elsewhere = match what.ends_with(&source.to_string()) {
                    true => String::new(),
                    false => format!(" as {source}"),
                };
                self.lines.push(format!("{what} cannot be pulled{elsewhere}{}", rest.concat()));
            }
            return;
        }
        let fetch = error.chain().find_map(|cause| cause.downcast_ref::<FetchError>());
        if !fetch.is_some_and(|fetch| self.take(what, fetch)) {
            self.lines.push(format!("{what}: {error:#}"));
        }
    }

    /// Adds that a blob could not be fetched from any of its sources.
    pub(crate) fn add_job(&mut self, error: &JobError) {
        let DownloadError::Sources(places) = &error.source else {
            self.lines.push(error.to_string());
            return;
        };
        let rest: Vec<String> = places
            .iter()
            .filter(|place| !self.take(&error.label, place))
            .map(|e| with_causes(e))
            .collect();
        if !rest.is_empty() {
            self.lines.push(format!("cannot fetch {}: {}", error.label, rest.join("; then ")));
        }
    }

    /// Fails if there are problems. If a host was unreachable, the error also
    /// names the other unreachable hosts of `places` from which something must
    /// come.
    pub(crate) fn end(mut self, places: &Places, hosts: &Client) -> anyhow::Result<()> {
        if !self.hosts.is_empty() {
            for (host, why) in hosts.unreachable() {
                let place = places.0.get(&host);
                if let Some(what) = place.and_then(|place| place.only_for.clone()) {
                    self.host(&host, &why, &what);
                }
            }
        }
        self.fail()
    }

    /// Fails if there are problems. The error has all of them.
    pub(crate) fn fail(self) -> anyhow::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        bail!("{}", self.lines().join("\n"))
    }

    fn host(&mut self, host: &str, why: &str, what: &str) {
        let outage = self
            .hosts
            .entry(host.to_owned())
            .or_insert_with(|| Outage { why: why.to_owned(), wanted: Vec::new() });
        if !outage.wanted.iter().any(|known| known == what) {
            outage.wanted.push(what.to_owned());
        }
    }

    /// Keeps the error if it says that a host could not be reached. Returns
    /// whether it does.
    fn take(&mut self, what: &str, error: &FetchError) -> bool {
        let FetchError::Unreachable { url, source } = error else { return false };
        let why = source.to_string();
        let why = why.trim_end_matches("; it was not asked again");
        self.host(&url.origin().ascii_serialization(), why, what);
        true
    }

    /// All problems, one a line, with what to do about the hosts.
    fn lines(self) -> Vec<String> {
        let mut lines = self.lines;
        for (host, Outage { why, wanted }) in &self.hosts {
            let more = match wanted.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            let first = wanted.first().map(|first| brief(first)).unwrap_or_default();
            lines.push(format!("cannot reach {host}: {why}; it is needed for {first}{more}"));
        }
        if !self.hosts.is_empty() {
            lines.push(
                "check the hosts' names, the network and the proxy (`HTTPS_PROXY`, `NO_PROXY`); if \
                 a registry cannot be reached at all, name its mirror under `registries` in the \
                 spec, with `only: true`"
                    .to_owned(),
            );
        }
        lines
    }
}
