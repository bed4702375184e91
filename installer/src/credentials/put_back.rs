//! Restores certificates that a power loss cut short, from the receipt.

use crate::engine::change::Change;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::certificates::pki;
use crate::receipt::{Before, Deed, Line};

/// The changes that restore them. kubeadm writes over its files, so a power loss can
/// leave one cut short, and kubeadm cannot read that. The receipt has the text from
/// before.
pub(super) fn changes<C>(host: &Host) -> anyhow::Result<Vec<Change<C>>> {
    let mut changes = Vec::new();
    for path in pki::renewed_files(host) {
        if path.ends_with(".key") || pki::is_whole(&path, &host.read(&path)?.unwrap_or_default()) {
            continue;
        }
        let Some((text, mode)) = kept(host, &path)? else {
            return Err(Failure::new(
                format!("{path} has no certificate in it"),
                "let kubeadm make it again: move it away, and see `kubeadm init phase certs` and \
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

/// The receipt's last good text of a file with a certificate. If a kept text cannot
/// be read, that is an error, unless an earlier one can.
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
