//! A chart repository: a folder on a web server whose `index.yaml` lists charts
//! (helm.sh/docs/topics/chart_repository).

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::text::brief;
use url::Url;

use super::archive::MAX_CHART;
use super::registry;
use crate::fetch;
use crate::libyaml::document;
use crate::libyaml::node::{Node, entries, get, items, scalar, text};
use crate::page;
use crate::spec::chart_version;
use crate::spec::plain_http::is_exposed;
use crate::upstreams::Upstreams;

/// The largest `index.yaml`, in bytes.
const MAX_INDEX: u64 = 32 << 20;

/// The packed chart `name` in this version.
pub(super) fn fetch(
    upstreams: &Upstreams,
    repository: &Url,
    name: &str,
    version: &str,
) -> anyhow::Result<Vec<u8>> {
    let mut index = repository.clone();
    index.set_path(&format!("{}/index.yaml", repository.path().trim_end_matches('/')));
    let bytes = fetch::bytes(&*upstreams.client, &index, MAX_INDEX)?;
    if let Some(what) = page::instead(&bytes) {
        bail!("{index} gave {what} instead of a list of charts: {}", page::advice(index.as_str()));
    }
    let list = String::from_utf8(bytes).with_context(|| format!("{index} is not UTF-8"))?;
    let (url, digest) = find(&index, &list, name, version)?;
    if is_exposed(&url) && !is_exposed(&index) && digest.is_none() {
        bail!("{index} leads to {url}, which is plain http: anybody on the way could change it");
    }
    let chart = match url.scheme() {
        // Some repositories only list what lies in a registry.
        "oci" => registry::fetch(upstreams, url.as_str(), version)?,
        _ => fetch::bytes(&*upstreams.client, &url, MAX_CHART)?,
    };
    match digest {
        Some(digest) if Digest::of(&chart) != digest => {
            bail!("{url} has the digest {}, but {index} says {digest}", Digest::of(&chart))
        }
        _ => Ok(chart),
    }
}

/// The URL of a chart in the text of an `index.yaml`, and its digest if the index has one.
fn find(
    index: &Url,
    list: &str,
    name: &str,
    version: &str,
) -> anyhow::Result<(Url, Option<Digest>)> {
    let documents = document::documents(index.as_str(), list)?;
    let charts = documents.first().and_then(|list| get(list, "entries"));
    let Some(charts) = charts else { bail!("{index} is not the index of a chart repository") };
    let Some(releases) = get(charts, name) else {
        let names: Vec<&str> = entries(charts).map(|(name, _)| name).take(20).collect();
        bail!("{index} has no chart `{name}`; it has {}", brief(&names.join(", ")));
    };
    let is_wanted = |release: &&Node| {
        text(release, "version").is_some_and(|own| chart_version::is_same(own, version))
    };
    let Some(release) = items(releases).iter().find(is_wanted) else {
        let own = items(releases).iter().filter_map(|release| text(release, "version"));
        let own: Vec<&str> = own.take(10).collect();
        bail!("{index} has no {name} {version}; its newest are {}", brief(&own.join(", ")));
    };
    let url = get(release, "urls").and_then(|urls| items(urls).first());
    let url = url.and_then(scalar).map(|(url, _)| url);
    let url = url.with_context(|| format!("{index} has no URL of {name} {version}"))?;
    let url = index.join(url).with_context(|| format!("{index} has a URL that is none"))?;
    if !matches!(url.scheme(), "http" | "https" | "oci") {
        bail!("{index} says that {name} {version} is at {}", brief(url.as_str()));
    }
    let digest = text(release, "digest").map(|digest| digest.trim_start_matches("sha256:"));
    let digest = digest.map(Digest::from_hex).transpose();
    let digest = digest.with_context(|| format!("{index} has a digest of {name} that is none"))?;
    Ok((url, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "apiVersion: v1\nentries:\n  app:\n  - {version: v1.2.3, urls: \
                         [charts/app-v1.2.3.tgz], digest: \
                         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}\n  - \
                         {version: 1.0.0, urls: ['https://other.example/app.tgz']}\n  - {version: 0.2.0, \
                         urls: ['file:///etc/app.tgz']}\n  - {version: 0.1.0, urls: [a.tgz], digest: \
                         'SHA256:00'}\n";

    #[test]
    fn a_chart_is_found_by_name_and_version() {
        let index: Url = "https://charts.example/x/index.yaml".parse().unwrap();
        let find = |name: &str, version: &str| {
            find(&index, INDEX, name, version)
                .map(|(url, digest)| (url.to_string(), digest.is_some()))
                .map_err(|error| error.to_string())
        };
        let first = ("https://charts.example/x/charts/app-v1.2.3.tgz".to_owned(), true);
        assert_eq!(find("app", "1.2.3"), Ok(first.clone()));
        assert_eq!(find("app", "v1.2.3"), Ok(first));
        assert_eq!(find("app", "1.0.0"), Ok(("https://other.example/app.tgz".to_owned(), false)));
        for (name, version, words) in [
            ("ap", "1.0.0", "no chart `ap`; it has app"),
            ("app", "2.0.0", "no app 2.0.0; its newest are v1.2.3, 1.0.0, 0.2.0, 0.1.0"),
            ("app", "0.2.0", "says that app 0.2.0 is at file:///etc/app.tgz"),
            ("app", "0.1.0", "has a digest of app that is none"),
        ] {
            let error = find(name, version).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
