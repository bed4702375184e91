//! The digests that fix the bundle, and room for a signature by hand.

use bundle_format::Digest;
use maud::{Markup, html};

use super::entry::Kind;
use super::facts::Facts;
use super::shown;

/// Both.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let bundle = facts.bundle;
    let line = |what: Markup, digest: Digest, words: &str| {
        html! {
            tr { th scope="row" { (what) } td { (shown::digest(digest)) } td { (words) } }
        }
    };
    html! {
        section #approval aria-labelledby="approval-heading" {
            h2 #approval-heading { "Digests, to sign by hand" }
            p {
                "The first digest fixes every byte of the bundle. On site, "
                code { "installer verify" } " prints it as " code { "index" }
                ". If both agree, the bundle there is the one of this page."
            }
            table.digests {
                thead { tr {
                    th scope="col" { "Of" } th scope="col" { "SHA-256" } th scope="col" { "It fixes" }
                } }
                tbody {
                    (line(html! { "The index" }, bundle.index_digest(), "everything in the bundle"))
                    (line(html! { "The lock" }, bundle.lock_digest(), "the list of what is in it, with all reasons"))
                    @if let Some(own) = bundle.sbom() {
                        (line(
                            html! { "The bill of materials" }, own.descriptor.digest,
                            "what programs that look for vulnerabilities read",
                        ))
                    }
                    (line(html! { "The spec" }, bundle.lock().spec, "what was asked for"))
                    @for own in facts.of_kind(Kind::Installer) {
                        (line(
                            html! { "The installer " (shown::text(&own.name)) }, own.digest,
                            "the program that runs on nodes; it lies beside the bundle",
                        ))
                    }
                }
            }
            dl.by-hand {
                @for words in ["Approved by", "Date", "Signature"] { div { dt { (words) } dd {} } }
            }
        }
    }
}
