//! The cluster as its operator wants it: the content of `cluster.yaml`, and of
//! `cluster` in a spec. All keys are optional, and these files have their defaults.

mod arguments;
mod check;
pub(crate) mod conflict;
mod control_plane;
pub mod endpoint;
mod export;
pub(crate) mod file;
mod format;
pub(crate) mod given;
mod interface;
mod kinds;
mod kubelet;
mod labels;
mod masters;
mod member;
mod mirrors;
mod networks;
mod node_name;
mod schedule;

pub use self::arguments::{Argument, Arguments, Scalar};
pub use self::conflict::Conflict;
pub use self::control_plane::{ControlPlane, InterfaceName};
pub use self::export::{ExportPath, Nfs};
pub use self::file::{CgroupDriver, Cluster, Firewall, ProxyMode, Selinux};
pub use self::format::{FORMAT, schema};
pub use self::given::Given;
pub use self::interface::Interface;
pub use self::kinds::KINDS;
pub use self::labels::{LabelKey, LabelValue, Taint};
pub use self::member::{Duty, Member};
pub use self::mirrors::{MirrorUrl, Mirrors, RegistryHost};
pub use self::node_name::NodeName;
pub use self::schedule::{BackupFolder, BackupSchedule, Interval};
