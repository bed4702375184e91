//! Images, manifests, keys and installers. Of these, only images may have a signature.

use bundle_format::BundlePath;
use bundle_format::lock::{
    CheckName, FileSource, Lock, LockedFile, LockedImage, LockedManifest, LockedSignature, Why,
};
use url::Url;

use super::names;
use super::voucher::{Audited, By, Voucher, off, without};
use crate::fetch::is_loopback;
use crate::image::signer::{self, SignedBy};

/// All of them.
pub(super) fn audit(lock: &Lock) -> impl Iterator<Item = Audited> {
    let images = lock.images.iter().map(|image| of_image(lock, image));
    let manifests = lock.manifests.iter().map(|manifest| of_manifest(lock, manifest));
    let files = lock.files.iter().map(|file| of_file(lock, file));
    images.chain(manifests).chain(files)
}

fn of_image(lock: &Lock, image: &LockedImage) -> Audited {
    let what = names::image(image);
    if let Some(signature) = &image.signature {
        return Audited { voucher: of_signature(image, signature), what };
    }
    if let Some(voucher) = of_digest(lock, image) {
        return Audited { voucher, what };
    }
    let registry = image.source.registry();
    // Any registry may be a mirror of this one, and a lock does not say who answered.
    let plain = lock
        .disabled_checks
        .iter()
        .find(|own| own.check == CheckName::PlainHttp && !own.subject.contains('/'));
    let voucher = match plain {
        Some(off) => Voucher::nobody(format!("it may have come {}", without(off))),
        None => Voucher::new(
            By::Connection,
            format!("TLS with {registry}, or with a mirror of the spec's"),
        ),
    };
    Audited { voucher, what }
}

fn of_signature(image: &LockedImage, signature: &LockedSignature) -> Voucher {
    match (signer::check(signature, image.root.digest), signature) {
        (Ok(SignedBy::Key(key)), LockedSignature::Key(own)) => {
            Voucher::new(By::Signature, format!("{key}, {}", own.key_file))
        }
        (Ok(SignedBy::Key(key)), _) => Voucher::new(By::Signature, key.to_string()),
        (Ok(SignedBy::Identity(by)), _) => Voucher::new(By::Signature, format!("signed by {by}")),
        (Err(why), _) => Voucher::nobody(format!("its signature does not count: {why}")),
    }
}

/// Who vouches for an image by a name that has its digest; none if it has none.
fn of_digest(lock: &Lock, image: &LockedImage) -> Option<Voucher> {
    image.name.digest()?;
    let vouchers = image.why.iter().filter_map(|why| match why {
        Why::Spec { .. } => Some(Voucher::new(By::Maker, "by its digest in the spec")),
        Why::Manifest { manifest, .. } => {
            let own = lock.manifests.iter().find(|own| own.name == *manifest)?;
            let Voucher { by, words, .. } = of_manifest(lock, own).voucher;
            Some(Voucher::new(by, format!("by its digest in the manifest {manifest}: {words}")))
        }
        _ => None,
    });
    vouchers.max_by_key(|voucher| voucher.by)
}

fn of_manifest(lock: &Lock, manifest: &LockedManifest) -> Audited {
    let subject = format!("manifests/{}", manifest.name);
    let voucher = match off(lock, CheckName::PlainHttp, &subject) {
        Some(reason) => Voucher::nobody(reason),
        None => of_source(&manifest.source),
    };
    Audited { voucher, what: names::manifest(manifest) }
}

fn of_file(lock: &Lock, file: &LockedFile) -> Audited {
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
            Voucher::new(By::Maker, "the installer beside `bundler`".to_owned())
        }
        (FileSource::Named(source), Some(reason)) if source.starts_with("http:") => {
            Voucher::nobody(reason)
        }
        (FileSource::Named(source), _) => of_source(source),
    };
    Audited { voucher, what: names::file(file) }
}

/// Who vouches for what came from here.
fn of_source(source: &str) -> Voucher {
    match source.split_once("://") {
        Some(("https" | "oci", rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            Voucher::new(By::Connection, format!("TLS with {host}"))
        }
        // Without a reason, `lock` takes it only from this machine, or by a digest in the spec.
        Some(("http", _)) if Url::parse(source).is_ok_and(|url| is_loopback(&url)) => {
            Voucher::new(By::Maker, format!("from the machine of who made the bundle: {source}"))
        }
        Some(("http", _)) => {
            Voucher::new(By::Maker, format!("by its digest in the spec, without TLS from {source}"))
        }
        _ => Voucher::new(By::Maker, format!("the file {source}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_which_of_two_ways_it_came_without_tls() {
        let own = of_source("http://127.0.0.1:8080/a.yaml");
        let elsewhere = of_source("http://a.example.com/a.yaml");
        assert_eq!((own.by, elsewhere.by), (By::Maker, By::Maker));
        assert_eq!(
            own.words,
            "from the machine of who made the bundle: http://127.0.0.1:8080/a.yaml"
        );
        assert_eq!(
            elsewhere.words,
            "by its digest in the spec, without TLS from http://a.example.com/a.yaml"
        );
    }
}
