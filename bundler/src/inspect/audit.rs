//! Who vouches for each thing in a bundle: a key whose signature was checked again, who
//! made the bundle, the connection that it came by, or nobody.

mod packages;

use std::time::SystemTime;

use bundle_format::BundlePath;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{
    CheckName, DisabledCheck, FileKind, FileSource, Lock, LockedFile, LockedImage, LockedManifest,
};
use serde::Serialize;

/// Who vouches for a thing: from nobody to a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "by", content = "words")]
pub enum Voucher {
    /// Nobody: why.
    Nobody(String),
    /// The connection by which it came when the lock was made. Its digest was fixed then.
    Connection(String),
    /// Who made the bundle, from a file of his own.
    Maker(String),
    /// A key, by a signature over other bytes that name this one's digest. It was checked when
    /// the lock was made, and is not in the bundle.
    SignedList(String),
    /// A key, by a signature that is in the bundle and was checked now.
    Signature(String),
}

/// A thing in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Audited {
    /// Who vouches for it.
    pub voucher: Voucher,
    /// What it is, and its name: `rpm el9-x86_64 socat-1.7.4.1-5.el9.x86_64`.
    pub what: String,
}

/// All things in a bundle, those for which the least vouches first. Reads all its
/// packages.
pub fn audit(bundle: &Bundle, now: SystemTime) -> anyhow::Result<Vec<Audited>> {
    let lock = bundle.lock();
    let mut all = packages::audit(bundle, now)?;
    all.extend(lock.images.iter().map(|image| of_image(lock, image)));
    all.extend(lock.manifests.iter().map(|manifest| of_manifest(lock, manifest)));
    all.extend(lock.files.iter().map(|file| of_file(lock, file)));
    all.sort();
    Ok(all)
}

/// The reason for which a check is off.
fn off(lock: &Lock, check: CheckName, subject: &str) -> Option<String> {
    let is_it = |own: &&DisabledCheck| own.check == check && own.subject == subject;
    let own = lock.disabled_checks.iter().find(is_it)?;
    Some(format!("without the check {own}"))
}

fn of_image(lock: &Lock, image: &LockedImage) -> Audited {
    let registry = image.source.registry();
    // Any registry may be a mirror of this one, and a lock does not say who answered.
    let plain = lock
        .disabled_checks
        .iter()
        .find(|own| own.check == CheckName::PlainHttp && !own.subject.contains('/'));
    let voucher = match plain {
        Some(off) => Voucher::Nobody(format!("it may have come without the check {off}")),
        None => Voucher::Connection(format!("TLS with {registry}, or with a mirror of the spec's")),
    };
    Audited { voucher, what: format!("image {}", image.name) }
}

fn of_manifest(lock: &Lock, manifest: &LockedManifest) -> Audited {
    let subject = format!("manifests/{}", manifest.name);
    let voucher = match off(lock, CheckName::PlainHttp, &subject) {
        Some(reason) => Voucher::Nobody(reason),
        None => of_source(&manifest.source),
    };
    Audited { voucher, what: format!("manifest {}", manifest.name) }
}

fn of_file(lock: &Lock, file: &LockedFile) -> Audited {
    let what = match file.kind {
        FileKind::Key => "key",
        FileKind::Installer => "installer",
    };
    let by_http = match &file.path {
        BundlePath::Key { target, .. } => {
            let repositories = lock.targets.iter().filter(|own| own.id == *target);
            let ids = repositories.flat_map(|own| &own.repositories).map(|own| &own.id);
            let own = { ids }.find(|id| file.path.is_key_of(target, id));
            own.and_then(|id| off(lock, CheckName::PlainHttp, &format!("{target}/{id}")))
        }
        _ => None,
    };
    let voucher = match (&file.source, by_http) {
        (FileSource::BesideBundler, _) => {
            Voucher::Maker("the installer beside `bundler`".to_owned())
        }
        (FileSource::Named(source), Some(reason)) if source.starts_with("http:") => {
            Voucher::Nobody(reason)
        }
        (FileSource::Named(source), _) => of_source(source),
    };
    Audited { voucher, what: format!("{what} {}", file.path) }
}

/// Who vouches for what came from here.
fn of_source(source: &str) -> Voucher {
    match source.split_once("://") {
        Some(("https", rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            Voucher::Connection(format!("TLS with {host}"))
        }
        // Without a reason, `lock` takes it only from this machine, or by a digest in the spec.
        Some(("http", _)) => Voucher::Maker(format!("by its digest in the spec: {source}")),
        _ => Voucher::Maker(format!("the file {source}")),
    }
}
