//! The site's registries. CRI refuses to load a configuration that has mirrors or TLS
//! settings of registries beside the folder `config_path` (containerd#5306). So these
//! settings move into that folder, one file for each registry, with the same meaning
//! (containerd's `docs/hosts.md`; `registryEndpoints` in CRI). Logins stay in the
//! configuration, because CRI reads them beside that folder too.

use std::collections::BTreeMap;

use toml_edit::{Item, Table, TableLike, Value};

use crate::failure::Failure;
use crate::host::Host;
use crate::node::containerd::files::Files;
use crate::node::containerd::keys::Keys;
use crate::node::containerd::table::{at, strings};
use crate::node::paths::REGISTRIES;

/// The first line of a file whose settings were moved.
const HEADER: &str = "# Moved here by kubeferry, from `registry` in containerd's configuration.\n";

/// The second folder of containerd's default.
const OF_DOCKER: &str = "/etc/docker/certs.d";

/// The most bytes of a folder's name (`NAME_MAX`).
const LONGEST: usize = 255;

/// Sets the registries' folder, and returns the files to write there. Other steps
/// write the files of the registries in `ours`.
pub(crate) fn configure(
    host: &Host,
    files: &mut Files,
    keys: &Keys,
    ours: &[String],
) -> anyhow::Result<Vec<(String, String)>> {
    let merged = files.merged();
    let registry = at(&merged, keys.registry).and_then(Item::as_table_like);
    let (mirrors, tls) = registry.map(|table| (mirrors(table), tls(table))).unwrap_or_default();
    let texts = texts(&mirrors, &tls);
    let folders = [keys.registry, &["config_path"]].concat();
    let told = at(&merged, &folders).and_then(Item::as_str).unwrap_or_default();
    let told = if told.is_empty() { files.release.registry_folders() } else { told };
    let names: Vec<&str> = ours.iter().chain(texts.keys()).map(String::as_str).collect();
    // Where a list is nothing, the default's first folder stands alone, unless the site uses
    // the second one.
    let is_default = told == files.release.registry_folders();
    let is_alone = is_default && host.list(OF_DOCKER)?.is_empty();
    let list = match is_alone && files.release.reads_one_registry_folder() {
        true => REGISTRIES.to_owned(),
        false => with_ours(host, told, &names),
    };
    files.set(&folders, &list.into())?;
    if !mirrors.is_empty() {
        files.take(&[keys.registry, &["mirrors"]].concat());
    }
    for (name, has_more) in registry.map(configs).unwrap_or_default() {
        let path = [keys.registry, &["configs", name.as_str()]].concat();
        match has_more {
            true => files.take(&[&path[..], &["tls"]].concat()),
            false => files.take(&path),
        }
    }
    let mut moved = Vec::new();
    for (name, text) in texts {
        let path = format!("{REGISTRIES}/{name}/hosts.toml");
        if ours.contains(&name) || host.read(&path)?.is_some_and(|there| there == text) {
            continue;
        }
        check_free(host, &name)?;
        moved.push((path, text));
    }
    Ok(moved)
}

/// The list of folders for registries, with ours. containerd takes the first folder
/// that has the registry. So the site's folders come after ours, unless they come
/// first already and have none of these registries.
fn with_ours(host: &Host, told: &str, names: &[&str]) -> String {
    let all: Vec<&str> = told.split(':').filter(|folder| !folder.is_empty()).collect();
    let is_ours = |folder: &&str| folder.trim_end_matches('/') == REGISTRIES;
    let before = all.iter().take_while(|folder| !is_ours(folder));
    let knows = |folder: &&str| {
        let mut names = names.iter().copied().chain(["_default"]);
        names.any(|name| host.exists(format!("{folder}/{}", place(host, folder, name))))
    };
    let is_there = all.iter().any(is_ours);
    if is_there && (names.is_empty() || !before.into_iter().any(knows)) {
        return told.to_owned();
    }
    let others = all.iter().filter(|folder| !is_ours(folder)).copied();
    [REGISTRIES].into_iter().chain(others).collect::<Vec<_>>().join(":")
}

