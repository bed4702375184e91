//! The packages, from a short text to signed RPM files.

use anyhow::{Context, Result, anyhow, bail};
use rpm::{BuildConfig, CompressionType, Dependency, FileOptions, PackageBuilder};

use crate::program;

/// One package's header, as the texts in `content/` have it.
#[derive(Debug, Default)]
pub(crate) struct Package<'a> {
    name: &'a str,
    epoch: u32,
    version: &'a str,
    release: &'a str,
    architecture: &'a str,
    /// Keyword and argument, in the text's order.
    header: Vec<(&'a str, &'a str)>,
}

/// Reads `NAME [EPOCH:]VERSION-RELEASE ARCH` lines, each followed by indented
/// `requires`, `provides`, `conflicts`, `obsoletes`, `file` and `kubeadm` lines. The
/// last makes a kubeadm that prints its images, with the given version of etcd, or one
/// that is `broken`.
pub(crate) fn parse(text: &str) -> Result<Vec<Package<'_>>> {
    let mut packages: Vec<Package<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let malformed = || anyhow!("malformed line `{line}`");
        if let Some(entry) = line.strip_prefix("  ") {
            let package = packages.last_mut().ok_or_else(malformed)?;
            package.header.push(entry.split_once(' ').ok_or_else(malformed)?);
            continue;
        }
        let [name, evr, architecture] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(malformed());
        };
        let (epoch, rest) = evr.split_once(':').unwrap_or(("0", evr));
        let (version, release) = rest.split_once('-').ok_or_else(malformed)?;
        let epoch = epoch.parse().with_context(|| format!("reading the epoch in `{line}`"))?;
        let header = Vec::new();
        packages.push(Package { name, epoch, version, release, architecture, header });
    }
    Ok(packages)
}

impl Package<'_> {
    /// The conventional file name; it has no epoch.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}-{}.{}.rpm", self.name, self.version, self.release, self.architecture)
    }

    /// The RPM's bytes, signed.
    pub(crate) fn build(&self, signer: rpm::signature::pgp::Signer) -> Result<Vec<u8>> {
        let summary = format!("{}, made for the demo", self.name);
        let mut builder =
            PackageBuilder::new(self.name, self.version, "Apache-2.0", self.architecture, &summary);
        builder
            .epoch(self.epoch)
            .release(self.release)
            .description(&summary)
            .using_config(BuildConfig::v4().compression(CompressionType::Gzip));
        for &(keyword, argument) in &self.header {
            match keyword {
                "requires" => builder.requires(dependency(argument)?),
                "provides" => builder.provides(dependency(argument)?),
                "conflicts" => builder.conflicts(dependency(argument)?),
                "obsoletes" => builder.obsoletes(dependency(argument)?),
                "file" => {
                    let content = format!("{argument} of {}\n", self.file_name());
                    builder.with_file_contents(
                        content,
                        FileOptions::new(argument).permissions(0o755),
                    )?
                }
                "kubeadm" => {
                    let program = match argument {
                        "broken" => program::crashing(),
                        etcd => program::printing(&self.images(etcd)),
                    };
                    let options = FileOptions::new("/usr/bin/kubeadm").permissions(0o755);
                    builder.with_file_contents(program, options)?
                }
                _ => bail!("unknown keyword `{keyword}` for {}", self.name),
            };
        }
        let mut bytes = Vec::new();
        builder.build_and_sign(signer)?.write(&mut bytes)?;
        Ok(bytes)
    }

    /// What kubeadm of this version prints.
    fn images(&self, etcd: &str) -> String {
        let own = ["apiserver", "controller-manager", "scheduler", "proxy"]
            .map(|name| format!("kube-{name}:v{}", self.version));
        let others = ["coredns/coredns:v1.10.1", "pause:3.9"].map(str::to_owned);
        let all = own.into_iter().chain(others).chain([format!("etcd:{etcd}")]);
        all.map(|name| format!("registry.k8s.io/{name}\n")).collect()
    }
}

/// `name`, `name OPERATOR evr`, or a rich dependency in brackets.
fn dependency(text: &str) -> Result<Dependency> {
    if text.starts_with('(') {
        return Ok(Dependency::any(text));
    }
    Ok(match text.split(' ').collect::<Vec<_>>()[..] {
        [name] => Dependency::any(name),
        [name, "=", evr] => Dependency::eq(name, evr),
        [name, ">=", evr] => Dependency::greater_eq(name, evr),
        [name, "<", evr] => Dependency::less(name, evr),
        _ => bail!("unreadable dependency `{text}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_gives_packages_with_their_headers() {
        let packages = parse("# note\ntar 2:1.34-6.el9 x86_64\n  provides /bin/tar\n").unwrap();
        let [tar] = &packages[..] else { panic!("{packages:?}") };
        assert_eq!((tar.epoch, tar.version, tar.release), (2, "1.34", "6.el9"));
        assert_eq!(tar.header, [("provides", "/bin/tar")]);
        assert_eq!(tar.file_name(), "tar-1.34-6.el9.x86_64.rpm");
    }

    #[test]
    fn malformed_lines_are_named() {
        for line in ["tar", "tar 1.34 x86_64", "  requires early", "tar x:1-1 x86_64"] {
            let error = format!("{:#}", parse(line).unwrap_err());
            assert!(error.contains(line), "{error}");
        }
    }
}
