//! Problems of a lock or a build. One that is a host's is told once for the host,
//! and not for each thing that was to come from there.

use std::collections::BTreeMap;

use bundle_format::text::brief;

use crate::fetch::download::DownloadError;
use crate::fetch::queue::JobError;
use crate::fetch::{FetchError, chain};
use crate::image::pull_error::{PullError, ResolveError};

/// What is in the way, collected.
#[derive(Default)]
pub(crate) struct Problems {
    lines: Vec<String>,
    /// Hosts, as `https://HOST`, that could not be reached.
    hosts: BTreeMap<String, Outage>,
}

/// A host that could not be reached.
struct Outage {
    why: String,
    /// What was to come from there.
    wanted: Vec<String>,
}

impl Problems {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.hosts.is_empty()
    }

    /// Adds a problem that is no host's.
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

    /// Adds that a blob could not be fetched, from any of its places.
    pub(crate) fn add_job(&mut self, error: &JobError) {
        let DownloadError::Sources(places) = &error.source else {
            self.lines.push(error.to_string());
            return;
        };
        let rest: Vec<String> = places
            .iter()
            .filter(|place| !self.take(&error.label, place))
            .map(|e| chain(e))
            .collect();
        if !rest.is_empty() {
            self.lines.push(format!("cannot fetch {}: {}", error.label, rest.join("; then ")));
        }
    }

    /// Where a host was not there, adds the others of those that could not be reached
    /// from which something must come, as `only_for` says.
    pub(crate) fn others(
        &mut self,
        unreachable: Vec<(String, String)>,
        only_for: impl Fn(&str) -> Option<String>,
    ) {
        if self.hosts.is_empty() {
            return;
        }
        for (host, why) in unreachable {
            if let Some(what) = only_for(&host) {
                self.host(&host, &why, &what);
            }
        }
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

    /// True where the error is a host's, which is kept then.
    fn take(&mut self, what: &str, error: &FetchError) -> bool {
        let FetchError::Unreachable { url, source } = error else { return false };
        let why = source.to_string();
        let why = why.trim_end_matches("; it was not asked again");
        self.host(&url.origin().ascii_serialization(), why, what);
        true
    }

    /// All of them, a line each, and what to do about hosts.
    pub(crate) fn lines(self) -> Vec<String> {
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
                "look at the hosts' names, the network and the proxy (`HTTPS_PROXY`, `NO_PROXY`); \
                 in place of a registry name a mirror under `registries` in the spec, with `only: \
                 true` where nothing else can be reached"
                    .to_owned(),
            );
        }
        lines
    }
}
