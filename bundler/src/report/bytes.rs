//! Where the bytes of a bundle are: a picture, and tables.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use indicatif::HumanBytes;
use maud::{Markup, html};

use super::entry::Kind;
use super::facts::Facts;
use super::picture;
use super::share::{self, words};
use super::shown;

/// The picture, and the same in a table.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let all = share::all(facts.bundle);
    let total = facts.bundle.length();
    let mut sums: BTreeMap<Option<Kind>, u64> = BTreeMap::new();
    for share in &all {
        *sums.entry(share.kind).or_default() += share.bytes;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, bytes)| Reverse(*bytes));
    html! {
        section #bytes aria-labelledby="bytes-heading" {
            h2 #bytes-heading { "Where the bytes are" }
            p { "The whole is " (HumanBytes(total)) ". A larger tile has more bytes. What several \
                 images have in common counts once, and has a tile of its own." }
            (picture::of(&share::largest(&all)))
            table.legend {
                thead { tr {
                    th scope="col" { "Kind" } th.number scope="col" { "Things" }
                    th.number scope="col" { "Size" } th.number scope="col" { "Share" }
                } }
                tbody { @for (kind, bytes) in &sums { tr {
                    th scope="row" { (picture::swatch(*kind)) (words(*kind)) }
                    // Of things and not of tiles: what several have in common is no thing.
                    td.number {
                        @match kind { Some(kind) => (facts.of_kind(*kind).count()), None => "\u{2013}" }
                    }
                    td.number { (HumanBytes(*bytes)) }
                    td.number { (percent(*bytes, total)) }
                } } }
            }
            h3 { "The largest things" }
            ol.largest { @for share in all.iter().filter(|own| own.kind.is_some()).take(10) { li {
                (shown::text(&share.name)) " " span.size { (HumanBytes(share.bytes)) }
            } } }
        }
    }
}

fn percent(bytes: u64, total: u64) -> String {
    match bytes * 1000 / total.max(1) {
        0 => "under 0.1 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_has_one_decimal() {
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(1, 0), "100.0 %");
        assert_eq!(percent(1, 5000), "under 0.1 %");
    }
}
