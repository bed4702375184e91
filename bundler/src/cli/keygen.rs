//! `bundler keygen`: makes a pair of keys that sign bundles.

use std::path::PathBuf;

use bundle_format::input;
use bundle_format::signature::TrustedKeys;
use clap::Args;

use super::password::Password;
use super::print;
use crate::signing;

/// Makes a pair of keys: a secret one, which signs bundles, and a public one, with which
/// nodes check the signatures
///
/// minisign can use both.
#[derive(Args)]
pub(super) struct Arguments {
    /// The file of the secret key; the public one is written beside it, as <KEY>.pub
    #[arg(value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    password: Password,
    /// Make a key without a password: whoever has the file can sign
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let password = match arguments.no_password {
        true => None,
        false => Some(arguments.password.choose()?),
    };
    let public = signing::generate(&arguments.key, password)?;
    let keys = TrustedKeys::parse(&input::file_text(&public, input::WRITTEN_BY_HAND)?)?;
    let id = keys.ids().map(|id| id.to_string()).collect::<String>();
    print::notice(&format!(
        "keep {} secret; copy {} to each node as /etc/kubeferry/trusted.pub, but do not send it \
         together with the bundles",
        arguments.key.display(),
        public.display()
    ));
    print::data(&format!("key {id}\n"))
}
