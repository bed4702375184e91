//! Who signed the bundle itself: the whole key and the second. A key's number says nothing,
//! because anybody can make a key that has it.

use std::time::{Duration, SystemTime};

use bundle_format::day::{day, sorting_day};
use bundle_format::signature::Signed;
use maud::{Markup, html};

use super::facts::Facts;
use super::shown;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// For the head of the page.
pub(super) fn head(facts: &Facts<'_>) -> Markup {
    html! {
        @match facts.bundle.signed() {
            Some(by) => { "Signed by the public key " (key(by)) (on(by)) }
            None => { "Signature not checked: no key was given" }
        }
    }
}

/// Who made the bundle, and when. The bundle itself says neither, so that the same lock gives
/// the same bundle.
pub(super) fn maker(facts: &Facts<'_>) -> Markup {
    html! {
        @match facts.bundle.signed() {
            Some(by) => {
                @match by.moment() {
                    Some(moment) => { a href="#signer" { "A key" } " signed it on " (moment) "." }
                    None => {
                        a href="#signer" { "A key" }
                        " signed it. The signature does not say when."
                    }
                }
                " Nothing else says who made it, and when."
            }
            None => {
                "Nothing says who made it, and when: the bundle itself does not, and its signature \
                 was " strong { "not checked" } "."
            }
        }
    }
}

/// The key, and what a reader must do with it.
pub(super) fn vouches(facts: &Facts<'_>) -> Markup {
    html! {
        @match facts.bundle.signed() {
            Some(by) => {
                "The bundle itself was signed" (on(by)) " by the public key "
                span #signer { (key(by)) }
                ". Compare the whole key with the one that you got by another way than the bundle \
                 and this page. Its number (key id), " code { (by.key) } ", proves nothing: anybody can \
                 make a key with this number."
            }
            None => {
                strong { "The signature of the bundle itself was not checked" }
                ", because no key was given for this page. " code { "--trusted-key FILE" }
                " checks it. Until then, a signature beside the bundle proves nothing, and neither \
                 does the number of its key (key id): anybody can choose that number."
            }
        }
    }
}

/// Who signed the bundle before.
pub(super) fn before(facts: &Facts<'_>, before: Option<&Signed>) -> Markup {
    html! {
        @match (facts.bundle.signed(), before) {
            (_, None) => { "Nobody has checked for this page who signed that one." }
            (Some(own), Some(old)) if own.public == old.public => {
                "It was signed" (on(old)) " by the same key."
            }
            (_, Some(old)) => { "It was signed" (on(old)) " by the public key " (key(old)) "." }
        }
    }
}

/// Whether somebody may have brought an old bundle, and whether the signature's time can be
/// right.
pub(super) fn worries(facts: &Facts<'_>) -> Vec<Markup> {
    let mut said = otherwise(facts);
    said.extend(ahead(facts));
    said
}

fn key(by: &Signed) -> Markup {
    html! { code { (by.public) } }
}

/// ` on 28 Nov 2026, 02:32:54 UTC`, if the signature says that.
fn on(by: &Signed) -> Markup {
    html! { @if let Some(moment) = by.moment() { " on " (moment) } }
}

/// What the signatures of this bundle and of the one before say together.
fn otherwise(facts: &Facts<'_>) -> Vec<Markup> {
    let Some((before, _)) = &facts.before else { return Vec::new() };
    let (name, old_name) = (&facts.bundle.lock().name, &before.lock().name);
    let mut said = Vec::new();
    if name != old_name {
        said.push(html! {
            "The bundle before has another name, " strong { (shown::text(old_name)) }
            ". Nodes refuse an older bundle only if it has the name of one that they had."
        });
    }
    let (Some(own), Some(old)) = (facts.bundle.signed(), before.signed()) else { return said };
    match (own.at, old.at) {
        (Some(at), Some(old_at)) if at < old_at => said.push(html! {
            strong { "This bundle was signed earlier than the bundle before" }
            ", so it may be an old one. Nodes that had the other one refuse it without "
            code { "--allow-older" } "."
        }),
        (None, Some(_)) => said.push(html! {
            "The signature does not say when it was made, so this may be an old bundle. Nodes that \
             had the bundle before refuse it without " code { "--allow-older" } "."
        }),
        _ => {}
    }
    if own.public != old.public {
        said.push(html! {
            "Another key signed the bundle before: " (key(old)) ", and not " (key(own)) "."
        });
    }
    said
}

/// A date that cannot be right.
fn ahead(facts: &Facts<'_>) -> Option<Markup> {
    let by = facts.bundle.signed()?;
    is_ahead(by.time()?, facts.now).then(|| {
        html! {
            strong { "The signature is dated in the future" } ":" (on(by))
            ", and this page was made on " (day(facts.now))
            ". Either a clock is wrong, or somebody chose that date. Nodes that take this bundle \
             refuse each bundle of its name that is signed before that date."
        }
    })
}

/// Whether the date is later than tomorrow's, so that clocks and places may differ by a day.
/// Only days are compared: the page is the same all day.
fn is_ahead(signed: SystemTime, now: SystemTime) -> bool {
    sorting_day(signed) > sorting_day(now + DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_ahead_if_its_date_is_later_than_tomorrows() {
        let midnight = SystemTime::UNIX_EPOCH + 20_000 * DAY;
        let (noon, second) = (midnight + DAY / 2, Duration::from_secs(1));
        for now in [midnight, noon, midnight + DAY - second] {
            assert!(!is_ahead(noon - 400 * DAY, now));
            assert!(!is_ahead(midnight + 2 * DAY - second, now));
            assert!(is_ahead(midnight + 2 * DAY, now));
        }
    }
}
