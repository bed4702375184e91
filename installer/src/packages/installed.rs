//! Which packages are installed.

use bundle_format::Nevra;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;

/// How rpm is to print a package, so that it can be read as a [`Nevra`].
pub(super) const NEVRA: &str = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\\n";

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

/// What rpm printed by [`NEVRA`].
pub(super) fn nevras(text: &str) -> Vec<Nevra> {
    text.lines().filter_map(|line| line.parse().ok()).collect()
}
