//! Prefixes of image names.

use bundle_format::ImageReference;
use bundle_format::reference::usual_host;

/// The full name of `image` with `to` in place of `from`; none if the name does not
/// begin with `from`, in whole segments. Another spelling of the registry's host is no other
/// name.
pub(crate) fn moved(image: &ImageReference, from: &str, to: &str) -> Option<String> {
    let name = usual(&image.to_string());
    let rest = name.strip_prefix(&usual(from.trim_end_matches('/')))?;
    let is_whole = rest.is_empty() || rest.starts_with(['/', ':', '@']);
    is_whole.then(|| format!("{}{rest}", to.trim_end_matches('/')))
}

/// A name with its host in the usual spelling.
fn usual(name: &str) -> String {
    match name.split_once('/') {
        Some((host, path)) => format!("{}/{path}", usual_host(host)),
        None => usual_host(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_of_whole_segments_and_of_any_spelling_of_the_host() {
        for (image, from, moved_to) in [
            ("r.io/team/app:1", "r.io/team", Some("q.io/x/app:1")),
            ("r.io/team/app:1", "r.io/team/", Some("q.io/x/app:1")),
            ("r.io/team/app:1", "r.io/te", None),
            ("R.io/team/app:1", "r.io/team", Some("q.io/x/app:1")),
            ("r.io:443/team/app:1", "r.io/team", Some("q.io/x/app:1")),
            ("R.io/team/app:1", "R.io/team", Some("q.io/x/app:1")),
            ("r.io/team/app:1", "R.io:443/team", Some("q.io/x/app:1")),
            ("r.io/team/app:1", "R.io", Some("q.io/x/team/app:1")),
            ("calico/node:1", "registry-1.docker.io/calico", Some("q.io/x/node:1")),
            ("calico/node:1", "Docker.io/calico", Some("q.io/x/node:1")),
            ("r.io:5000/team/app:1", "r.io/team", None),
        ] {
            let image = image.parse().unwrap();
            assert_eq!(moved(&image, from, "q.io/x").as_deref(), moved_to, "{image} {from}");
        }
    }
}
