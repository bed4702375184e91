//! The keys that images must be signed with.

use std::collections::BTreeMap;

use bundle_format::ImageReference;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{prefix, text};

/// Files with public keys, by the beginning of the names of the images that they must have
/// signed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("propertyNames" = {"format": text::ImagePrefix::schema_name()}))]
pub struct Signatures(#[schemars(with = "BTreeMap<String, text::File>")] BTreeMap<String, String>);

impl Signatures {
    /// The beginnings of names, each with its file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(prefix, file)| (prefix.as_str(), file.as_str()))
    }

    /// The entry for an image: the longest that its name on nodes begins with, or else the
    /// longest that the name begins with by which it is pulled.
    pub fn of(&self, name: &ImageReference, source: &ImageReference) -> Option<(&str, &str)> {
        let longest = |image: &ImageReference| {
            let fits = |prefix: &str| prefix::moved(image, prefix, "").is_some();
            let all = self.iter().filter(|(prefix, _)| fits(prefix));
            all.max_by_key(|(prefix, _)| prefix.trim_end_matches('/').len())
        };
        longest(name).or_else(|| longest(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_counts_and_the_name_on_nodes_comes_first() {
        let of = |entries: &[&str], name: &str, source: &str| {
            let own = |prefix: &&str| ((*prefix).to_owned(), format!("{prefix}.pub"));
            let all = Signatures(entries.iter().map(own).collect());
            let found = all.of(&name.parse().unwrap(), &source.parse().unwrap());
            found.map(|(prefix, _)| prefix.to_owned())
        };
        let (team, other) = ("r.io/team/app:1", "q.io/app:1");
        for (entries, name, source, wanted) in [
            (&["r.io", "r.io/team", "r.io/te"][..], team, team, Some("r.io/team")),
            (&["r.io/", "r.io/team/app"], team, team, Some("r.io/team/app")),
            (&["r.io/team/app:1"], team, team, Some("r.io/team/app:1")),
            (&["r.io/te", "r.io/team/ap", "q.io"], team, team, None),
            (&["r.io", "q.io/app"], team, other, Some("r.io")),
            (&["q.io"], team, other, Some("q.io")),
            (&["r.io/team"], "R.io/team/app:1", team, Some("r.io/team")),
            (&["r.io/team"], "r.io:443/team/app:1", "q.io:443/app:1", Some("r.io/team")),
            (&["docker.io/library"], "busybox:1", "busybox:1", Some("docker.io/library")),
            (&["docker.io/calico"], "calico/node:1", "calico/node:1", Some("docker.io/calico")),
        ] {
            assert_eq!(of(entries, name, source).as_deref(), wanted, "{entries:?} {name}");
        }
    }
}
