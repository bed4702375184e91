//! New certificates for a master's control plane, with no network: kubeadm makes
//! them, and its pods start anew to use them. Nothing of it needs an API server
//! that answers, for one whose certificate has expired does not.
//!
//! It may be cut short anywhere: all is renewed again by the next run, since which
//! pods use which certificates nobody can tell afterwards.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::bail;

use super::pods::{self, Container};
use crate::engine::change::Change;
use crate::engine::run;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::certificates::kept::{Kept, Standing};
use crate::node::certificates::kubeconfig::Kubeconfig;
use crate::node::certificates::kubelet;
use crate::node::certificates::pki;
use crate::node::kubeadm::config_option;
use crate::node::kubectl::kubectl;
use crate::node::paths::KUBELET_CLIENT;
use crate::node::paths::KUBELET_CONF;
use crate::node::paths::{ADMIN_CONF, ROOT_KUBECONFIG};
use crate::receipt::{Before, Deed, Line, StepName};
use crate::role::Role;
use crate::steps::time;

/// What the receipt calls it.
pub const STEP: StepName = StepName::Certs;

/// Why this node's certificates are not renewed here; none where they can be.
pub fn refusal(host: &Host) -> anyhow::Result<Option<Failure>> {
    match Role::of_receipt(host.lines()) {
        Some(Role::Master) if host.exists(ADMIN_CONF) => {}
        Some(Role::Master) => {
            return Ok(Some(Failure::new(
                "this node is not yet a master",
                "finish it first, by `installer --role master`",
            )));
        }
        Some(Role::Worker) => {
            return Ok(Some(Failure::new(
                "this node is a worker: its kubelet renews its certificate itself",
                "`installer certs` says until when that holds, and `installer doctor` what to do \
                 when it has expired",
            )));
        }
        None => {
            return Ok(Some(Failure::new(
                "the installer has not made this node",
                "on a master, `installer doctor` has the commands by which to do it by hand",
            )));
        }
    }
    let cure = "have that one renew them, as `kubeadm certs generate-csr` asks for them";
    if let Some(elsewhere) = pki::signed_elsewhere(host, cure) {
        return Ok(Some(elsewhere));
    }
    let now = SystemTime::now();
    let mut authorities = pki::of_authorities(host)?.into_iter();
    let bad =
        authorities.find(|one| matches!(one.standing(now), Standing::Expired | Standing::Early));
    if let Some(Kept { path, certificate, .. }) = bad {
        return Ok(Some(Failure::new(
            format!(
                "the authority in {path} holds from {} to {}, and not now",
                certificate.from, certificate.until
            ),
            "if the clock is right, only a new cluster helps; see `installer doctor`",
        )));
    }
    time::wrong_clock(host)
}

/// What a renewal will do, in order; of files, those that are there by now.
pub fn plan(host: &Host) -> anyhow::Result<Vec<Change>> {
    let mut all = put_back(host)?;
    all.extend(renewed(host));
    all.extend(kubelet(host)?);
    all.extend(restarted(&pods::running(host)?));
    all.push(answering());
    all.extend(own(host)?);
    Ok(all)
}

/// Renews all, says each change to `report` before it is made, and gives the
/// certificates that are now the control plane's. Fails where one is the old one.
pub fn renew(host: &mut Host, report: &mut dyn FnMut(&Change)) -> anyhow::Result<Vec<Kept>> {
    let mut make = |host: &mut Host, changes: Vec<Change>| {
        changes.into_iter().try_for_each(|change| {
            report(&change);
            run::make_without_bundle(host, STEP, &change)
        })
    };
    let mended = put_back(host)?;
    make(host, mended)?;
    let before = pki::of_control_plane(host)?;
    make(host, renewed(host))?;
    let kubelet = kubelet(host)?;
    make(host, kubelet)?;
    let old = pods::running(host)?;
    make(host, vec![Change::run("systemctl restart kubelet")])?;
    for container in &old {
        // It may have ended by itself meanwhile.
        if let Err(error) = make(host, vec![container.end()])
            && pods::running(host)?.contains(container)
        {
            return Err(error);
        }
    }
    pods::await_new(host, STEP, &old)?;
    make(host, vec![answering()])?;
    let own = own(host)?;
    make(host, own)?;
    let after = pki::of_control_plane(host)?;
    let now = SystemTime::now();
    let is_old = |one: &&Kept| {
        let was = before.iter().any(|old| old.certificate.der == one.certificate.der);
        was || one.standing(now) == Standing::Expired
    };
    let left: Vec<&str> = after.iter().filter(is_old).map(|one| one.path.as_str()).collect();
    if !left.is_empty() {
        bail!("kubeadm has not renewed {}", left.join(", "));
    }
    host.finish(STEP)?;
    Ok(after)
}

/// kubeadm writes over its files, and so a power loss leaves one cut short, which
/// it cannot read again. The receipt has what was in it.
fn put_back(host: &Host) -> anyhow::Result<Vec<Change>> {
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

fn renewed(host: &Host) -> Vec<Change> {
    vec![Change::Run {
        command: Command::of(&format!("kubeadm certs renew all{}", config_option(host))),
        undo: Vec::new(),
        files: pki::renewed_files(host).into_iter().map(PathBuf::from).collect(),
    }]
}

/// kubelet renews its own, unless it was off until that had expired: then it does
/// not start, and nothing starts the control plane.
fn kubelet(host: &Host) -> anyhow::Result<Vec<Change>> {
    let now = SystemTime::now();
    if !kubelet::of_client(host)?.iter().any(|one| one.standing(now) == Standing::Expired) {
        return Ok(Vec::new());
    }
    let remove = |path: &str| host.exists(path).then(|| Change::Remove { path: path.into() });
    let mut changes: Vec<Change> = remove(KUBELET_CONF).into_iter().collect();
    let line = format!("kubeadm init phase kubeconfig kubelet{}", config_option(host));
    changes.push(Change::Run {
        command: Command::of(&line),
        undo: Vec::new(),
        files: vec![KUBELET_CONF.into()],
    });
    changes.extend(remove(KUBELET_CLIENT));
    Ok(changes)
}

/// kubelet starts again what has ended: at once, if it has just been started itself
/// and so knows of no earlier end.
fn restarted(running: &[Container]) -> Vec<Change> {
    let kubelet = [Change::run("systemctl restart kubelet")];
    kubelet.into_iter().chain(running.iter().map(Container::end)).collect()
}

/// The API server, believed by its new certificate.
fn answering() -> Change {
    let line = format!("{} --request-timeout 10s get --raw /readyz", kubectl(ADMIN_CONF));
    Change::Await { command: Command::of(&line), seconds: 300 }
}

/// root's own kubeconfig, where it is a copy of the administrator's.
fn own(host: &Host) -> anyhow::Result<Vec<Change>> {
    let read = |path| Kubeconfig::whole(host, path);
    let (Some(admin), Some(own)) = (read(ADMIN_CONF)?, read(ROOT_KUBECONFIG)?) else {
        return Ok(Vec::new());
    };
    let name = |config: &Kubeconfig| Some(config.client.first()?.common_name.clone());
    if name(&admin) != name(&own) || !own.believes(&admin.authorities) {
        return Ok(Vec::new());
    }
    Ok(vec![Change::write_secret(ROOT_KUBECONFIG, host.read(ADMIN_CONF)?.unwrap_or_default())])
}
