//! The page around its sections: the head, which forbids all that the page does not need, and
//! the table of contents.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bundle_format::day::day;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::facts::Facts;
use super::shown;
use super::signer;

/// Who made the page, as its head says.
pub(super) const GENERATOR: &str = "bundler report";
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The whole page.
pub(super) fn page(facts: &Facts<'_>, main: &Markup) -> Markup {
    let lock = facts.bundle.lock();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="generator" content=(GENERATOR);
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Bundle " (lock.name) ", Kubernetes " (lock.kubernetes) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                a.skip href="#words" { "Skip to the search" }
                header {
                    p.kicker { "Bundle for machines without internet" }
                    h1 { (shown::text(&lock.name)) span.version { "Kubernetes " (lock.kubernetes) } }
                    p.identity {
                        span { "Index " (shown::digest(facts.bundle.index_digest())) }
                        span { (signer::head(facts)) }
                        span { "Keys judged on " (day(facts.now)) }
                    }
                }
                main #main { (main) }
                footer {
                    p {
                        "Made by bundler " (env!("CARGO_PKG_VERSION")) " from the bundle itself. The \
                         page loads nothing and sends nothing. Characters that a browser would \
                         hide are shown as their numbers, like "
                        span.hidden { "U+202E" } "."
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// What the browser may do: nothing except for the style and the script of this page.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// The table of contents.
pub(super) fn contents(facts: &Facts<'_>) -> Markup {
    let lock = facts.bundle.lock();
    let own = [
        (facts.before.is_some(), "changes", "What changed, one by one"),
        (true, "checks", "Checks that are off, and warnings"),
        (true, "places", "What is installed where"),
        (true, "bytes", "Where the bytes are"),
        (true, "vouchers", "Who vouches"),
        (lock.manifests.iter().any(|one| !one.patches.is_empty()), "patches", "Patches"),
        (true, "everything", "Everything in it, with search"),
        (true, "licences", "Licences"),
        (true, "approval", "Digests, to sign by hand"),
    ];
    html! {
        nav aria-labelledby="contents" {
            h2 #contents { "On this page" }
            ol { @for (_, id, words) in own.iter().filter(|own| own.0) {
                li { a href=(format!("#{id}")) { (words) } }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--") && text.is_ascii());
        }
    }
}
