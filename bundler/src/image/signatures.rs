//! Fetches cosign's signatures over an image. They are the layers of an image manifest with
//! the tag `sha256-<hex>.sig` in the image's own repository: a layer is a payload, and its
//! annotations have the signature, the certificate and the log's entry.

use std::fmt;

use bundle_format::digest::Digest;
use bundle_format::lock::LockedSignature;
use bundle_format::oci::{Document, Entry};
use bundle_format::reference::ImageReference;
use bundle_format::text::{brief, count};

use super::payload::MAX_PAYLOAD;
use super::pull::{MANIFEST_LIMIT, Puller};
use super::pull_error::PullError;
use super::registry::Endpoint;
use super::signer::{Found, Signer};
use crate::fetch::{FetchError, with_causes};

/// The annotation with the signature, in base64.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation with the certificate, as a PEM text.
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// The annotation with the log's entry, as JSON.
const ENTRY: &str = "dev.sigstore.cosign/bundle";
/// The media type of a payload.
const PAYLOAD_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// How many signatures over one image are read.
const MOST: usize = 100;

/// Why no signature over an image counts.
#[derive(Debug, thiserror::Error)]
#[error("{}", attempts.iter().map(|(host, why)| format!("\n  from {host}: {why}")).collect::<String>())]
pub struct SignatureError {
    /// What each registry or mirror had, in the order in which they were asked.
    pub attempts: Vec<(String, NotSigned)>,
}

/// Why one registry or mirror had no signature that counts.
#[derive(Debug)]
pub enum NotSigned {
    /// It was asked, and has no signatures over the image.
    Nothing,
    /// It could not be asked, or does not answer as a registry.
    Unknown(String),
    /// How many signatures it has, and what is wrong with them.
    Refused(usize, Vec<String>),
}

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("it has no signatures over this image"),
            Self::Unknown(why) => f.write_str(why),
            Self::Refused(number, all) => {
                write!(f, "of {}, none counts", count(*number, "signature"))?;
                all.iter().try_for_each(|why| write!(f, "; {why}"))
            }
        }
    }
}

impl Puller {
    /// The first signature of `signer` over the image that `root` is the digest of. Asks one
    /// registry or mirror after another, until one has it.
    pub fn signature(
        &self,
        image: &ImageReference,
        root: Digest,
        signer: &Signer,
    ) -> Result<LockedSignature, SignatureError> {
        let endpoints = self.endpoints(image).map_err(|error| {
            let why = NotSigned::Unknown(error.to_string());
            SignatureError { attempts: vec![(image.registry().to_owned(), why)] }
        })?;
        let mut attempts = Vec::new();
        for endpoint in endpoints {
            match self.signature_at(&endpoint, root, signer) {
                Ok(found) => return Ok(found),
                Err(why) => attempts.push((endpoint.host(), why)),
            }
        }
        Err(SignatureError { attempts })
    }

    fn signature_at(
        &self,
        endpoint: &Endpoint,
        root: Digest,
        signer: &Signer,
    ) -> Result<LockedSignature, NotSigned> {
        let layers = self.signature_layers(endpoint, root)?;
        let signed = layers.iter().filter_map(|layer| {
            let signature = layer.annotations.as_ref()?.get(SIGNATURE)?;
            (layer.media_type == PAYLOAD_TYPE).then_some((layer, &**signature))
        });
        let mut refused = Vec::new();
        for (layer, signature) in signed.clone().take(MOST) {
            match self.payload(endpoint, layer).and_then(|payload| {
                let text = |name| Some(&**layer.annotations.as_ref()?.get(name)?);
                let (certificate, entry) = (text(CERTIFICATE), text(ENTRY));
                let found = Found { payload, signature, certificate, entry };
                signer.accept(&found, root).map_err(|why| why.to_string())
            }) {
                Ok(found) => return Ok(found),
                Err(why) if refused.contains(&why) => {}
                Err(why) => refused.push(why),
            }
        }
        let number = signed.count();
        if number > MOST {
            refused.push(format!("those after the first {MOST} are not read"));
        }
        match refused.is_empty() {
            true => Err(NotSigned::Nothing),
            false => Err(NotSigned::Refused(number, refused)),
        }
    }

    /// The layers of the image manifest that has the signatures.
    fn signature_layers(&self, endpoint: &Endpoint, root: Digest) -> Result<Vec<Entry>, NotSigned> {
        let request = endpoint.manifest(&format!("sha256-{}.sig", root.hex()));
        let manifest = match self.read(&request, MANIFEST_LIMIT) {
            Err(PullError::Fetch(FetchError::Status { status: 404, .. })) => {
                return Err(NotSigned::Nothing);
            }
            answer => answer.map_err(|error| NotSigned::Unknown(with_causes(&error)))?.bytes,
        };
        let manifest: Document = serde_json::from_slice(&manifest).map_err(|error| {
            NotSigned::Unknown(format!("{}: {}", request.url, brief(&error.to_string())))
        })?;
        Ok(manifest.layers.unwrap_or_default())
    }

    /// The bytes of a payload; the error says why it does not count.
    fn payload(&self, endpoint: &Endpoint, layer: &Entry) -> Result<Vec<u8>, String> {
        let Ok(blob) = layer.descriptor() else {
            return Err(format!("its payload has no SHA-256: {}", brief(&layer.digest)));
        };
        if blob.size > MAX_PAYLOAD {
            return Err(format!("its payload has {} bytes, as no real one has", blob.size));
        }
        let answer = self.read(&endpoint.blob(&blob.digest), MAX_PAYLOAD);
        let bytes = answer.map_err(|error| with_causes(&error))?.bytes;
        match Digest::of(&bytes) == blob.digest {
            true => Ok(bytes),
            false => Err("its payload does not have the digest that its manifest gives".to_owned()),
        }
    }
}
