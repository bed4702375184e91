//! Packages that are installed, as rpm lists them.

use anyhow::bail;
use bundle_format::Nevra;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;

/// The format in which rpm prints a package so that it can be parsed as a [`Nevra`].
pub(crate) const NEVRA: &str = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\\n";

/// The installed packages.
pub(crate) struct Installed(Vec<Nevra>);

impl Installed {
    /// Asks rpm. If rpm cannot say, that is an error: a package that only seems
    /// to be missing would be installed, and a reset would then remove it.
    pub(crate) fn of(host: &Host) -> anyhow::Result<Self> {
        let said = host.answer_once(&Command::of("rpm -qa --qf").with(NEVRA))?;
        if said.succeeded() || said.status == Some(127) {
            return Ok(Self(nevras(&said.stdout)));
        }
        let reason = said.reason().unwrap_or("it does not say why");
        Err(Failure::new(
            format!("rpm does not list this node's packages: {reason}"),
            "run this as root; `rpm --rebuilddb` repairs a damaged database",
        )
        .into())
    }

    /// Whether this package is installed, in exactly this version and
    /// architecture.
    pub(crate) fn has(&self, package: &Nevra) -> bool {
        self.0.contains(package)
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|package| package.name.as_str())
    }

    /// All packages of a name: a node can have several versions of a kernel, and
    /// several architectures of a library.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Nevra> {
        self.0.iter().filter(move |package| package.name == name)
    }
}

/// Whether rpm has a package, or a vendor's key, of this name.
pub(crate) fn has(host: &Host, name: &str) -> anyhow::Result<bool> {
    Ok(query(host, &Command::of("rpm -q --").with(name))?.is_some())
}

/// What `rpm -q` says of one package or vendor's key; none if it is not installed, or
/// if there is no rpm.
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

/// A command for packages, by their names without the epoch, which every rpm takes.
pub(crate) fn command(line: &str, packages: &[Nevra]) -> Command {
    packages.iter().fold(Command::of(line), |command, package| {
        let name = package.file_name();
        command.with(name.strip_suffix(".rpm").unwrap_or(&name))
    })
}

/// Parses what rpm printed in the format [`NEVRA`].
pub(crate) fn nevras(text: &str) -> Vec<Nevra> {
    text.lines().filter_map(|line| line.parse().ok()).collect()
}
