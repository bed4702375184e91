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
    let expand = |text: &str| text.replace("$basearch", target.architecture.rpm());
    if let Some(base_url) = &repository.base_url {
        return Ok(vec![file.location(&expand(base_url))?]);
    }
    let list = expand(repository.mirror_list.as_deref().unwrap_or_default());
    let url = file.location(&list)?;
    let text = fetch::bytes(&*upstreams.client, &url, MAX_MIRROR_LIST)?;
    page::refuse(url.as_str(), &text)?;
    let may_be_exposed = plain_http::is_checked(repository) || repository.plain_http.is_some();
    let urls: Vec<Url> = String::from_utf8_lossy(&text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| Url::parse(&expand(line)).ok())
        .filter(|url| matches!(url.scheme(), "https" | "http"))
        .filter(|url| may_be_exposed || !plain_http::is_exposed(url))
        // A password does not belong in a lock.
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .take(5)
        .collect();
    if urls.is_empty() {
        let usable = if may_be_exposed { "" } else { " that is read over https" };
        bail!("the mirror list {url} names no mirror{usable}");
    }
    Ok(urls)
}
