//! Reading `cluster.yaml`, and what holds of it and of the bundle's own keys.

use std::path::Path;

use anyhow::Context;
use bundle_format::cluster::{Cluster, Given};
use bundle_format::input;

use crate::failure::Failure;

/// Reads `cluster.yaml`.
pub fn load(path: &Path) -> anyhow::Result<Given> {
    let text = input::named_text(path, input::WRITTEN_BY_HAND)
        .with_context(|| format!("reading {}", path.display()))?;
    // A file of comments alone gives nothing.
    let options = serde_saphyr::options! { with_snippet: false };
    let given: Option<Given> =
        serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
            Failure::new(mistake(path, &error), "`installer manual` lists what can stand in it")
        })?;
    Ok(given.unwrap_or_default())
}

/// With its place in front, as the bundler has it for a spec.
fn mistake(path: &Path, error: &serde_saphyr::Error) -> String {
    let words = error.to_string();
    // The parser's own words may end in the place.
    let words = words.split(" at line ").next().unwrap_or(&words);
    let place = error.location().map(|at| format!("{}:{}: ", at.line(), at.column()));
    format!("{}:{}{words}", path.display(), place.unwrap_or_else(|| " ".to_owned()))
}

/// The cluster by the bundle's keys and those of a cluster file, which come
/// before.
pub fn effective(bundle: &Given, file: &Given) -> anyhow::Result<Cluster> {
    let cluster = Cluster::of(&[bundle, file]).context("reading the cluster file")?;
    match cluster.conflicts().first() {
        None => Ok(cluster),
        Some(conflict) => Err(Failure::new(conflict.to_string(), conflict.cure()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.yaml");
        std::fs::write(&path, text).unwrap();
        let given = load(&path).and_then(|given| effective(&Given::default(), &given));
        match given {
            Ok(_) => String::new(),
            Err(error) => error.to_string().replace(&folder.path().display().to_string(), ""),
        }
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        assert_eq!(words(""), "");
        assert_eq!(words("# nothing\n"), "");
        assert_eq!(words("ntpServers: [a]\n"), "");
        for (text, place, what) in [
            ("ingress: true\npodCidrs: x\n", ":2:", "unknown field `podCidrs`"),
            ("ingress: true\npodCidr: x\n", ":2:", "invalid"),
            ("nodes:\n- {name: A, address: 10.0.0.1}\n", ":2:", "`A` is no node name"),
            ("ingress: true\ningress: true\n", ":2:", "duplicate"),
            ("podCidr: 10.96.0.0/16\n", "", "overlap"),
            ("podCidr: 10.244.0.1/16\n", "", "10.244.0.1/16 is an address in a network"),
            ("serviceCidr: 16.0.0.0/11\n", "", "of a size that kubeadm refuses"),
            ("ingressNodes: [a]\n", "", "names a, and nodes has no such machine"),
        ] {
            let words = words(text);
            assert!(words.contains(place) && words.contains(what), "{text}{words}");
        }
    }
}
