//! Where plain http is allowed. Anybody on the way can change what is fetched over
//! it. So it is used only if a signature or a digest from a safe source is checked,
//! or if the spec gives a reason. Traffic that does not leave the machine needs
//! neither.

use bundle_format::yaml::{Node, Problem};
use url::Url;

use super::manifest::Manifest;
use super::repository::{Check, Repository};
use super::root::Spec;
use crate::fetch::is_loopback;

/// A problem for every URL of `spec` that is plain http and may not be.
pub(super) fn check(spec: &Spec, root: &Node) -> Vec<Problem> {
    let mut found = Vec::new();
    for (target, node) in spec.targets.iter().zip(root.items("targets")) {
        for (repository, node) in target.repositories.iter().zip(node.items("repositories")) {
            found.extend(of_repository(repository, node));
        }
    }
    for (manifest, node) in spec.manifests.iter().zip(root.items("manifests")) {
        found.extend(of_manifest(&manifest.value, node));
    }
    found.extend(of_mirrors(spec, root));
    found
}

/// Whether a URL is read over plain http from another machine.
pub(crate) fn is_exposed(url: &Url) -> bool {
    url.scheme() == "http" && !is_loopback(url)
}

/// A repository without any signature check must not be read over plain http. Its
/// keys must not be in any case.
fn of_repository(repository: &Repository, node: &Node) -> Vec<Problem> {
    if repository.plain_http.is_some() {
        return Vec::new();
    }
    let name = &repository.id.value;
    let mut found = Vec::new();
    let keys = node.value("keys").map(|_| node.items("keys")).unwrap_or_default();
    for (key, node) in repository.keys.iter().zip(keys).filter(|(key, _)| is_text_exposed(key)) {
        let words = format!(
            "repository `{name}`: the key {key} is read over plain http, so anybody on the way \
             could replace it, and sign packages with another: use https or a file beside the \
             spec, or give `plainHttp: the reason` here"
        );
        found.push(Problem::new(node.place, words));
    }
    let is_checked = is_checked(repository);
    for (key, url) in [("baseUrl", &repository.base_url), ("mirrorList", &repository.mirror_list)] {
        let Some(url) = url.as_ref().filter(|url| !is_checked && is_text_exposed(url)) else {
            continue;
        };
        let words = format!(
            "repository `{name}`: {url} is plain http, and no signature is checked, so anybody on \
             the way could change packages: use https, switch a check on, or give `plainHttp: the \
             reason` here"
        );
        found.push(Problem::new(node.place_of(key), words));
    }
    found
}

/// Whether a signature protects the packages of a repository.
pub(crate) fn is_checked(repository: &Repository) -> bool {
    repository.gpgcheck == Check::On || repository.repo_gpgcheck == Check::On
}

fn of_manifest(manifest: &Manifest, node: &Node) -> Option<Problem> {
    let source = manifest.source();
    if !is_text_exposed(source) || manifest.sha256.is_some() || manifest.plain_http.is_some() {
        return None;
    }
    let words = format!(
        "manifest `{}`: {source} is plain http, so anybody on the way could change it: use \
         https, give the `sha256` that it must have, or `plainHttp: the reason`",
        manifest.name
    );
    let place = match node.value("chart") {
        Some(chart) => chart.place_of("from"),
        None => node.place_of("url"),
    };
    Some(Problem::new(place, words))
}

/// A mirror without TLS needs `plainHttp` under its own host. The entry of the
/// registry that it mirrors does not count for it.
fn of_mirrors(spec: &Spec, root: &Node) -> Vec<Problem> {
    let said = |name: &str| {
        spec.registries.get(name).is_some_and(|registry| registry.plain_http.is_some())
    };
    let mut found = Vec::new();
    for (name, registry) in &spec.registries {
        let node = root.value("registries").and_then(|node| node.value(name));
        let nodes = node.map(|node| node.items("mirrors")).unwrap_or_default();
        for (mirror, node) in registry.mirrors.iter().zip(nodes) {
            let Some(url) = Url::parse(mirror).ok().filter(|url| url.scheme() == "http") else {
                continue;
            };
            let host = host(&url);
            if !said(&host) {
                let words = format!(
                    "the mirror {mirror} is plain http, so anybody on the way could \
                     change images and read passwords: use https, or give `plainHttp: the \
                     reason` under `{host}`"
                );
                found.push(Problem::new(node.place, words));
            }
        }
    }
    found
}

