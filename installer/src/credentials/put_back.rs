//! Certificates that a lost power has cut short, from the receipt.

use crate::engine::change::Change;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::certificates::pki;
use crate::receipt::{Before, Deed, Line};

/// kubeadm writes over its files, and so a power loss leaves one cut short, which
/// it cannot read again. The receipt has what was in it.
pub(super) fn changes<C>(host: &Host) -> anyhow::Result<Vec<Change<C>>> {
    let mut changes = Vec::new();
    for path in pki::renewed_files(host) {
        if path.ends_with(".key") || pki::is_whole(&path, &host.read(&path)?.unwrap_or_default()) {
            continue;
        }
        let Some((text, mode)) = kept(host, &path)? else {
            return Err(Failure::new(
                format!("{path} has no certificate in it"),
                "have kubeadm make it anew: move it away, and see `kubeadm init phase certs` and \
                 `kubeadm init phase kubeconfig`",
            )
            .into());
        };
        changes.push(Change::Write {
            path: path.into(),
            text: text.into(),
            mode,
            then: None,
            why: None,
        });
    }
    Ok(changes)
}

/// The last text that the receipt has of a file with a certificate in it. One that
/// cannot be read is told, unless an earlier one can.
fn kept(host: &Host, path: &str) -> anyhow::Result<Option<(String, u32)>> {
    let mut unread = None;
    for line in host.lines().iter().rev() {
        let Line::Deed { deed: Deed::Wrote { path: of, before, .. }, .. } = line else { continue };
        let Before::File { kept, attributes } = before else { continue };
        if of.to_str() != Some(path) {
            continue;
        }
        match host.kept(kept) {
            Ok(text) => {
                let text = String::from_utf8(text).unwrap_or_default();
                if pki::is_whole(path, &text) {
                    return Ok(Some((text, attributes.mode)));
                }
            }
            Err(error) => unread = unread.or(Some(error)),
        }
    }
    unread.map_or(Ok(None), Err)
}
