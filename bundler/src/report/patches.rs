//! What the spec changed in manifests, as diffs.

use bundle_format::lines::Lines;
use bundle_format::text::count;
use maud::{Markup, html};

use super::facts::Facts;
use super::shown;

/// Each patched manifest.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    html! {
        @if !facts.patched.is_empty() {
            section #patches aria-labelledby="patches-heading" {
                h2 #patches-heading { "Patches" }
                p { "What the spec changes in files that upstream published. All else of these \
                     files is upstream's, byte for byte." }
                @for (manifest, lines) in &facts.patched {
                    h3 {
                        (shown::text(&manifest.name))
                        span.count { (count(manifest.patches.len(), "change")) }
                    }
                    p.note { "Upstream: " (shown::text(&manifest.source)) }
                    table.edits {
                        thead { tr {
                            th.number scope="col" { "Line" } th scope="col" { "Asked for by" }
                            th scope="col" { "Before" } th scope="col" { "Now" }
                        } }
                        tbody { @for edit in &manifest.patches { tr {
                            td.number { (edit.line) }
                            td { code { (shown::text(&edit.patch)) } }
                            td { code { (shown::lines(edit.from.trim())) } }
                            td { code { (shown::lines(edit.to.trim())) } }
                        } } }
                    }
                    @match lines {
                        Some(lines) => { details open { summary { "The same as a diff" } (diff(lines)) } }
                        None => { p.note { "The file is too long to show the lines around them." } }
                    }
                }
            }
        }
    }
}

/// The lines of a diff. Each begins with its sign, so that colour says nothing alone.
pub(super) fn diff(lines: &Lines) -> Markup {
    html! {
        pre.diff tabindex="0" {
            @for line in &lines.lines {
                @match line.chars().next() {
                    Some('+') => ins { (shown::text(line)) },
                    Some('-') => del { (shown::text(line)) },
                    Some('@') => b { (shown::text(line)) },
                    _ => (shown::text(line)),
                }
                "\n"
            }
        }
        @if lines.left_out > 0 {
            p.note {
                (count(lines.left_out, "more line")) " not shown here; " code { "bundler extract" }
                " gives the files."
            }
        }
    }
}