/// The folder of a registry. A registry with a port has two possible names;
/// containerd looks for this one first (`hostDirectory`).
pub(crate) fn place(host: &Host, folder: &str, registry: &str) -> String {
    let other = registry.rsplit_once(':').map(|(name, port)| format!("{name}_{port}_"));
    let other = other.filter(|name| host.exists(format!("{folder}/{name}")));
    other.unwrap_or_else(|| registry.to_owned())
}

/// Whether a configuration has settings that CRI refuses beside `config_path`.
pub(crate) fn exclude(merged: &Table, keys: &Keys) -> bool {
    let registry = at(merged, keys.registry).and_then(Item::as_table_like);
    registry.is_some_and(|registry| !mirrors(registry).is_empty() || !configs(registry).is_empty())
}

/// Refuses if the site already has other settings for this registry in the folder.
fn check_free(host: &Host, name: &str) -> anyhow::Result<()> {
    let there = place(host, REGISTRIES, name);
    // An empty folder has no settings.
    if host.list(format!("{REGISTRIES}/{there}"))?.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "containerd's configuration has `registry` settings for {name}, and so has \
             {REGISTRIES}/{there}: CRI does not load with both"
        ),
        format!(
            "move what is needed into {REGISTRIES}/{there}/hosts.toml, and remove `mirrors` and \
             `tls` of {name} from the configuration"
        ),
    )
    .into())
}

/// TLS settings of a host.
#[derive(Default)]
struct Tls {
    authority: String,
    pair: Option<(String, String)>,
    is_unchecked: bool,
}

/// Each registry's mirrors.
fn mirrors(registry: &dyn TableLike) -> BTreeMap<String, Vec<String>> {
    let table = registry.get("mirrors").and_then(Item::as_table_like);
    let table = table.into_iter().flat_map(TableLike::iter);
    table.map(|(name, item)| (name.to_owned(), strings(item.get("endpoint")))).collect()
}

/// The hosts with TLS settings, and whether there are other settings for them.
fn configs(registry: &dyn TableLike) -> Vec<(String, bool)> {
    let table = registry.get("configs").and_then(Item::as_table_like);
    let table = table.into_iter().flat_map(TableLike::iter);
    let hosts = table.filter_map(|(name, item)| Some((name, item.as_table_like()?)));
    let hosts = hosts.filter(|(_, host)| host.contains_key("tls"));
    hosts.map(|(name, host)| (name.to_owned(), host.len() > 1)).collect()
}

/// The TLS settings of each host.
fn tls(registry: &dyn TableLike) -> BTreeMap<String, Tls> {
    let table = registry.get("configs").and_then(Item::as_table_like);
    let table = table.into_iter().flat_map(TableLike::iter);
    let tls = table.filter_map(|(name, item)| Some((name, item.get("tls")?)));
    tls.map(|(name, tls)| {
        let text = |key| tls.get(key).and_then(Item::as_str).unwrap_or_default();
        // systemd starts containerd in the root folder, so relative paths
        // begin there.
        let file = |key| match text(key) {
            "" => String::new(),
            path => format!("/{}", path.trim_start_matches('/')),
        };
        let pair = (file("cert_file"), file("key_file"));
        let pair = (!pair.0.is_empty() && !pair.1.is_empty()).then_some(pair);
        let is_unchecked = tls.get("insecure_skip_verify").and_then(Item::as_bool).unwrap_or(false);
        (name.to_owned(), Tls { authority: file("ca_file"), pair, is_unchecked })
    })
    .collect()
}

/// The files to write, by their folders' names.
fn texts(
    mirrors: &BTreeMap<String, Vec<String>>,
    tls: &BTreeMap<String, Tls>,
) -> BTreeMap<String, String> {
    let mut names: Vec<&str> = mirrors.keys().map(String::as_str).collect();
    // A registry without mirrors is asked itself.
    names.extend(tls.keys().map(|host| match host.as_str() {
        "registry-1.docker.io" => "docker.io",
        host => host,
    }));
    let text = |name: &str| {
        let endpoints = mirrors.get(name).or_else(|| mirrors.get("*"));
        text(name, endpoints.map(Vec::as_slice).unwrap_or_default(), tls)
    };
    names.retain(|name| is_asked(name));
    let named = |name| if name == "*" { "_default" } else { name };
    names.into_iter().map(|name| (named(name).to_owned(), text(name))).collect()
}

