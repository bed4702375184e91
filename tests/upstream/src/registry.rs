//! The OCI distribution API over the images: `/v2/` and the token endpoint.
//! Pull only, behind anonymous bearer tokens, each good for one repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bundle_format::digest::Digest;
use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::image::{self, Blobs, Form, Manifest};

/// kubeadm's list for v1.28.2, Calico v3.26.4 and ingress-nginx v1.9.3.
const IMAGES: [(&str, &str, Form); 12] = [
    ("kube-apiserver", "v1.28.2", Form::Index),
    ("kube-controller-manager", "v1.28.2", Form::Index),
    ("kube-scheduler", "v1.28.2", Form::Index),
    ("kube-proxy", "v1.28.2", Form::Index),
    ("pause", "3.9", Form::Index),
    ("etcd", "3.5.9-0", Form::Plain),
    ("coredns/coredns", "v1.10.1", Form::Index),
    ("calico/cni", "v3.26.4", Form::Index),
    ("calico/node", "v3.26.4", Form::Index),
    ("calico/kube-controllers", "v3.26.4", Form::Docker),
    (CONTROLLER, "v1.9.3", Form::Index),
    (CERTGEN, "v20231011-8b53cabe0", Form::Index),
];
/// Later releases of the first four.
const LATER: [&str; 5] = ["v1.28.90", "v1.29.80", "v1.29.90", "v1.30.90", "v1.31.90"];
const CONTROLLER: &str = "ingress-nginx/controller";
const CERTGEN: &str = "ingress-nginx/kube-webhook-certgen";

/// The repository of the large image, tag `latest`.
pub(crate) const LARGE: &str = "large";

/// The media type of a bundle of Sigstore's.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Who lists what refers to an image.
#[derive(Clone, Copy, Debug)]
pub enum Listing {
    /// The registry itself.
    Registry,
    /// Clients, in an index with a tag.
    Tag,
}

/// All images, by repository and tag or digest.
pub(crate) struct Registry {
    manifests: HashMap<(String, String), Manifest>,
    blobs: Blobs,
    /// The folder of image manifests that are put there while it runs.
    put: PathBuf,
}

impl Registry {
    /// Makes the images, their blobs in `directory`, and with `large_mebibytes`
    /// above 0 the large one.
    pub(crate) fn new(directory: &Path, large_mebibytes: u64) -> Result<Self> {
        let mut registry = Self {
            manifests: HashMap::new(),
            blobs: Blobs::new(directory)?,
            put: directory.to_owned(),
        };
        for (name, tag, form) in IMAGES {
            let manifests = image::make(&registry.blobs, name, form)?;
            if name.starts_with("kube-") {
                LATER.iter().for_each(|tag| registry.add(name, tag, manifests.clone()));
            }
            registry.add(name, tag, manifests);
        }
        if large_mebibytes > 0 {
            let manifests = image::make_large(&registry.blobs, large_mebibytes)?;
            registry.add(LARGE, "latest", manifests);
        }
        Ok(registry)
    }

    fn add(&mut self, name: &str, tag: &str, manifests: Vec<Manifest>) {
        if let Some(first) = manifests.first() {
            self.manifests.insert((name.to_owned(), tag.to_owned()), first.clone());
        }
        for manifest in manifests {
            self.manifests.insert((name.to_owned(), manifest.digest().to_string()), manifest);
        }
    }

    /// The digests of ingress-nginx' controller and certgen images, which its
    /// manifest names.
    pub(crate) fn ingress_digests(&self) -> Result<(Digest, Digest)> {
        let digest = |name: &str| {
            let (_, tag, _) = IMAGES.iter().find(|(image, ..)| *image == name)?;
            Some(self.manifests.get(&(name.to_owned(), (*tag).to_owned()))?.digest())
        };
        digest(CONTROLLER).zip(digest(CERTGEN)).context("finding ingress-nginx' images")
    }

    /// Answers `/token?…`.
    pub(crate) fn token(request: &Request) -> Response {
        let scope = request.query("scope").unwrap_or_default();
        let document = json!({"token": token_for(&scope), "expires_in": 300});
        Response::bytes(200, "application/json", document.to_string().into_bytes())
    }

    /// Answers `/v2/…`; `path` is what follows that.
    pub(crate) fn answer(&self, request: &Request, path: &str, origin: &str) -> Response {
        let segments: Vec<&str> = path.split('/').collect();
        let (name, kind, reference) = match &segments[..] {
            [""] => (String::new(), "", ""),
            [name @ .., kind, reference] => (name.join("/"), *kind, *reference),
            _ => return error(404, "NAME_UNKNOWN"),
        };
        let scope = if name.is_empty() { String::new() } else { format!("repository:{name}:pull") };
        let authorized = match request.header("authorization") {
            Some(value) if scope.is_empty() => value.starts_with("Bearer "),
            Some(value) => value == format!("Bearer {}", token_for(&scope)),
            None => false,
        };
        if !authorized {
            let scope = if scope.is_empty() { scope } else { format!(",scope=\"{scope}\"") };
            let challenge = format!("Bearer realm=\"{origin}/token\",service=\"upstream\"{scope}");
            return error(401, "UNAUTHORIZED").with("WWW-Authenticate", challenge);
        }
        match kind {
            "" => Response::bytes(200, "application/json", b"{}".to_vec()),
            "manifests" => self.manifest(request, name, reference),
            "blobs" => self.blob(reference),
            "referrers" => {
                let path = put_at(&self.put, &name, &listed(reference));
                Response::file(image::OCI_INDEX, &path)
                    .unwrap_or_else(|_| error(404, "UNSUPPORTED"))
            }
            _ => error(404, "UNSUPPORTED"),
        }
    }

