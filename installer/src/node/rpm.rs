//! The packages that rpm has.

use anyhow::bail;
use bundle_format::Nevra;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;

/// How rpm is to print a package, so that it can be read as a [`Nevra`].
pub(crate) const NEVRA: &str = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\\n";

/// The packages that rpm has.
pub(crate) struct Installed(Vec<Nevra>);

impl Installed {
    /// Asks rpm. If it cannot say, that is an error: what is put in as missing, a
    /// reset would take away.
    pub(crate) fn of(host: &Host) -> anyhow::Result<Self> {
        let said = host.answer(&Command::of("rpm -qa --qf").with(NEVRA))?;
        if said.succeeded() || said.status == Some(127) {
            return Ok(Self(nevras(&said.stdout)));
        }
        let reason = said.reason().unwrap_or("it does not say why");
        Err(Failure::new(
            format!("rpm does not list this node's packages: {reason}"),
            "run this as root; `rpm --rebuilddb` mends a damaged database",
        )
        .into())
    }

    /// Whether it is there, in just this version and for this architecture.
    pub(crate) fn has(&self, package: &Nevra) -> bool {
        self.0.contains(package)
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|package| package.name.as_str())
    }

    /// All of a name: several versions of a kernel, several architectures of a
    /// library.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Nevra> {
        self.0.iter().filter(move |package| package.name == name)
    }
}

/// Whether rpm has a package, or a vendor's key, of this name.
pub(crate) fn has(host: &Host, name: &str) -> anyhow::Result<bool> {
    Ok(query(host, &Command::of("rpm -q --").with(name))?.is_some())
}

/// What `rpm -q` says of one package, or of a vendor's key; none where rpm has no
/// such package, or is not there itself.
pub(crate) fn query(host: &Host, command: &Command) -> anyhow::Result<Option<String>> {
    let said = host.answer(command)?;
    if said.succeeded() {
        return Ok(Some(said.stdout));
    }
    if said.status != Some(127) && !said.stdout.contains("not installed") {
        bail!("`{command}` does not answer: {}", said.stderr.trim());
    }
    Ok(None)
}

/// What rpm printed by [`NEVRA`].
pub(crate) fn nevras(text: &str) -> Vec<Nevra> {
    text.lines().filter_map(|line| line.parse().ok()).collect()
}
