//! What only a further master is told: how to read the cluster's keys.

use anyhow::{Context, bail};
use bundle_format::KubernetesVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::paths::KUBEADM_CONFIG;
use crate::node::static_pod;

/// How long the cluster keeps its keys for further masters, in hours (kubeadm's
/// `DefaultCertTokenDuration`).
pub(crate) const HOURS: u32 = 2;

/// What only a further master is told.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForMaster {
    /// The key with which kubeadm has encrypted the cluster's keys: a secret.
    pub certificate_key: String,
    /// The API server's version. Masters that join have the same.
    #[schemars(with = "String")]
    pub kubernetes: KubernetesVersion,
}

impl ForMaster {
    /// A sample, which opens nothing: to look at a further master before there is a first.
    pub(crate) fn sample(kubernetes: KubernetesVersion) -> Self {
        Self { certificate_key: "0".repeat(64), kubernetes }
    }

    /// Has kubeadm put the cluster's keys, encrypted, into the cluster.
    pub(crate) fn make(host: &Host) -> anyhow::Result<Self> {
        let kubernetes = static_pod::kubernetes(host)?;
        if !host.exists(KUBEADM_CONFIG) {
            return Err(Failure::new(
                format!("{KUBEADM_CONFIG} is gone, and kubeadm needs it"),
                "`installer --role master` writes it again",
            )
            .into());
        }
        let command = Command::of("kubeadm init phase upload-certs --upload-certs --config")
            .with(KUBEADM_CONFIG);
        let said = host.ask(&command);
        if !said.succeeded() {
            bail!("`{command}` failed: {}", said.end());
        }
        // It says in words what it does. The key has a line of its own.
        let is_key = |line: &&str| line.len() == 64 && line.bytes().all(|b| b.is_ascii_hexdigit());
        let key = said.stdout.lines().map(str::trim).find(is_key);
        let key = key.with_context(|| format!("`{command}` printed no key"))?;
        Ok(Self { certificate_key: key.to_owned(), kubernetes })
    }
}
