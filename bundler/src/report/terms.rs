//! The words of the page that not everybody knows.

use maud::{Markup, html};

const TERMS: [(&str, &str); 9] = [
    (
        "Bundle",
        "The archive that is carried to machines without internet, with all that they need.",
    ),
    ("Spec", "The file in which the maker of the bundle wrote what he wants in it."),
    (
        "Lock",
        "The list that bundler made from the spec: each thing with its version, its source and its \
         digest.",
    ),
    ("Index", "The bundle's list of its own contents. Its digest fixes every byte of the bundle."),
    ("Digest", "A number that is computed from bytes (SHA-256). Other bytes have another digest."),
    ("Image", "The files of a program that runs in a container."),
    ("Manifest", "A text that tells a cluster what to run."),
    ("Metadata", "A repository's list of its packages and their digests."),
    (
        "To vouch",
        "To give a reason to believe that a thing is from its maker: best a signature, at least a \
         connection with TLS.",
    ),
];

/// Each word with its meaning.
pub(super) fn list() -> Markup {
    html! {
        details #terms {
            summary { "What the words mean: bundle, spec, lock, index and others" }
            dl.terms { @for (word, meaning) in TERMS { div { dt { (word) } dd { (meaning) } } } }
        }
    }
}
