//! The bundle's images by the pull part of the distribution specification
//! (opencontainers/distribution-spec, `spec.md`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bundle_format::Digest;
use bundle_format::lock::{Descriptor, Lock, LockedImage};
use bundle_format::reference::usual_host;
use serde_json::json;

use super::answer::Answer;
use super::request::Request;

/// The type of an index, which the list of referrers is.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// All images of a bundle, also those of its hops.
pub(super) struct Registry {
    /// By repository, then by registry: `library/nginx`, `docker.io`.
    repositories: BTreeMap<String, BTreeMap<String, Repository>>,
}

/// What a repository of an upstream registry has in the bundle.
#[derive(Default)]
struct Repository {
    tags: BTreeMap<String, Digest>,
    manifests: HashMap<Digest, Descriptor>,
    blobs: HashMap<Digest, Descriptor>,
}

impl Registry {
    /// The images of a lock.
    pub(super) fn of(lock: &Lock) -> Self {
        let mut registry = Self { repositories: BTreeMap::new() };
        let hops = lock.hops.iter().flat_map(|hop| &hop.images);
        hops.chain(&lock.images).for_each(|image| registry.add(image));
        registry
    }

    fn add(&mut self, image: &LockedImage) {
        let name = &image.name;
        let registries = self.repositories.entry(name.repository().to_owned()).or_default();
        let own = registries.entry(usual_host(name.registry())).or_default();
        if let Some(tag) = name.tag() {
            own.tags.insert(tag.to_owned(), image.root.digest);
        }
        let platforms = image.platforms.iter();
        let manifests = platforms.clone().map(|platform| &platform.manifest);
        for manifest in manifests.chain(&image.unplaced).chain([&image.root]) {
            own.manifests.insert(manifest.digest, manifest.clone());
        }
        for blob in platforms.flat_map(|one| one.layers.iter().chain([&one.config])) {
            own.blobs.insert(blob.digest, blob.clone());
        }
    }

    /// The upstream registries that the images come from.
    pub(super) fn upstreams(&self) -> BTreeSet<&str> {
        self.repositories.values().flat_map(|own| own.keys().map(String::as_str)).collect()
    }

    /// The answer to a question below `/v2/`. `path` is what follows that.
    pub(super) fn answer(&self, path: &str, request: &Request) -> Answer<'_> {
        let answer = match path {
            "" => Answer::text("application/json", "{}"),
            "_catalog" => self.catalog(request),
            _ => match parts(path) {
                Some((name, kind, last)) => self.of_repository(name, kind, last, request),
                None => unknown("NAME_UNKNOWN", "nothing of a registry has this path"),
            },
        };
        answer.with("Docker-Distribution-Api-Version", "registry/2.0".to_owned())
    }

    fn of_repository(&self, name: &str, kind: &str, last: &str, request: &Request) -> Answer<'_> {
        let found = self.find(name, request.asked("ns"));
        if found.is_empty() {
            return unknown("NAME_UNKNOWN", "the bundle has no image of this name");
        }
        match (kind, last) {
            ("manifests", reference) => manifest(&found, reference),
            ("blobs", digest) => blob(&found, digest),
            ("tags", "list") => {
                let tags = found.iter().flat_map(|own| own.tags.keys().cloned());
                let (tags, link) = page(tags.collect(), request, &format!("{name}/tags/list"));
                linked(json!({"name": name, "tags": tags}), link)
            }
            ("referrers", digest) if digest.parse::<Digest>().is_ok() => {
                let none = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
                Answer::text(INDEX, none.to_string())
            }
            ("referrers", _) => Answer::refusal(400, "DIGEST_INVALID", "this is no digest"),
            _ => unknown("NAME_UNKNOWN", "nothing of a registry has this path"),
        }
    }

    /// The repositories that a name means. containerd says in `ns` whose mirror it takes this
    /// for (its `docs/hosts.md`); others write the registry before the name; without both,
    /// any registry's will do.
    fn find(&self, name: &str, upstream: Option<&str>) -> Vec<&Repository> {
        let of = |name: &str, host: Option<&str>| {
            let registries = self.repositories.get(name).into_iter().flatten();
            let host = host.map(usual_host);
            let is_it = |own: &&str| host.as_ref().is_none_or(|host| host == own);
            let found = registries.map(|(own, has)| (own.as_str(), has));
            found.filter(|(own, _)| is_it(own)).map(|(_, has)| has).collect::<Vec<_>>()
        };
        let whole = of(name, upstream);
        match name.split_once('/') {
            Some((host, rest)) if whole.is_empty() && upstream.is_none() => of(rest, Some(host)),
            _ => whole,
        }
    }

    fn catalog(&self, request: &Request) -> Answer<'_> {
        let all = self.repositories.iter().flat_map(|(name, registries)| {
            registries.keys().map(move |registry| format!("{registry}/{name}"))
        });
        let (names, link) = page(all.collect(), request, "_catalog");
        linked(json!({"repositories": names}), link)
    }
}

