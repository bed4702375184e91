//! Kubeconfigs for persons. kubeadm makes a certificate that says who somebody is. It
//! grants nothing; roles do. A certificate cannot be revoked before it expires; a
//! role can.

use std::fmt;

use anyhow::{Context, bail};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::certificates::kubeconfig::Kubeconfig;
use crate::node::certificates::pki;
use crate::node::paths::{ADMIN_CONF, KUBEADM_CONFIG};
use crate::role::no_master;

/// The longest name that a certificate can hold, in characters (RFC 5280,
/// `ub-common-name`).
const LONGEST: usize = 64;

/// The name of a person or group, as roles use it. Names that begin with `system:`
/// belong to Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

impl TryFrom<String> for Subject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("system:") {
            return Err("names that begin with `system:` belong to Kubernetes, and nobody can \
                revoke the rights of a certificate for `system:masters`; bind a role to the \
                person instead, such as `cluster-admin`"
                .to_owned());
        }
        // kubectl, kubeadm and shells take these characters as they are.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._@:-".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || text.len() > LONGEST || !text.chars().all(is_plain) {
            return Err(format!(
                "a name consists of letters, digits and `. _ @ : -`, begins with a letter or a \
                 digit, and has at most {LONGEST} characters"
            ));
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The person that a kubeconfig is for.
#[derive(Debug)]
pub struct Person {
    /// The name.
    pub user: Subject,
    /// The groups.
    pub groups: Vec<Subject>,
    /// For how many hours it is valid; kubeadm's default, a year, if none.
    pub hours: Option<u32>,
}

/// A new kubeconfig.
#[derive(Debug)]
pub struct Made {
    /// Its text: a secret.
    pub text: String,
    /// Its content.
    pub config: Kubeconfig,
}

/// Lets kubeadm make a person's kubeconfig. Changes nothing on the node.
pub fn make(host: &Host, person: &Person) -> anyhow::Result<Made> {
    if !host.exists(ADMIN_CONF) || !host.exists(KUBEADM_CONFIG) {
        return Err(no_master().into());
    }
    if let Some(elsewhere) =
        pki::signed_elsewhere(host, "let the owner of that authority sign the person's certificate")
    {
        return Err(elsewhere.into());
    }
    let command = command(host, person)?;
    let said = host.ask(&command);
    if !said.succeeded() {
        bail!("`{command}` failed: {}", said.stderr.trim());
    }
    let config =
        Kubeconfig::parse(&said.stdout).context("reading the kubeconfig that kubeadm made")?;
    let admin = Kubeconfig::read(host, ADMIN_CONF)?;
    let fits = admin.is_some_and(|admin| {
        config.endpoint == admin.endpoint && config.believes(&admin.authorities)
    });
    let name = config.client.first().and_then(|one| one.common_name.as_deref());
    if !fits || name != Some(person.user.0.as_str()) {
        bail!(Failure::new(
            format!("kubeadm made a kubeconfig that is not for {} in this cluster", person.user),
            format!("see whether {KUBEADM_CONFIG} is as it was when the node was made")
        ));
    }
    Ok(Made { text: said.stdout, config })
}

/// kubeadm's command. It was below `alpha` until 1.21. Its help shows whether it
/// takes a validity (since 1.24).
fn command(host: &Host, person: &Person) -> anyhow::Result<Command> {
    let help = |line: &str| {
        let said = host.query(&format!("{line} --help"));
        // An older kubeadm prints the help of the parent command.
        (said.succeeded() && said.stdout.contains("--client-name")).then_some(said.stdout)
    };
    let forms = ["kubeadm kubeconfig user", "kubeadm alpha kubeconfig user"];
    let known = forms.into_iter().find_map(|line| Some((line, help(line)?)));
    let (line, help) = known.ok_or_else(|| {
        let what = "this node's kubeadm cannot make kubeconfigs";
        Failure::new(what, "see `kubeadm kubeconfig user --help`")
    })?;
    let mut command = Command::of(line).with("--config").with(KUBEADM_CONFIG);
    command = command.with("--client-name").with(person.user.to_string());
    for group in &person.groups {
        command = command.with("--org").with(group.to_string());
    }
    if let Some(hours) = person.hours {
        if !help.contains("--validity-period") {
            bail!(Failure::new(
                "this node's kubeadm can only make certificates for one year",
                "leave out --hours, which needs Kubernetes 1.24 or newer"
            ));
        }
        command = command.with("--validity-period").with(format!("{hours}h"));
    }
    Ok(command)
}