fn is_text_exposed(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_exposed(&url))
}

/// The name of a mirror's own entry in `registries`: its host and port.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::SpecFile;

    fn problems(repository: &str, rest: &str) -> Vec<String> {
        let text = format!(
            "name: demo\nkubernetes: {{version: 1.28.2}}\ntargets:\n- family: el9\n  \
             architecture: x86_64\n  repositories:\n  - {{id: os, {repository}}}\n{rest}"
        );
        match SpecFile::parse("s.yaml".as_ref(), text.into_bytes()) {
            Ok(_) => Vec::new(),
            Err(error) => error.to_string().lines().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn what_nobody_vouches_for_is_not_read_over_plain_http() {
        const OFF: &str = "gpgcheck: {off: tried here}, repoGpgcheck: {off: tried here}";
        const METADATA_OFF: &str = "repoGpgcheck: {off: tried here}";
        let good = [
            "baseUrl: http://mirror.example.com/os/, keys: [key.asc]".to_owned(),
            format!("baseUrl: http://mirror.example.com/os/, keys: [key.asc], {METADATA_OFF}"),
            "mirrorList: http://mirror.example.com/list, keys: [https://a.example.com/k]"
                .to_owned(),
            format!("baseUrl: http://mirror.example.com/os/, {OFF}, plainHttp: it is our own"),
            "baseUrl: https://a.example.com/, keys: [http://a.example.com/k], plainHttp: our own"
                .to_owned(),
            format!("baseUrl: http://127.8.0.1:8080/os/, {OFF}"),
            format!("baseUrl: 'http://[::1]:8080/os/', {OFF}"),
            "baseUrl: http://localhost/os/, keys: [http://localhost/k]".to_owned(),
        ];
        for repository in good {
            assert_eq!(problems(&repository, ""), [""; 0], "{repository}");
        }
        let bad = [
            (format!("baseUrl: http://mirror.example.com/os/, {OFF}"), "7:23:", "no signature"),
            (format!("mirrorList: http://mirror.example.com/os/, {OFF}"), "7:26:", "no signature"),
            (
                "baseUrl: https://a.example.com/, keys: [a.asc, http://a.example.com/k]".to_owned(),
                "7:61:",
                "the key http://a.example.com/k",
            ),
            (
                "baseUrl: https://a.example.com/, keys: [http://127.0.0.1.example.com/k]"
                    .to_owned(),
                "7:54:",
                "the key",
            ),
            (
                "baseUrl: https://a.example.com/, keys: [HTTP://10.0.0.1/k]".to_owned(),
                "7:54:",
                "the key",
            ),
        ];
        for (repository, place, words) in bad {
            let found = problems(&repository, "");
            let [found] = found.as_slice() else { panic!("{repository}: {found:?}") };
            assert!(found.starts_with(&format!("s.yaml:{place}")), "{repository}: {found}");
            assert!(found.contains(words) && found.contains("plainHttp: the reason"), "{found}");
        }
        // All problems at once.
        let both = format!("baseUrl: http://a.example.com/, keys: [http://a.example.com/k], {OFF}");
        let rest = "manifests: [{name: a, url: http://a.example.com/a.yaml}]\n";
        assert_eq!(problems(&both, rest).len(), 3);
    }

    #[test]
    fn a_manifest_over_plain_http_is_pinned() {
        let good = "baseUrl: https://a.example.com/, keys: [key.asc]";
        let hex = "0".repeat(64);
        for (more, is_good) in [
            (String::new(), false),
            (format!(", sha256: '{hex}'"), true),
            (", plainHttp: it is our own".to_owned(), true),
        ] {
            let manifest = format!("{{name: a, url: http://a.example.com/a.yaml{more}}}");
            let found = problems(good, &format!("manifests: [{manifest}]\n"));
            assert_eq!(found.is_empty(), is_good, "{found:?}");
            assert!(is_good || found[0].starts_with("s.yaml:8:28: manifest `a`"), "{found:?}");
        }
        let local = "manifests: [{name: a, url: http://127.0.0.1/a.yaml}]\n";
        assert_eq!(problems(good, local), [""; 0]);
    }
}
