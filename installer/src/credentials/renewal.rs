//! New certificates for a master's control plane, without any network: kubeadm makes them,
//! and the pods restart to use them. No step needs the API server, because one whose
//! certificate has expired does not answer.
//!
//! A renewal may be interrupted at any point. The next run renews everything again, because
//! nobody can tell afterwards which pods use which certificates. So all steps share one
//! name in the receipt, and finish together.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::SystemTime;

use anyhow::bail;

use super::put_back;
use crate::engine::change;
use crate::engine::step::{self, Step};
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::certificates::kept::{Kept, Standing};
use crate::node::certificates::kubeconfig::Kubeconfig;
use crate::node::certificates::{kubelet, pki};
use crate::node::control_plane::{self, Container};
use crate::node::kubeadm::{config_option, own_kubectl};
use crate::node::paths::{ADMIN_CONF, KUBELET_CLIENT, KUBELET_CONF, ROOT_KUBECONFIG};
use crate::receipt::{Line, StepName};
use crate::role::Role;
use crate::steps::time;

/// A change of a renewal.
pub type Change = change::Change<OfRenewal>;
type Node<'a> = step::Node<'a, Renewal>;

/// The steps, in order.
pub const STEPS: [&'static dyn Step<Renewal>; 5] =
    [&PutBack, &RenewAll, &KubeletsOwn, &Restart, &RootsCopy];

/// Why this node's certificates cannot be renewed here; none if they can.
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
                "`installer certs` shows how long it is valid, and `installer doctor` what to do \
                 when it has expired",
            )));
        }
        None => {
            return Ok(Some(Failure::new(
                "the installer has not made this node",
                "on a master, `installer doctor` shows the commands to do it by hand",
            )));
        }
    }
    let cure = "let the owner of that authority sign new ones; `kubeadm certs generate-csr` makes \
        the requests";
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
                "the authority in {path} is valid from {} to {}, and not now",
                certificate.from, certificate.until
            ),
            "if the clock is right, only a new cluster helps; see `installer doctor`",
        )));
    }
    time::wrong_clock(host)
}

/// A renewal, and what its steps found when they were asked.
#[derive(Default)]
pub struct Renewal {
    /// The certificates before the renewal.
    old: OnceLock<Vec<Kept>>,
    /// The containers that ran after it, and may have read the old certificates.
    ended: OnceLock<Vec<Container>>,
}

/// The changes that only a renewal can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfRenewal {
    /// A container is ended, unless it has ended by itself.
    End(Container),
    /// Wait until these containers have ended, and others run in their place.
    AwaitNew(Vec<Container>),
}

impl fmt::Display for OfRenewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End(container) => write!(f, "run {}", container.end()),
            Self::AwaitNew(_) => f.write_str("wait until the control plane has restarted"),
        }
    }
}

impl step::Purpose for Renewal {
    type Own = OfRenewal;

    fn begun(&self) -> Option<Line> {
        None
    }

    fn make(&self, host: &mut Host, step: StepName, change: &OfRenewal) -> anyhow::Result<()> {
        match change {
            OfRenewal::End(container) => {
                let ended = host.run(step, &container.end(), &[], &[], None);
                match ended {
                    Err(error) if control_plane::running(host)?.contains(container) => Err(error),
                    _ => Ok(()),
                }
            }
            OfRenewal::AwaitNew(old) => control_plane::await_new(host, step, old),
        }
    }
}

impl Renewal {
    /// Whether kubeadm has renewed what this run found. A file that is cut short
    /// is not renewed.
    fn is_renewed(&self, host: &Host) -> anyhow::Result<bool> {
        let lost: Vec<Change> = put_back::changes(host)?;
        if !lost.is_empty() {
            return Ok(false);
        }
        let now = pki::of_control_plane(host)?;
        let old = self.old.get_or_init(|| now.clone());
        Ok(now.iter().any(|one| !is_among(old, one)))
    }

