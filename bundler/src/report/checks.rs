//! The checks that are off, with their reasons, and the known warnings.

use bundle_format::lock::CheckName;
use bundle_format::text::count;
use maud::{Markup, html};

use super::facts::Facts;
use super::shown;

/// Both.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let lock = facts.bundle.lock();
    html! {
        section #checks aria-labelledby="checks-heading" {
            h2 #checks-heading { "Checks that are off, and warnings" }
            h3 { "Checks that are off" span.count { (count(lock.disabled_checks.len(), "check")) } }
            @if lock.disabled_checks.is_empty() {
                p { "All checks were on when the bundle was made." }
            } @else {
                table.checks {
                    thead { tr {
                        th scope="col" { "Check" } th scope="col" { "For" }
                        th scope="col" { "What that means" } th scope="col" { "The reason given" }
                    } }
                    tbody { @for off in &lock.disabled_checks { tr {
                        th scope="row" { code { (off.check) } }
                        td { (shown::text(&off.subject)) }
                        td { (meaning(off.check)) }
                        td { (shown::lines(&off.reason)) }
                    } } }
                }
            }
            h3 #warnings { "Known warnings" span.count { (count(lock.warnings.len(), "warning")) } }
            @if lock.warnings.is_empty() {
                p { "There was none when the bundle was made." }
            } @else {
                ul.warnings { @for warning in &lock.warnings { li { (shown::lines(warning)) } } }
            }
        }
    }
}

fn meaning(check: CheckName) -> &'static str {
    match check {
        CheckName::Gpgcheck => "Nobody checks whether a vendor signed the packages.",
        CheckName::RepoGpgcheck => "Nobody checks whether the vendor signed the list of packages.",
        CheckName::ExpiredKeys => "A signature counts although its key has expired.",
        CheckName::PlainHttp => {
            "It may have come over a connection that anybody on the way can read and change."
        }
    }
}
