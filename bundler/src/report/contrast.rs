//! The colours of the page can be read: WCAG 2.2, 1.4.3, asks for a contrast of 4.5 between a
//! text and what is behind it.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("report.css");

const TEXTS: [&str; 6] = ["ink", "soft", "link", "bad", "worry", "good"];
const GROUNDS: [&str; 6] = ["paper", "card", "band", "bad-band", "worry-band", "good-band"];
/// Behind the labels of the picture, which have two colours only.
const TILES: [&str; 6] = ["package", "image", "manifest", "installer", "key", "other"];

/// The colours that a part of the style sets, without the `--` of their names.
fn colours(style: &str) -> BTreeMap<&str, &str> {
    let values = style.split("--").skip(1).filter_map(|one| one.split_once(": #"));
    values.filter_map(|(name, rest)| Some((name, rest.get(..6)?))).collect()
}

/// The relative luminance of a colour, as WCAG 2.2 defines it.
fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}

fn contrast(a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_can_be_read_on_all_that_may_be_behind_it() {
    assert!((contrast("ffffff", "000000") - 21.0).abs() < 0.001);
    assert!((contrast("777777", "ffffff") - 4.48).abs() < 0.01);
    let (light, rest) = STYLE.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let (dark, rest) = rest.split_once("\n}\n").unwrap();
    let (_, print) = rest.split_once("@media print").unwrap();
    for (name, own) in [("light", ""), ("dark", dark), ("print", print)] {
        let mut all = colours(light);
        all.extend(colours(own));
        let pairs = TEXTS.iter().flat_map(|text| GROUNDS.iter().map(move |ground| (text, ground)));
        let labels = TEXTS[..2].iter().flat_map(|text| TILES.iter().map(move |tile| (text, tile)));
        for (text, ground) in pairs.chain(labels) {
            let found = contrast(all[text], all[ground]);
            assert!(found >= 4.5, "{name}: {text} on {ground} has {found:.2}");
        }
    }
}

/// Rules name their colours, so that the test above knows all of them.
#[test]
fn no_colour_is_written_into_a_rule() {
    let known = [&TEXTS[..], &GROUNDS, &TILES, &["rule"]].concat();
    for line in STYLE.lines().filter(|line| line.contains('#')) {
        for part in line.split(';').filter(|part| part.contains('#')) {
            let (name, _) =
                part.trim().trim_start_matches(":root {").trim().split_once(':').unwrap();
            let name = name.strip_prefix("--").unwrap_or_else(|| panic!("{line}"));
            assert!(known.contains(&name), "{line}");
        }
    }
}
