//! The places of a repository: its base URL, or the mirrors of its list.

use anyhow::bail;
use url::Url;

use crate::spec::{Repository, SpecFile, Target, plain_http};
use crate::upstreams::Upstreams;
use crate::{fetch, page};

/// The longest mirror list, in bytes: such a list is short.
const MAX_MIRROR_LIST: u64 = 1 << 20;

/// The places of a repository, in order: its base URL, or its mirrors.
pub(crate) fn base_urls(
    file: &SpecFile,
    target: &Target,
    repository: &Repository,
    upstreams: &Upstreams,
) -> anyhow::Result<Vec<Url>> {
    if let Some(base_url) = base_url(file, target, repository) {
        return Ok(vec![base_url?]);
    }
    let expand = |text: &str| expand(target, text);
    let list = expand(repository.mirror_list.as_deref().unwrap_or_default());
    let url = file.location(&list)?;
    let text = fetch::bytes(&*upstreams.client, &url, MAX_MIRROR_LIST)?;
    page::refuse(url.as_str(), &text)?;
    let urls: Vec<Url> = String::from_utf8_lossy(&text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| Url::parse(&expand(line)).ok())
        .filter(|url| is_mirror(repository, url))
        .take(5)
        .collect();
    if urls.is_empty() {
        let usable = if may_be_exposed(repository) { "" } else { " that is read over https" };
        bail!("the mirror list {url} names no mirror{usable}");
    }
    Ok(urls)
}

/// The base URL that the spec names; none if it names a mirror list.
pub(super) fn base_url(
    file: &SpecFile,
    target: &Target,
    repository: &Repository,
) -> Option<anyhow::Result<Url>> {
    repository.base_url.as_deref().map(|text| file.location(&expand(target, text)))
}

/// Whether a repository's mirror list may name this mirror.
pub(super) fn is_mirror(repository: &Repository, url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
        && (may_be_exposed(repository) || !plain_http::is_exposed(url))
        // A password does not belong in a lock.
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn may_be_exposed(repository: &Repository) -> bool {
    plain_http::is_checked(repository) || repository.plain_http.is_some()
}

fn expand(target: &Target, text: &str) -> String {
    text.replace("$basearch", target.architecture.rpm())
}
