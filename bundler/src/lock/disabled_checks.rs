//! The checks that a spec switches off. The lock lists them, so that `inspect` and a
//! reviewer see them.

use bundle_format::lock::{CheckName, DisabledCheck};

use crate::spec::{Check, ExpiredKeys, Reason, Spec};

/// Each check that the spec switches off.
pub(super) fn of(spec: &Spec) -> Vec<DisabledCheck> {
    let mut disabled = Vec::new();
    let mut add = |check: CheckName, subject: String, reason: &Reason| {
        disabled.push(DisabledCheck { check, subject, reason: reason.as_str().to_owned() });
    };
    for target in &spec.targets {
        for repository in &target.repositories {
            let subject = format!("{}/{}", target.id(), repository.id.value);
            if let Check::Off(reason) = &repository.gpgcheck {
                add(CheckName::Gpgcheck, subject.clone(), reason);
            }
            if let Check::Off(reason) = &repository.repo_gpgcheck {
                add(CheckName::RepoGpgcheck, subject.clone(), reason);
            }
            if let ExpiredKeys::Allow(reason) = &repository.expired_keys {
                add(CheckName::ExpiredKeys, subject.clone(), reason);
            }
            if let Some(reason) = &repository.plain_http {
                add(CheckName::PlainHttp, subject, reason);
            }
        }
    }
    for manifest in &spec.manifests {
        if let Some(reason) = &manifest.value.plain_http {
            add(CheckName::PlainHttp, format!("manifests/{}", manifest.value.name), reason);
        }
    }
    for (name, registry) in &spec.registries {
        if let Some(reason) = &registry.plain_http {
            add(CheckName::PlainHttp, name.clone(), reason);
        }
    }
    disabled
}
