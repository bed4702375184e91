//! The parsers that read what others write, one file a subject.

use std::fmt::Display;

use crate::run::Target;

/// The targets: a module and a function of the same name each, and a test that tries
/// the target on its seeds and on some thousand broken ones.
macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// All targets, by their names.
        pub const TARGETS: &[(&str, Target)] = &[$((stringify!($name), $name::$name)),*];

        #[cfg(test)]
        mod smoke {
            $(
                #[test]
                fn $name() {
                    super::holds(stringify!($name), super::$name::$name);
                }
            )*
        }
    };
}

targets! {
    archive,
    bundle_patch,
    challenge,
    chrony,
    cluster_file,
    comps,
    containerd,
    damage_map,
    dependency,
    discovery,
    evr,
    filelists,
    fstab,
    have,
    hosts,
    image_layer,
    image_reference,
    image_signature,
    index,
    join_file,
    kubectl,
    lock,
    modules,
    openpgp_key,
    package_list,
    package_signature,
    parity,
    patch,
    primary,
    receipt,
    registry_document,
    repomd,
    rpm_header,
    spec,
    trusted_root,
}

pub(crate) use bundle_patch::good as good_patch;
pub(crate) use damage_map::good as good_map;
pub(crate) use parity::good as good_parity;

/// What came of reading, in words.
fn outcome<T, E: Display>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => READ.to_owned(),
        Err(error) => format!("{error:#}"),
    }
}

/// The outcome of an input without mistakes.
const READ: &str = "read";

/// How an outcome begins if a program is missing that the target asks.
pub const SKIPPED: &str = "skipped: ";

/// Bytes as text, for a parser that is only ever given text.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// How many broken inputs a test of a target tries, and for how many seconds at most.
#[cfg(test)]
fn inputs(name: &str) -> (usize, u64) {
    match name {
        // A program is started for each.
        "package_signature" => (300, 60),
        _ => (5000, 2),
    }
}

/// Tries a target on its seeds, of which one at least has no mistake, and on broken
/// ones, which are the same in each run.
#[cfg(test)]
fn holds(name: &str, target: Target) {
    let mut run = crate::run::Run::new(target, crate::grammar::of(name), 15);
    let seeds = crate::seeds::of(name);
    let tried = seeds.iter().map(|seed| run.seed(seed).unwrap_or_else(|crash| panic!("{crash}")));
    let outcomes: Vec<String> = tried.collect();
    if let Some(skipped) = outcomes.iter().find(|one| one.starts_with(SKIPPED)) {
        println!("{skipped}");
        return;
    }
    assert!(outcomes.iter().any(|one| one.starts_with(READ)), "no seed is read: {outcomes:#?}");
    let (most, seconds) = inputs(name);
    let begun = std::time::Instant::now();
    for _ in 0..most {
        if begun.elapsed().as_secs() >= seconds {
            break;
        }
        let input = run.broken();
        run.take(input).unwrap_or_else(|crash| panic!("{crash}"));
    }
}
