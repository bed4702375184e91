//! Who must have signed images.

use std::collections::BTreeMap;

use bundle_format::ImageReference;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{prefix, text};

/// Who must have signed images, by the beginning of their names.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("propertyNames" = {"format": text::SignedImages::schema_name()}))]
pub struct Signatures(BTreeMap<String, Signer>);

/// Who must have signed an image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Signer {
    /// The owner of a key: a file beside the spec.
    Key(#[schemars(with = "text::File")] String),
    /// Somebody without a key of his own, whom an issuer knows.
    Identity(Identity),
}

/// Somebody without a key of his own, whom an issuer knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// Who signed: an e-mail address or a URI. In a URI, `*` stands for any text behind its
    /// first folder.
    #[schemars(with = "text::Identity")]
    pub identity: String,
    /// The URL of who knows him.
    #[schemars(with = "text::Issuer")]
    pub issuer: String,
    /// The trusted root of a private Sigstore: a file beside the spec. Left out: that of
    /// Sigstore's public instance.
    #[serde(default)]
    #[schemars(with = "Option<text::File>")]
    pub trusted_root: Option<String>,
}

impl Signer {
    /// The file that it names, if it names one, and the key of the spec for it: none if the
    /// file is the value itself.
    pub fn file(&self) -> Option<(Option<&'static str>, &str)> {
        match self {
            Self::Key(file) => Some((None, file)),
            Self::Identity(Identity { trusted_root, .. }) => {
                Some((Some("trustedRoot"), trusted_root.as_deref()?))
            }
        }
    }
}

impl Signatures {
    /// The beginnings of names, each with who must have signed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Signer)> {
        self.0.iter().map(|(prefix, signer)| (prefix.as_str(), signer))
    }

    /// The entry for an image: the longest that its name on nodes begins with, or else the
    /// longest that the name begins with by which it is pulled.
    pub fn of(&self, name: &ImageReference, source: &ImageReference) -> Option<(&str, &Signer)> {
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
            let own = |prefix: &&str| ((*prefix).to_owned(), Signer::Key(format!("{prefix}.pub")));
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
