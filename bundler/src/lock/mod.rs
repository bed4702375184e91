//! From a spec to its lock: what exactly everything is today.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, bail};
use bundle_format::lock::{DisabledCheck, LOCK_VERSION, Lock, LockedFile, LockedTarget};
use bundle_format::{Architecture, ImageReference, input};

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::notice::Notices;
use crate::image::credentials::CredentialSource;
use crate::image::login_file;
use crate::image::pull::Puller;
use crate::image::registry::{PlainHttp, Registries, Registry};
use crate::page;
use crate::spec::{Spec, SpecFile, combination};

mod files;
mod fits;
mod images;
mod keys;
mod manifests;
mod packages;

pub use files::{location, read_location};
pub use fits::misfits;
pub(crate) use keys::read as read_keys;
pub use manifests::{apply_patches, images_of, keep_passes};
pub(crate) use packages::expired_keys;

/// The ways to everything that is not in the spec.
pub struct Upstreams {
    /// Documents and packages.
    pub client: Arc<Client>,
    /// Images.
    pub puller: Puller,
    /// What was fetched before.
    pub cache: Cache,
}

impl Upstreams {
    /// Sets up what the spec says of registries. `notices` hear of what is
    /// waited for.
    pub fn new(file: &SpecFile, cache: Cache, notices: &Notices) -> anyhow::Result<Self> {
        let mut authorities = Vec::new();
        let mut registries = BTreeMap::new();
        for (name, registry) in &file.spec.registries {
            if let Some(ca) = &registry.ca {
                let path = file.beside(ca);
                let pem = input::file(&path, input::WRITTEN_BY_HAND)
                    .with_context(|| format!("reading the CA file {}", path.display()))?;
                page::refuse(&path.display().to_string(), &pem)?;
                authorities.push((path.display().to_string(), pem));
            }
            let mirrors = registry
                .mirrors
                .iter()
                .map(|mirror| {
                    mirror
                        .parse()
                        .with_context(|| format!("registry {name}: reading the mirror {mirror}"))
                })
                .collect::<anyhow::Result<_>>()?;
            let credentials = match &registry.credentials {
                Some(names) => CredentialSource::Environment {
                    user_variable: names.user_variable.clone(),
                    password_variable: names.password_variable.clone(),
                },
                None => CredentialSource::LoginFiles,
            };
            let plain_http = match registry.plain_http {
                Some(_) => PlainHttp::Allowed,
                None => PlainHttp::Forbidden,
            };
            let token_server = registry.token_server.clone();
            let registry = Registry { mirrors, credentials, plain_http, token_server };
            registries.insert(name.clone(), registry);
        }
        login_file::check_named()?;
        let client = Arc::new(Client::new(&authorities)?.telling(notices));
        let puller =
            Puller::new(client.clone(), Registries::new(registries)?, login_file::places());
        Ok(Self { client, puller, cache: cache.telling(notices) })
    }
}

