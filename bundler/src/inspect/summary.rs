//! The content of a bundle, for people.

use std::fmt::{self, Display};

use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{FileKind, Lock};
use bundle_format::text::{count, plain_json, printable};
use indicatif::HumanBytes;

/// The content of a lock or a bundle, by kind and target. A text from others cannot
/// break out of its line.
pub struct Summary<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// The bundle, if the lock is in one.
    pub bundle: Option<&'a Bundle>,
}

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lock = self.lock;
        match self.bundle {
            Some(bundle) => {
                writeln!(f, "bundle      {}", lock.name)?;
                writeln!(f, "size        {}", HumanBytes(bundle.length()))?;
                writeln!(f, "index       {}", bundle.index_digest())?;
                let lacking: Vec<u64> = bundle.lacking().map(|(_, size)| size).collect();
                if !lacking.is_empty() {
                    let (blobs, bytes) = (count(lacking.len(), "blob"), lacking.iter().sum());
                    writeln!(f, "delta       without {blobs}, {}", HumanBytes(bytes))?;
                }
                if let Some(content) = bundle.sbom() {
                    let size = HumanBytes(content.descriptor.size);
                    writeln!(f, "sbom        {}, {size}", content.path)?;
                }
            }
            None => writeln!(f, "lock        {}", lock.name)?,
        }
        writeln!(f, "kubernetes  {}", lock.kubernetes)?;
        if !lock.hops.is_empty() {
            let hops: Vec<&str> = lock.hops.iter().map(|hop| hop.kubernetes.as_str()).collect();
            writeln!(f, "hops        {}", hops.join(", "))?;
        }
        if let Some(containerd) = &lock.containerd {
            writeln!(f, "containerd  {}", printable(containerd))?;
        }
        if let Some(sandbox) = &lock.sandbox_image {
            writeln!(f, "sandbox     {sandbox}")?;
        }
        packages(lock, f)?;
        images(lock, f)?;
        manifests(lock, f)?;
        files(lock, f)?;
        hops(lock, f)?;
        cluster_defaults(lock, f)?;
        if !lock.disabled_checks.is_empty() {
            writeln!(f, "\nchecks that are OFF")?;
            for disabled in &lock.disabled_checks {
                writeln!(f, "  {}", printable(&disabled.to_string()))?;
            }
        }
        if !lock.warnings.is_empty() {
            writeln!(f, "\nwarnings")?;
            for warning in &lock.warnings {
                writeln!(f, "  {}", printable(warning))?;
            }
        }
        Ok(())
    }
}

fn packages(lock: &Lock, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for target in &lock.targets {
        let rpms: Vec<_> = lock.rpms.iter().filter(|rpm| rpm.target == target.id).collect();
        let size: u64 = rpms.iter().map(|rpm| rpm.size).sum();
        writeln!(
            f,
            "\npackages for {} ({}, {}; on top of {})",
            printable(&target.id),
            rpms.len(),
            HumanBytes(size),
            printable(&target.baseline)
        )?;
        for system in &target.systems {
            writeln!(f, "  for nodes with {}", printable(&system.to_string()))?;
        }
        for rpm in rpms {
            writeln!(f, "  {}", printable(&format!("{}  {}", rpm.package, rpm.repository)))?;
        }
    }
    Ok(())
}

fn images(lock: &Lock, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "\nimages ({})", lock.images.len())?;
    for image in &lock.images {
        let platforms: Vec<&str> =
            image.platforms.iter().map(|platform| platform.architecture.oci()).collect();
        let size: u64 = image
            .platforms
            .iter()
            .flat_map(|platform| &platform.layers)
            .map(|layer| layer.size)
            .sum();
        writeln!(f, "  {}  {}  {}", image.name, platforms.join("+"), HumanBytes(size))?;
        if image.source != image.name {
            writeln!(f, "    pulled as {}", image.source)?;
        }
    }
    Ok(())
}

fn manifests(lock: &Lock, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "\nmanifests ({}), in the order to apply them", lock.manifests.len())?;
    for manifest in &lock.manifests {
        writeln!(f, "  {}  {}", manifest.name, printable(&manifest.source))?;
        if let Some(rendered) = &manifest.rendered {
            writeln!(f, "    {}", printable(&rendered.to_string()))?;
        }
        for edit in &manifest.patches {
            writeln!(
                f,
                "    line {}: {}: `{}` -> `{}`",
                edit.line,
                printable(&edit.patch),
                printable(edit.from.trim()),
                printable(edit.to.trim())
            )?;
        }
    }
    Ok(())
}

fn files(lock: &Lock, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (kind, words) in
        [(FileKind::Key, "keys"), (FileKind::Chart, "charts"), (FileKind::Installer, "installers")]
    {
        let files: Vec<_> = lock.files.iter().filter(|file| file.kind == kind).collect();
        if files.is_empty() {
            continue;
        }
        writeln!(f, "\n{words} ({})", files.len())?;
        for file in files {
            writeln!(f, "  {}  {}", file.path, HumanBytes(file.content.size))?;
        }
    }
    Ok(())
}

/// What a cluster needs on its way to this release, and what it needs besides.
fn hops(lock: &Lock, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for hop in &lock.hops {
        let own = lock.own_of_hop(hop);
        writeln!(
            f,
            "\nhop {}: {} and {} of its own",
            hop.kubernetes,
            count(own.rpms.len(), "package"),
            count(own.images.len(), "image")
        )?;
        for rpm in &own.rpms {
            let line = format!("{}  {} for {}", rpm.package, rpm.repository, rpm.target);
            writeln!(f, "  {}", printable(&line))?;
        }
        for image in &own.images {
            writeln!(f, "  {}", image.name)?;
        }
    }
    Ok(())
}

fn cluster_defaults(lock: &Lock, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !lock.cluster.is_empty() {
        writeln!(f, "\ndefaults for the cluster file")?;
        for (key, value) in lock.cluster.entries() {
            match value.as_str() {
                Some(text) => writeln!(f, "  {key}: {}", printable(text))?,
                None => writeln!(f, "  {key}: {}", plain_json(&value.to_string()))?,
            }
        }
    }
    Ok(())
}