/// Whether containerd ever asks for a registry of this name: all have one, or it is the
/// host of an image's name, and a folder can have it.
fn is_asked(name: &str) -> bool {
    let is_of_hosts = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let is_host = !name.starts_with('.') && name.bytes().all(is_of_hosts);
    name == "*" || is_host && (1..=LONGEST).contains(&name.len())
}

fn text(name: &str, endpoints: &[String], tls: &BTreeMap<String, Tls>) -> String {
    let mut endpoints: Vec<Endpoint> = endpoints.iter().map(|one| Endpoint::of(one)).collect();
    let mut text = HEADER.to_owned();
    // The registry itself comes last, unless it is among its mirrors.
    let own = endpoints.iter().position(|endpoint| endpoint.host == name);
    let server = match own {
        Some(place) if place + 1 == endpoints.len() => endpoints.pop(),
        Some(place) => endpoints.get(place).cloned(),
        None if name == "*" => None,
        None if name == "docker.io" => Some(Endpoint::of("registry-1.docker.io")),
        None => Some(Endpoint::of(name)),
    };
    if let Some(server) = server {
        text += &format!("server = {}\n{}", quoted(&server.url()), server.settings(tls));
    }
    let mut told = Vec::new();
    for endpoint in endpoints {
        if !told.contains(&endpoint.url()) {
            text += &format!("\n[host.{}]\n", quoted(&endpoint.url()));
            text += "capabilities = [\"pull\", \"resolve\"]\n";
            text += &endpoint.settings(tls);
            told.push(endpoint.url());
        }
    }
    text
}

/// An address of a registry.
#[derive(Clone)]
struct Endpoint {
    scheme: String,
    host: String,
    path: String,
}

impl Endpoint {
    /// Reads an address with or without a scheme. CRI never used a login in it.
    fn of(text: &str) -> Self {
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(a, b)| (Some(a), b));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host).to_owned();
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = path.trim_matches('/').to_owned();
        let bare = host.rsplit_once(':').map_or(host.as_str(), |(bare, _)| bare);
        let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&bare) || host == "[::1]";
        let usual = if is_local { "http" } else { "https" };
        Self { scheme: scheme.unwrap_or(usual).to_owned(), host, path }
    }

    fn url(&self) -> String {
        let slash = if self.path.is_empty() { "" } else { "/" };
        format!("{}://{}{slash}{}", self.scheme, self.host, self.path)
    }

    fn settings(&self, tls: &BTreeMap<String, Tls>) -> String {
        let mut text = String::new();
        // Otherwise containerd would append `/v2` to the path.
        if !self.path.is_empty() && self.path != "v2" && !self.path.ends_with("/v2") {
            text += "override_path = true\n";
        }
        let Some(tls) = tls.get(&self.host) else { return text };
        if !tls.authority.is_empty() {
            text += &format!("ca = {}\n", quoted(&tls.authority));
        }
        if let Some((certificate, key)) = &tls.pair {
            text += &format!("client = [[{}, {}]]\n", quoted(certificate), quoted(key));
        }
        if tls.is_unchecked {
            text += "skip_verify = true\n";
        }
        text
    }
}

fn quoted(text: &str) -> String {
    let mut table = Table::new();
    table.insert("a", Item::Value(Value::from(text)));
    table.get("a").map(Item::to_string).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_hosts_have_get_a_folder() {
        for name in ["*", "docker.io", "10.0.0.9:5000", "[fd00::1]:5000", "_a.example.com"] {
            assert!(is_asked(name), "{name}");
        }
        let long = "a".repeat(256);
        for name in ["", ".", "../a", "a/b", "a b", "a\0", "a\u{e4}", "http://a", &long] {
            assert!(!is_asked(name), "{name}");
        }
    }
}
