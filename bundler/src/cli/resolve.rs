//! `bundler resolve`: prints the closure of packages, for people and tests.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context;
use bundle_format::secret::hidden;
use bundle_format::{Architecture, input};
use clap::Args;
use url::Url;

use super::print;
use crate::fetch::Fetch;
use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::memory::{Network, Remembering};
use crate::rpm::closure::Request;
use crate::rpm::key::{ExpiredKeys, Keyring, MAX_KEY};
use crate::rpm::location::folder;
use crate::rpm::repository::Repository;
use crate::rpm::resolve::{self, Baseline, Goal, baseline};
use crate::rpm::verified_repository::{Metadata, RepositorySource};
use crate::spec::text;
use crate::{fetch, page};

/// Prints all packages that must be installed to get the ones that you name
///
/// One a line as name-[epoch:]version-release.arch, sorted. If they cannot be
/// installed, it prints none and exits with 1.
#[derive(Args)]
pub(super) struct Arguments {
    /// A yum repository and the key that signs its metadata, a file or a URL
    #[arg(long = "repo", value_name = "ID=URL[,gpgkey=KEY]", required = true)]
    repositories: Vec<RepositoryArgument>,
    /// What counts as installed: `core`, `none`, or a package list
    #[arg(long, default_value = "core", value_name = "core|none|FILE")]
    baseline: String,
    /// The nodes' architecture
    #[arg(long, default_value = "x86_64")]
    arch: Architecture,
    /// Packages: name, name-version, name.arch, `name >= version`, or a path
    #[arg(required = true)]
    packages: Vec<String>,
}

#[derive(Clone)]
struct RepositoryArgument {
    id: String,
    url: Url,
    keys: Vec<String>,
}

impl FromStr for RepositoryArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, rest) =
            text.split_once('=').ok_or("write ID=URL, such as os=https://example.com/os/")?;
        let mut parts = rest.split(",gpgkey=");
        let url = parts.next().unwrap_or_default();
        let url = Url::parse(url).map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        Ok(Self { id: id.to_owned(), url: folder(&url), keys: parts.map(str::to_owned).collect() })
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let baseline = baseline(&arguments.baseline)?;
    let fetch = fetching()?;
    let mut repositories = Vec::new();
    for argument in &arguments.repositories {
        repositories.push(load(&*fetch, argument)?);
    }
    let requests = arguments
        .packages
        .iter()
        .map(|text| Request::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    let goal = Goal {
        architecture: arguments.arch,
        platform: None,
        baseline,
        requests: &requests,
        excluded: &|_, _| false,
    };
    let resolution = resolve::resolve(&*fetch, &mut repositories, &goal)?;
    if resolution.core_missing {
        print::notice("notice: no repository has a group `core`: solved for an empty node");
    }
    for asked in &resolution.requested {
        if !resolution.packages.iter().any(|chosen| chosen.package.nevra == *asked) {
            print::notice(&format!("notice: {asked} is already on nodes, by the baseline"));
        }
    }
    let mut lines: Vec<String> =
        resolution.packages.iter().map(|chosen| format!("{}\n", chosen.package.nevra)).collect();
    lines.sort();
    print::data(&lines.concat())
}

/// What fetches, and keeps the metadata for the next time. Without a cache that can be
/// used, nothing is kept.
fn fetching() -> anyhow::Result<Box<dyn Fetch>> {
    let client = Client::new(&[])?;
    Ok(match Cache::of_user() {
        Ok(cache) => Box::new(Remembering::new(Arc::new(client), cache, Network::On)),
        Err(_) => Box::new(client),
    })
}

/// Reads a key from a file or a URL, as a repository's configuration names it.
fn read_key(fetch: &dyn Fetch, key: &str) -> anyhow::Result<Vec<u8>> {
    if key.contains("://") {
        text::base_url(key).map_err(anyhow::Error::msg)?;
        return Ok(fetch::bytes(fetch, &Url::parse(key)?, MAX_KEY)?);
    }
    Ok(input::named(Path::new(key), input::WRITTEN_BY_HAND)?)
}

/// What counts as installed.
fn baseline(named: &str) -> anyhow::Result<Baseline> {
    Ok(match named {
        "none" => Baseline::None,
        "core" => Baseline::Core,
        file => {
            let text = input::named_text(Path::new(file), input::PACKAGE_LIST)
                .with_context(|| format!("reading the package list {file}"))?;
            page::refuse(file, text.as_bytes())?;
            Baseline::Packages(baseline::read_package_list(file, &text)?)
        }
    })
}

/// Reads a repository. Without a key, it warns that nothing is checked.
fn load(fetch: &dyn Fetch, argument: &RepositoryArgument) -> anyhow::Result<Repository> {
    text::base_url(argument.url.as_str())
        .map_err(|reason| anyhow::anyhow!("repository `{}`: {reason}", argument.id))?;
    let mut keyring = Keyring::default();
    for key in &argument.keys {
        let bytes =
            read_key(fetch, key).with_context(|| format!("reading the key {}", hidden(key)))?;
        page::refuse(key, &bytes)?;
        keyring.add(key, &bytes)?;
    }
    let metadata = if argument.keys.is_empty() {
        print::notice(&format!(
            "notice: repository `{}` is not checked: no gpgkey was given for it",
            argument.id
        ));
        Metadata::Unchecked
    } else {
        Metadata::Signed {
            keyring,
            expired: ExpiredKeys::Refuse,
            now: std::time::SystemTime::now(),
        }
    };
    let source = RepositorySource { id: &argument.id, base_url: &argument.url, priority: 99 };
    Ok(source.load(fetch, &metadata)?.repository)
}
