//! `installer kubeconfig`.

use std::io::Write;
use std::path::{Path, PathBuf};

use bundle_format::text::stderr;
use clap::Args;

use super::node;
use super::output::{self, KUBECONFIG, secret};
use crate::credentials::person::{self, Person, Subject};
use crate::node::paths::KUBERNETES;

/// Whom a kubeconfig is for, and where it goes.
#[derive(Args)]
pub(crate) struct Wanted {
    /// The person's name
    #[arg(long, value_name = "NAME", value_parser = subject)]
    user: Subject,
    /// A group that the person is in; repeat the option for more groups
    #[arg(long, value_name = "GROUP", value_parser = subject)]
    group: Vec<Subject>,
    /// How many hours it is valid; a year if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=87_600))]
    hours: Option<u32>,
    /// The file to write; standard output if left out
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn subject(text: &str) -> Result<Subject, String> {
    Subject::try_from(text.to_owned())
}

/// Makes a person's kubeconfig, and says what to type next: it grants nothing.
pub(crate) fn kubeconfig(wanted: Wanted) -> anyhow::Result<()> {
    let output = wanted.output;
    if let Some(path) = &output {
        output::check(path, &KUBECONFIG, &of_node())?;
    }
    let person = Person { user: wanted.user, groups: wanted.group, hours: wanted.hours };
    let made = person::make(&node::host(None)?, &person)?;
    secret(output.as_deref(), &made.text, "kubeconfig")?;
    let until = made.config.client.first().map(|one| one.until.to_string()).unwrap_or_default();
    drop(stderr().write_all(next(&person, output.as_deref(), &until).as_bytes()));
    Ok(())
}

/// The node's own kubeconfigs, without which it does not work.
fn of_node() -> [PathBuf; 5] {
    ["admin", "super-admin", "kubelet", "controller-manager", "scheduler"]
        .map(|name| Path::new(KUBERNETES).join(format!("{name}.conf")))
}

/// What to do with it. The names need no quotes.
fn next(person: &Person, output: Option<&Path>, until: &str) -> String {
    let user = &person.user;
    let place = output.map_or("it", |path| path.to_str().unwrap_or("it"));
    format!(
        "{place} is {user}'s until {until}; whoever has it is {user}, and may do nothing yet\n\
         next:  grant something, such as one of these:\n       \
         kubectl create rolebinding {user} --clusterrole=edit --user={user} --namespace=default\n       \
         kubectl create clusterrolebinding {user} --clusterrole=view --user={user}\n"
    )
}
