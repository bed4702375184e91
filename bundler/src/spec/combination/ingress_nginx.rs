//! ingress-nginx, which its makers gave up in March 2026 (kubernetes.io/blog, "Ingress
//! NGINX Retirement").

use super::tested::{Row, untested};
use crate::spec::root::Spec;

/// The "Supported Versions table" of its README.
const TESTED: [Row; 7] = [
    (9, 25, 28),
    (10, 26, 30),
    (11, 26, 30),
    (12, 28, 32),
    (13, 29, 33),
    (14, 30, 34),
    (15, 31, 35),
];

/// The last releases, of 2026-03-20. What is wrong in these stays.
const LAST: [[u32; 2]; 3] = [[13, 9], [14, 5], [15, 1]];

/// What a release engineer should know about `ingress-nginx/controller`
/// 1.`own`.`patch`.
pub(super) fn warnings(spec: &Spec, [own, patch]: [u32; 2]) -> Vec<String> {
    let minor = spec.kubernetes.version.value.minor();
    let mut warnings = Vec::new();
    warnings.extend(untested(("ingress-nginx 1", [own, patch]), &TESTED, minor));
    let is_open = match own {
        0..=10 => true,
        11 => patch < 5,
        12 => patch < 1,
        _ => false,
    };
    let retired = "its project retired in March 2026: for a new cluster, use Gateway API, as \
                   `bundler init` shows";
    let own_name = format!("ingress-nginx 1.{own}.{patch}");
    warnings.push(if is_open {
        format!("{own_name} is open to CVE-2025-1974, which 1.11.5 and 1.12.1 fix, and {retired}")
    } else if let Some([_, last]) = LAST.iter().find(|[row, last]| *row == own && *last > patch) {
        format!("{own_name} is older than 1.{own}.{last}, the last of its series, and {retired}")
    } else if own < LAST[0][0] {
        format!("{own_name} lacks the fixes of 1.{}.{}, and {retired}", LAST[0][0], LAST[0][1])
    } else {
        format!("{own_name} gets no more fixes, because {retired}")
    });
    warnings
}
