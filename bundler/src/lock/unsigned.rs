//! `require: signed` of a spec: everything in the lock has a voucher.

use bundle_format::lock::Lock;

use crate::inspect::audit;
use crate::spec::{Require, Spec};

/// What the spec does not allow, of the releases in between too.
pub(super) fn of_all(spec: &Spec, lock: &Lock) -> Vec<String> {
    let mut found = problems(spec, lock);
    for hop in &lock.hops {
        let own = problems(spec, &lock.of_hop(hop));
        found.extend(own.into_iter().map(|line| format!("hop {}: {line}", hop.kubernetes)));
    }
    found
}

/// What the spec does not allow of one release, a line each.
pub(super) fn problems(spec: &Spec, lock: &Lock) -> Vec<String> {
    if spec.require != Some(Require::Signed) {
        return Vec::new();
    }
    let found = audit::unsigned(lock);
    let mut lines: Vec<String> = found
        .iter()
        .map(|one| format!("`require: signed`: {}: {}", one.what, one.voucher.words))
        .collect();
    if !lines.is_empty() {
        lines.push(
            "name what vouches for them: for a manifest `sha256` or a file, for a key a file beside \
             the spec, for an image its digest in the spec or a signer under `signatures`, for a \
             repository its keys and no `gpgcheck: {off: …}`; or leave out `require`"
                .to_owned(),
        );
    }
    lines
}