/// The name, the kind of thing and its own name in a path: `library/nginx`, `manifests`,
/// `1.27`. A name has no other signs than hosts and repositories have.
fn parts(path: &str) -> Option<(&str, &str, &str)> {
    let (rest, last) = path.rsplit_once('/')?;
    let (name, kind) = rest.rsplit_once('/')?;
    let is_of_name = |sign: char| sign.is_ascii_alphanumeric() || "._-/:[]".contains(sign);
    name.chars().all(is_of_name).then_some((name, kind, last))
}

fn blob<'a>(found: &[&'a Repository], digest: &str) -> Answer<'a> {
    let digest = digest.parse::<Digest>().ok();
    match digest.and_then(|digest| found.iter().find_map(|own| own.blobs.get(&digest))) {
        Some(blob) => Answer::blob("application/octet-stream", blob),
        None => unknown("BLOB_UNKNOWN", "no image of this name has this blob"),
    }
}

fn manifest<'a>(found: &[&'a Repository], reference: &str) -> Answer<'a> {
    let by_digest = reference.parse::<Digest>().ok();
    let wanted = |own: &&'a Repository| {
        let digest = by_digest.or_else(|| own.tags.get(reference).copied())?;
        own.manifests.get(&digest)
    };
    let all: Vec<&Descriptor> = found.iter().filter_map(wanted).collect();
    match all.as_slice() {
        [] => unknown("MANIFEST_UNKNOWN", "the bundle has this image in no such version"),
        [first, others @ ..] if others.iter().all(|other| other.digest == first.digest) => {
            Answer::blob(&first.media_type, first)
        }
        _ => unknown(
            "MANIFEST_UNKNOWN",
            "images of several registries have this name: write the registry before it",
        ),
    }
}

/// So many of the names as the client wants at once, and where the next ones are.
fn page(names: BTreeSet<String>, request: &Request, path: &str) -> (Vec<String>, Option<String>) {
    let after = |name: &String| request.asked("last").is_none_or(|last| name.as_str() > last);
    let mut names: Vec<String> = names.into_iter().filter(after).collect();
    let most = request.asked("n").and_then(|n| n.parse::<usize>().ok());
    let is_cut = most.is_some_and(|most| most < names.len());
    names.truncate(most.unwrap_or(usize::MAX));
    let next = names.last().filter(|_| is_cut);
    let link = next.map(|last| {
        let last: String = url::form_urlencoded::byte_serialize(last.as_bytes()).collect();
        format!("</v2/{path}?n={}&last={last}>; rel=\"next\"", names.len())
    });
    (names, link)
}

fn linked(document: serde_json::Value, link: Option<String>) -> Answer<'static> {
    let answer = Answer::text("application/json", document.to_string());
    match link {
        Some(link) => answer.with("Link", link),
        None => answer,
    }
}

fn unknown(code: &str, message: &str) -> Answer<'static> {
    Answer::refusal(404, code, message)
}
