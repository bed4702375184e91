//! Options that several commands share.

use std::net::{AddrParseError, IpAddr};
use std::path::PathBuf;

use bundle_format::cluster::{KINDS, NodeName};
use clap::Args;
use distribution::site::Reach;

use super::place::{Place, place};
use crate::receipt::StepName;
use crate::role::Role;

/// What a node is to become.
#[derive(Args)]
pub(crate) struct Aim {
    /// What this node is to be
    #[arg(long, value_enum)]
    pub(super) role: Role,
    /// The bundle, any of its parts, or the folder it is in; the only one beside this
    /// program if left out. Or oci://HOST/REPOSITORY:TAG, for one in a registry. After a
    /// delta, repeat the option for bundles that have what it lacks
    #[arg(long, value_name = "FILE", value_parser = place())]
    pub(super) bundle: Vec<Place>,
    // Not flattened: clap would not see any more whether there is an aim at all.
    /// The certificate of an authority that counts for the bundle's registry besides the
    /// system's; repeat the option for more
    #[arg(long, value_name = "FILE")]
    pub(super) registry_ca: Vec<PathBuf>,
    /// Reach the bundle's registry without TLS: anybody on the way can read the password
    #[arg(long)]
    pub(super) plain_http: bool,
    /// Take the bundle only if a trusted key has signed it, and trust the keys in this file.
    /// They are added to those in /etc/kubeferry/trusted.pub and in this program, which count
    /// too. Repeat the option for more files
    #[arg(long, value_name = "FILE")]
    pub(super) trusted_key: Vec<PathBuf>,
    /// Take a signed bundle though this node has had a newer one of its name
    #[arg(long)]
    pub(super) allow_older: bool,
    /// The cluster file. On a worker it replaces the settings in the join file
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The join file from a master, for a worker or a further master
    #[arg(long, value_name = "FILE")]
    pub(super) join: Option<PathBuf>,
    /// A backup that `installer backup` made, for a master on a bare machine: its cluster
    /// comes back
    #[arg(long, value_name = "FILE", conflicts_with = "join")]
    pub(super) restore: Option<PathBuf>,
    /// A person's kubeconfig for root's kubectl on a worker, which has none otherwise
    #[arg(long, value_name = "FILE")]
    pub(super) with_kubeconfig: Option<PathBuf>,
    /// The address by which the other nodes reach this one; needed if this one has several
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) address: Option<IpAddr>,
    /// This node's name in the cluster. The default is the name that the cluster file has
    /// for its address, or else the host name
    #[arg(long, value_name = "NAME", value_parser = node_name)]
    pub(super) node_name: Option<NodeName>,
}

/// Which bundle, and whose.
pub(super) struct Source<'a> {
    /// The bundle, if it is named, and then those that have what it lacks.
    pub(super) bundle: &'a [Place],
    /// How a registry is reached that has it.
    pub(super) reach: Reach,
    /// Files with keys of which one must have signed it.
    pub(super) trusted_key: &'a [PathBuf],
}

impl Aim {
    pub(super) fn source(&self) -> Source<'_> {
        let Self { bundle, trusted_key, registry_ca, plain_http, .. } = self;
        let reach = Reach { ca: registry_ca.clone(), plain_http: *plain_http };
        Source { bundle, reach, trusted_key }
    }
}

/// Which of the steps are meant.
#[derive(Args, Default)]
pub(crate) struct Choice {
    /// Run only this step; repeat the option for more steps
    #[arg(long, value_name = "STEP", hide_possible_values = true)]
    pub(super) only: Vec<StepName>,
    /// Leave this step out; repeat the option for more steps
    #[arg(long, value_name = "STEP", hide_possible_values = true)]
    pub(super) skip: Vec<StepName>,
}

/// How far a run goes.
#[derive(Args)]
pub(crate) struct Way {
    /// Print the plan, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
    /// Look at the node whose files this folder has; needs --dry-run and --address
    #[arg(long, value_name = "FOLDER", requires = "dry_run")]
    pub(super) root: Option<PathBuf>,
    /// Print the plan as JSON; needs --dry-run
    #[arg(long, requires = "dry_run")]
    pub(super) json: bool,
}

/// How a command looks that never changes anything.
#[derive(Args)]
pub(crate) struct Look {
    /// Look at the node whose files this folder has, and not at this one
    #[arg(long, value_name = "FOLDER")]
    pub(super) root: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl From<Look> for Way {
    fn from(look: Look) -> Self {
        Self { dry_run: true, yes: false, root: look.root, json: look.json }
    }
}

/// Like an address in the cluster file.
fn address(text: &str) -> Result<IpAddr, String> {
    let kind = KINDS.iter().find(|kind| kind.name == "ip");
    kind.map_or(Ok(()), |kind| (kind.check)(text))?;
    text.parse().map_err(|error: AddrParseError| error.to_string())
}

pub(super) fn node_name(text: &str) -> Result<NodeName, String> {
    NodeName::try_from(text.to_owned())
}
