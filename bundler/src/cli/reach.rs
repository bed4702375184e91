//! The options for a registry that no spec describes.

use std::path::PathBuf;

use clap::Args;

use crate::site::Reach;

/// How the registry is reached.
#[derive(Args)]
pub(super) struct ReachOptions {
    /// The certificate of an authority that counts for the registry besides the system's;
    /// repeat the option for more
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// Reach the registry without TLS: anybody on the way can read the password and change
    /// what is pushed
    #[arg(long)]
    plain_http: bool,
}

impl ReachOptions {
    pub(super) fn reach(&self) -> Reach {
        Reach { ca: self.ca.clone(), plain_http: self.plain_http }
    }
}