/// Finds out what `file` means now. All problems are in the error.
pub fn resolve(file: &SpecFile, upstreams: &Upstreams, now: SystemTime) -> anyhow::Result<Lock> {
    let spec = &file.spec;
    let combination = combination::check(spec);
    if !combination.refused.is_empty() {
        bail!("{}", combination.refused.join("\n"));
    }
    let mut problems = Vec::new();
    let mut warnings = combination.warnings;
    let mut rpms = Vec::new();
    let mut targets: Vec<LockedTarget> = Vec::new();
    let mut files: Vec<LockedFile> = Vec::new();
    for target in &spec.targets {
        match packages::lock(file, target, upstreams, now) {
            Ok(locked) => {
                rpms.extend(locked.rpms);
                files.extend(locked.keys);
                warnings.extend(locked.warnings);
                targets.push(locked.target);
            }
            Err(error) => problems.push(format!("target {}: {error:#}", target.id())),
        }
    }
    let architectures: Vec<Architecture> = spec
        .targets
        .iter()
        .map(|target| target.architecture)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut wanted = images::Wanted::of_spec(spec);
    if let Err(error) = wanted.add_kubeadm(spec) {
        problems.push(format!("{error:#}"));
    }
    let mut manifests = Vec::new();
    for manifest in &spec.manifests {
        match manifests::lock(file, &manifest.value, upstreams) {
            Ok(locked) => {
                for found in locked.found {
                    wanted.add(found.image.clone(), found.why(&manifest.value.name));
                }
                warnings.extend(locked.warnings);
                manifests.push((locked.manifest, locked.file));
            }
            Err(error) => problems.push(format!("manifest {}: {error:#}", manifest.value.name)),
        }
    }
    problems.extend(manifests::refused(spec, &manifests));
    let manifests = manifests.into_iter().map(|(manifest, _)| manifest).collect();
    for image in wanted.names() {
        warnings.extend(combination::check_image(spec, image).warnings);
    }
    let (images, failed) = images::lock(spec, wanted, &architectures, upstreams);
    problems.extend(failed);
    match files::installers(file, upstreams, &architectures) {
        Ok((installers, missing)) => {
            files.extend(installers);
            warnings.extend(missing);
        }
        Err(error) => problems.push(format!("{error:#}")),
    }
    if let Some(sandbox) = images::sandbox(spec) {
        if !images.iter().any(|image| image.name == sandbox) && problems.is_empty() {
            problems.push(format!("the sandbox image {sandbox} is none of the bundle's images"));
        }
    } else if problems.is_empty() {
        problems.push(
            "no image is called `pause`: list the sandbox image of this release under `images:`"
                .to_owned(),
        );
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    files.sort_by(|a, b| a.title.cmp(&b.title));
    rpms.sort_by(|a, b| {
        (&a.target, a.package.to_string()).cmp(&(&b.target, b.package.to_string()))
    });
    let lock = Lock {
        lock_version: LOCK_VERSION,
        name: spec.name.clone(),
        spec: file.digest,
        kubernetes: spec.kubernetes.version.value.to_string(),
        containerd: spec.containerd.as_ref().map(|containerd| containerd.version.value.to_string()),
        sandbox_image: images::sandbox(spec),
        targets,
        rpms,
        images,
        manifests,
        files,
        cluster: spec.cluster.clone(),
        disabled_checks: disabled_checks(spec),
        warnings,
    };
    // Better now than when the bundle is read again.
    let problems = lock.problems();
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(lock)
}

/// Each check that the spec switches off.
fn disabled_checks(spec: &Spec) -> Vec<DisabledCheck> {
    use crate::spec::{Check, ExpiredKeys};
    let mut disabled = Vec::new();
    let mut add = |check: &str, subject: String, reason: &crate::spec::Reason| {
        disabled.push(DisabledCheck {
            check: check.to_owned(),
            subject,
            reason: reason.as_str().to_owned(),
        });
    };
    for target in &spec.targets {
        for repository in &target.repositories {
            let subject = format!("{}/{}", target.id(), repository.id.value);
            if let Check::Off(reason) = &repository.gpgcheck {
                add("gpgcheck", subject.clone(), reason);
            }
            if let Check::Off(reason) = &repository.repo_gpgcheck {
                add("repoGpgcheck", subject.clone(), reason);
            }
            if let ExpiredKeys::Allow(reason) = &repository.expired_keys {
                add("expiredKeys", subject.clone(), reason);
            }
            if let Some(reason) = &repository.plain_http {
                add("plainHttp", subject, reason);
            }
        }
    }
    for manifest in &spec.manifests {
        if let Some(reason) = &manifest.value.plain_http {
            add("plainHttp", format!("manifests/{}", manifest.value.name), reason);
        }
    }
    for (name, registry) in &spec.registries {
        if let Some(reason) = &registry.plain_http {
            add("plainHttp", name.clone(), reason);
        }
    }
    disabled
}

/// `name` under another prefix, if one of the spec's `imageSources` fits.
fn source_of(spec: &Spec, name: &ImageReference) -> anyhow::Result<ImageReference> {
    let text = name.to_string();
    for source in &spec.image_sources {
        let prefix = source.name.trim_end_matches('/');
        let Some(rest) = text.strip_prefix(prefix) else { continue };
        if rest.is_empty() || rest.starts_with(['/', ':', '@']) {
            let moved = format!("{}{rest}", source.pull_from.trim_end_matches('/'));
            return moved
                .parse()
                .with_context(|| format!("pulling {name} from {}", source.pull_from));
        }
    }
    Ok(name.clone())
}
