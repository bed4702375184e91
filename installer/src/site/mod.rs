//! All nodes of a cluster file at once: each is reached by the system's own `ssh`, is given
//! an installer and the bundle, and is made by that installer itself. So receipts, resuming
//! and resets stay a matter of each node, and nothing is kept on this machine.

pub mod carried;
pub mod connection;
pub mod content;
pub mod facts;
pub mod far;
pub mod foreseen;
pub mod machine;
pub mod met;
pub mod one;
pub mod outcome;
pub mod pass;
mod pass_scripts;
pub mod password;
pub mod problem;
mod progress;
pub mod rounds;
pub mod run;
pub mod script;
pub mod standing;
pub mod supply;
pub mod upgrade;

/// The folder on each node for what is copied there. It is not the receipt's, which a reset
/// looks for and takes away.
pub const FOLDER: &str = "/var/lib/kubeferry-up";