    /// The files whose certificates are still the old ones, or have expired.
    fn left(&self, host: &Host) -> anyhow::Result<Vec<String>> {
        let old = self.old.get().map(Vec::as_slice).unwrap_or_default();
        let now = SystemTime::now();
        let is_left = |one: &Kept| is_among(old, one) || one.standing(now) == Standing::Expired;
        let all = pki::of_control_plane(host)?.into_iter();
        Ok(all.filter(is_left).map(|one| one.path).collect())
    }
}

fn is_among(old: &[Kept], one: &Kept) -> bool {
    old.iter().any(|old| old.certificate.der == one.certificate.der)
}

/// Restores files that were cut short.
struct PutBack;

impl Step<Renewal> for PutBack {
    fn name(&self) -> StepName {
        StepName::Certs
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        put_back::changes(node.host)
    }
}

/// Lets kubeadm renew all certificates.
struct RenewAll;

impl Step<Renewal> for RenewAll {
    fn name(&self) -> StepName {
        StepName::Certs
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        if node.intent.is_renewed(node.host)? {
            return Ok(Vec::new());
        }
        Ok(vec![Change::Run {
            command: Command::of(&format!("kubeadm certs renew all{}", config_option(node.host))),
            undo: Vec::new(),
            files: pki::renewed_files(node.host).into_iter().map(PathBuf::from).collect(),
            intention: None,
        }])
    }
}

/// kubelet renews its own certificate, unless it was off until that expired. Then it
/// does not start, and nothing starts the control plane.
struct KubeletsOwn;

impl Step<Renewal> for KubeletsOwn {
    fn name(&self) -> StepName {
        StepName::Certs
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, now) = (node.host, SystemTime::now());
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
            intention: None,
        });
        changes.extend(remove(KUBELET_CLIENT));
        Ok(changes)
    }
}

/// Restarts the control plane, and waits until it answers. kubelet restarts ended
/// containers at once if it has just been started itself, because it then has no
/// back-off for them.
struct Restart;

impl Step<Renewal> for Restart {
    fn name(&self) -> StepName {
        StepName::Certs
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, renewal) = (node.host, node.intent);
        let running = control_plane::running(host)?;
        if !renewal.is_renewed(host)? {
            // This is a plan: nothing is renewed yet.
            return restarted(host, &running);
        }
        let Some(old) = renewal.ended.get() else {
            return restarted(host, renewal.ended.get_or_init(|| running));
        };
        if running.iter().any(|one| old.contains(one)) {
            return restarted(host, old);
        }
        let left = renewal.left(host)?;
        if left.is_empty() {
            Ok(Vec::new())
        } else {
            bail!("kubeadm has not renewed {}", left.join(", "))
        }
    }
}

fn restarted(host: &Host, old: &[Container]) -> anyhow::Result<Vec<Change>> {
    let mut changes = vec![Change::run("systemctl restart kubelet")];
    changes.extend(old.iter().cloned().map(|one| Change::Own(OfRenewal::End(one))));
    changes.push(Change::Own(OfRenewal::AwaitNew(old.to_vec())));
    // The API server must answer with its new certificate.
    let line = format!("{} get --raw /readyz", own_kubectl(host)?);
    changes.push(Change::Await { command: Command::of(&line), seconds: 300 });
    Ok(changes)
}

/// Renews root's kubeconfig, if it is a copy of the administrator's.
struct RootsCopy;

impl Step<Renewal> for RootsCopy {
    fn name(&self) -> StepName {
        StepName::Certs
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let read = |path| Kubeconfig::whole(host, path);
        let (Some(admin), Some(own)) = (read(ADMIN_CONF)?, read(ROOT_KUBECONFIG)?) else {
            return Ok(Vec::new());
        };
        let name = |config: &Kubeconfig| Some(config.client.first()?.common_name.clone());
        if name(&admin) != name(&own) || !own.believes(&admin.authorities) {
            return Ok(Vec::new());
        }
        let text = host.read(ADMIN_CONF)?.unwrap_or_default();
        // In a plan, kubeadm has not written the new one yet.
        if node.intent.is_renewed(host)? && host.read(ROOT_KUBECONFIG)?.as_ref() == Some(&text) {
            return Ok(Vec::new());
        }
        Ok(vec![Change::write_secret(ROOT_KUBECONFIG, text)])
    }
}
