//! From a spec to its lock: what exactly everything is today.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, bail};
use bundle_format::lock::{DisabledCheck, LOCK_VERSION, Lock, LockedFile, LockedTarget};
use bundle_format::{Architecture, ImageReference, input};

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::memory::{Network, Remembering};
use crate::fetch::notice::Notices;
use crate::image::credentials::CredentialSource;
use crate::image::login_file;
use crate::image::pull::Puller;
use crate::image::registry::{PlainHttp, Registries, Registry};
use crate::outage::Problems;
use crate::page;
use crate::spec::{Spec, SpecFile, combination};

mod files;
mod fits;
mod images;
mod inputs;
mod keys;
mod manifests;
mod on_nodes;
mod packages;
mod parallel;
mod places;
mod upgrade;

pub(crate) use files::{installer_sources, title_of_installer};
pub use files::{location, read_location};
pub use fits::misfits;
pub(crate) use inputs::local_inputs;
pub(crate) use keys::read as read_keys;
pub use manifests::{apply_patches, images_of, keep_passes};
pub(crate) use packages::{base_urls, expired_keys};
pub use upgrade::Kept;

/// The ways to everything that is not in the spec.
pub struct Upstreams {
    /// Documents and packages.
    pub client: Arc<Remembering>,
    /// The hosts behind them: which are there.
    pub hosts: Arc<Client>,
    /// Images.
    pub puller: Puller,
    /// What was fetched before.
    pub cache: Cache,
}

impl Upstreams {
    /// Sets up what the spec says of registries. `notices` hear of what is
    /// waited for.
    pub fn new(file: &SpecFile, cache: Cache, notices: &Notices) -> anyhow::Result<Self> {
        Self::over(Network::On, file, cache, notices)
    }

    /// The same with or without a network: without, all is as it was when it was read
    /// the last time.
    pub fn over(
        network: Network,
        file: &SpecFile,
        cache: Cache,
        notices: &Notices,
    ) -> anyhow::Result<Self> {
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
            let (only, token_server) = (registry.only, registry.token_server.clone());
            let registry = Registry { mirrors, only, credentials, plain_http, token_server };
            registries.insert(name.clone(), registry);
        }
        login_file::check_named()?;
        let hosts = Arc::new(Client::new(&authorities)?.telling(notices));
        let cache = cache.telling(notices);
        let puller = Puller::new(hosts.clone(), Registries::new(registries)?, login_file::places());
        let puller = puller.remembering(cache.clone(), network);
        let client = Arc::new(Remembering::new(hosts.clone(), cache.clone(), network));
        Ok(Self { client, hosts, puller, cache })
    }
}

/// Finds out what `file` means now. What is cheap to ask comes first: manifests and
/// images are small documents, a repository's metadata is not. All problems of such
/// a part are in the error.
pub fn resolve(file: &SpecFile, upstreams: &Upstreams, now: SystemTime) -> anyhow::Result<Lock> {
    resolve_keeping(None, file, upstreams, now)
}

/// The same with what stays as it was.
pub fn resolve_keeping(
    kept: Option<&Kept<'_>>,
    file: &SpecFile,
    upstreams: &Upstreams,
    now: SystemTime,
) -> anyhow::Result<Lock> {
    let spec = &file.spec;
    let combination = combination::check(spec);
    if !combination.refused.is_empty() {
        bail!("{}", combination.refused.join("\n"));
    }
    let mut wanted = images::Wanted::of_spec(spec);
    wanted.add_kubeadm(spec)?;
    // Before any of them is read: what is edited meanwhile is noticed at the build.
    let inputs = inputs::of(file)?;
    let places = places::places(file, &wanted, upstreams);
    upstreams.hosts.expect(places.values().map(|place| place.url.clone()).collect());

    let architectures: Vec<Architecture> = spec
        .targets
        .iter()
        .map(|target| target.architecture)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut problems = Problems::default();
    let mut later_warnings = Vec::new();
    let mut manifests = Vec::new();
    let read = parallel::each(&spec.manifests, |manifest| {
        manifests::lock(kept, file, &manifest.value, upstreams)
    });
    for (manifest, read) in spec.manifests.iter().zip(read) {
        let name = &manifest.value.name;
        match read {
            Ok(locked) => {
                for found in locked.found {
                    wanted.add(found.image.clone(), found.why(name));
                }
                later_warnings.extend(locked.warnings);
                manifests.push((locked.manifest, locked.file));
            }
            Err(error) => problems.add(&format!("manifest {name}"), &error),
        }
    }
    manifests::refused(spec, &manifests).into_iter().for_each(|line| problems.line(line));
    let manifests: Vec<_> = manifests.into_iter().map(|(manifest, _)| manifest).collect();
    later_warnings.extend(manifests::unmet(spec, &manifests));
    for image in wanted.names() {
        later_warnings.extend(combination::check_image(spec, image).warnings);
    }
    let images = images::lock(kept, spec, wanted, &architectures, upstreams, &mut problems);
    let mut files: Vec<LockedFile> = Vec::new();
    match files::installers(file, upstreams, &architectures) {
        Ok((installers, missing)) => {
            files.extend(installers);
            later_warnings.extend(missing);
        }
        Err(error) => problems.line(format!("{error:#}")),
    }
    match images::sandbox(spec) {
        Some(sandbox) => {
            if !images.iter().any(|image| image.name == sandbox) && problems.is_empty() {
                let words = format!("the sandbox image {sandbox} is none of the bundle's images");
                problems.line(words);
            }
        }
        None => problems.line(
            "no image is called `pause`: list the sandbox image of this release under `images:`"
                .to_owned(),
        ),
    }
    end(problems, &places, upstreams)?;

    let mut problems = Problems::default();
    let mut warnings = combination.warnings;
    let mut rpms = Vec::new();
    let mut targets: Vec<LockedTarget> = Vec::new();
    for target in &spec.targets {
        match packages::lock(kept, file, target, upstreams, now) {
            Ok(locked) => {
                rpms.extend(locked.rpms);
                files.extend(locked.keys);
                warnings.extend(locked.warnings);
                targets.push(locked.target);
            }
            Err(error) => problems.add(&format!("target {}", target.id()), &error),
        }
    }
    end(problems, &places, upstreams)?;
    warnings.extend(later_warnings);
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
        inputs,
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

/// Fails where there are problems. Where a host was not there, the others that must
/// be, and are not, are told as well.
fn end(
    mut problems: Problems,
    places: &BTreeMap<String, places::Place>,
    upstreams: &Upstreams,
) -> anyhow::Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    problems.others(upstreams.hosts.unreachable(), |host| places.get(host)?.only_for.clone());
    bail!("{}", problems.lines().join("\n"))
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