    /// Gives no type that was not asked for, as distribution's registry.
    fn manifest(&self, request: &Request, name: String, reference: &str) -> Response {
        let accept = request.header("accept").unwrap_or_default();
        let put = put_at(&self.put, &name, reference);
        match self.manifests.get(&(name, reference.to_owned())) {
            None if put.is_file() => {
                let is_index = reference.starts_with("sha256-") && !reference.ends_with(".sig");
                let kind = if is_index { image::OCI_INDEX } else { image::OCI_MANIFEST };
                Response::file(kind, &put).unwrap_or_else(|_| error(500, "UNKNOWN"))
            }
            Some(found) if !accept.contains(found.media_type) => error(404, "MANIFEST_UNKNOWN"),
            Some(found) => Response::bytes(200, found.media_type, found.bytes.clone())
                .with("Docker-Content-Digest", found.digest().to_string()),
            None => error(404, "MANIFEST_UNKNOWN"),
        }
    }

    fn blob(&self, reference: &str) -> Response {
        let Ok(digest) = reference.parse::<Digest>() else {
            return error(400, "DIGEST_INVALID");
        };
        match Response::file("application/octet-stream", &self.blobs.path(digest)) {
            Ok(response) => response.with("Docker-Content-Digest", digest.to_string()),
            Err(_) => error(404, "BLOB_UNKNOWN"),
        }
    }
}

/// The file of a manifest that is put there while the registry runs.
fn put_at(directory: &Path, repository: &str, reference: &str) -> PathBuf {
    directory.join(format!("{}@{reference}", repository.replace('/', "+")))
}

/// Puts cosign's signatures over an image into a registry's `directory`: each is a payload
/// and the annotations of its layer.
pub(crate) fn put_signatures(
    directory: &Path,
    repository: &str,
    image: Digest,
    signatures: &[(Vec<u8>, Value)],
) -> Result<()> {
    let blobs = Blobs::new(directory)?;
    let layer = |(payload, annotations): &(Vec<u8>, Value)| {
        let (digest, size) = blobs.put(payload)?;
        anyhow::Ok(json!({
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": digest.to_string(),
            "size": size,
            "annotations": annotations,
        }))
    };
    let layers = signatures.iter().map(layer).collect::<Result<Vec<_>>>()?;
    let document = json!({"schemaVersion": 2, "mediaType": image::OCI_MANIFEST, "layers": layers});
    let reference = format!("sha256-{}.sig", image.hex());
    Ok(std::fs::write(put_at(directory, repository, &reference), document.to_string())?)
}

/// The name of the list of what refers to a manifest.
fn listed(reference: &str) -> String {
    format!("referrers+{reference}")
}

/// Puts bundles of Sigstore's over an image into a registry's `directory`, each in a manifest
/// that refers to the image.
pub(crate) fn put_bundles(
    directory: &Path,
    repository: &str,
    image: Digest,
    listing: Listing,
    bundles: &[Vec<u8>],
) -> Result<()> {
    let blobs = Blobs::new(directory)?;
    let referrer = |bundle: &Vec<u8>| {
        let (digest, size) = blobs.put(bundle)?;
        let layer = json!({"mediaType": BUNDLE, "digest": digest.to_string(), "size": size});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": image::OCI_MANIFEST,
            "artifactType": BUNDLE,
            "layers": [layer],
        })
        .to_string();
        let digest = Digest::of(manifest.as_bytes()).to_string();
        std::fs::write(put_at(directory, repository, &digest), &manifest)?;
        anyhow::Ok(json!({
            "mediaType": image::OCI_MANIFEST,
            "artifactType": BUNDLE,
            "digest": digest,
            "size": manifest.len(),
        }))
    };
    // Something else refers to the image too.
    let other = json!({
        "mediaType": image::OCI_MANIFEST,
        "artifactType": "application/spdx+json",
        "digest": Digest::of(b"").to_string(),
        "size": 0,
    });
    let mut manifests = vec![other];
    for bundle in bundles {
        manifests.push(referrer(bundle)?);
    }
    let index = json!({"schemaVersion": 2, "mediaType": image::OCI_INDEX, "manifests": manifests});
    let reference = match listing {
        Listing::Registry => listed(&image.to_string()),
        Listing::Tag => format!("sha256-{}", image.hex()),
    };
    Ok(std::fs::write(put_at(directory, repository, &reference), index.to_string())?)
}

fn token_for(scope: &str) -> String {
    Digest::of(scope.as_bytes()).hex()
}

/// The error document of the distribution spec, "Error Codes".
fn error(status: u16, code: &str) -> Response {
    let document = json!({"errors": [{"code": code, "message": code}]});
    Response::bytes(status, "application/json", document.to_string().into_bytes())
}
