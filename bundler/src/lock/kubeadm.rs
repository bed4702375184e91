//! Asking the kubeadm that a bundle will carry which images it needs. Its package is
//! fetched and checked first, as `build` does it; the build then finds it in the cache.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use bundle_format::KubernetesVersion;
use bundle_format::lock::LockedRpm;

use super::keys;
use super::task::Task;
use crate::fetch::checksum::Checksum;
use crate::fetch::download::{Source, download};
use crate::image::kubeadm::sandbox::{self, Unanswered};
use crate::image::kubeadm::{self, Tags, cure};
use crate::rpm::key::{ExpiredKeys, Keyring};
use crate::rpm::node_rpm::ADVICE;
use crate::rpm::package_signature::{self, PackageError};
use crate::rpm::signed_program::{ProgramError, SignedProgram};
use crate::spec::{Repository, Target};

/// Its path in every vendor's package.
const PATH: &str = "/usr/bin/kubeadm";

/// The kubeadm package of a target, and whose signature it must have.
pub(super) struct Kubeadm<'a> {
    rpm: LockedRpm,
    target: &'a Target,
    repository: &'a Repository,
    keyring: Keyring,
}

impl<'a> Kubeadm<'a> {
    /// That of `target`. `None` if its nodes have one already.
    pub(super) fn of(
        target: &'a Target,
        rpms: &[LockedRpm],
        keyrings: Vec<(&'a Repository, Keyring)>,
    ) -> Option<Self> {
        let rpm = rpms.iter().find(|rpm| rpm.package.name == "kubeadm")?.clone();
        let is_its = |(own, _): &(&Repository, Keyring)| own.id.value == rpm.repository;
        let (repository, keyring) = keyrings.into_iter().find(is_its)?;
        Some(Self { rpm, target, repository, keyring })
    }
}

/// Why a kubeadm was not asked. That is no error if the table has its release.
struct NotAsked {
    reason: String,
    /// Whether something failed that does not fail on other hosts of this kind.
    is_odd: bool,
}

impl NotAsked {
    fn odd(reason: String) -> Self {
        Self { reason, is_odd: true }
    }

    fn usual(reason: String) -> Self {
        Self { reason, is_odd: false }
    }
}

/// The tags of the images of kubeadm `version`, from its packages, and `known` from the
/// table. These must agree.
pub(super) fn tags(
    task: &Task<'_>,
    kubeadms: &[&Kubeadm<'_>],
    version: &KubernetesVersion,
    known: Option<Tags>,
) -> anyhow::Result<Tags> {
    let (mut found, mut reasons) =
        (known.map(|tags| ("this bundler's table".into(), tags)), Vec::new());
    let mut asked = BTreeSet::new();
    for kubeadm in kubeadms {
        let package = &kubeadm.rpm.package;
        if kubeadm.target.architecture.rpm() != std::env::consts::ARCH {
            reasons.push(format!("{package} is not for this host's processor"));
            continue;
        }
        if !asked.insert(kubeadm.rpm.digest) {
            continue;
        }
        let output = match ask(task, kubeadm, version).with_context(|| package.to_string())? {
            Ok(output) => output,
            Err(NotAsked { reason, is_odd }) => {
                if let (Some((other, _)), true) = (&found, is_odd) {
                    task.upstreams.warn(&format!(
                        "{package} could not be asked which images it needs: {reason}; they are \
                         those of {other}"
                    ));
                }
                reasons.push(format!("{package}: {reason}"));
                continue;
            }
        };
        let tags = Tags::printed(version, &output).with_context(|| package.to_string())?;
        match &found {
            Some((other, known)) if *known != tags => bail!(
                "{package} needs {}, but {other} has {} for kubeadm {version}. {}",
                tags.words(),
                known.words(),
                cure(&version.to_string())
            ),
            _ => found = Some((package.to_string(), tags)),
        }
    }
    if kubeadms.is_empty() {
        reasons.push("the bundle does not carry it".to_owned());
    }
    match found {
        Some((_, tags)) => Ok(tags),
        None => Err(kubeadm::unknown(version, reasons.join("; ")).into()),
    }
}

/// What a kubeadm prints as its images. It is an error if its package must not be used.
fn ask(
    task: &Task<'_>,
    kubeadm: &Kubeadm<'_>,
    version: &KubernetesVersion,
) -> anyhow::Result<Result<String, NotAsked>> {
    let Task { upstreams, now, .. } = *task;
    let Kubeadm { rpm, target, repository, keyring } = kubeadm;
    let checksum = Checksum::from(rpm.digest);
    let source = Source::new(&*upstreams.client, rpm.source.clone());
    if let Err(error) = download(&upstreams.cache, &[source], &checksum, rpm.size, &|_| {}) {
        return Ok(Err(NotAsked::odd(format!("it could not be fetched: {error}"))));
    }
    let Some(file) = upstreams.cache.open(rpm.digest, rpm.size) else {
        return Ok(Err(NotAsked::odd("the cache lost it".to_owned())));
    };
    let signature = keys::demanded(repository, keyring, &target.family.value);
    let verified = package_signature::verify(file, &rpm.package, &checksum, signature, now);
    let package = match verified {
        Ok(package) => package,
        // The package is what the lock says.
        Err(error @ PackageError::NodeRpm { .. }) => bail!("{error:#}; {ADVICE}"),
        Err(error) => {
            if error.is_of_other_bytes() {
                upstreams.cache.forget(rpm.digest);
            }
            return Err(error.into());
        }
    };
    if let Some(key) = package.signed_by() {
        upstreams.warn_of_end(key, ExpiredKeys::from(&repository.expired_keys), now);
    }
    let program = match SignedProgram::of(&package, PATH) {
        Ok(program) => program,
        Err(error @ ProgramError::Unsigned) => return Ok(Err(NotAsked::usual(error.to_string()))),
        Err(error) => return Ok(Err(NotAsked::odd(error.to_string()))),
    };
    Ok(sandbox::list(&program, version).map_err(|error| match error {
        Unanswered::NotHere(_) => NotAsked::usual(error.to_string()),
        Unanswered::Failed(_) => NotAsked::odd(error.to_string()),
    }))
}
