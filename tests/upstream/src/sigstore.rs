//! A Sigstore of one's own: an authority for signers' certificates, a log of them, and a log of
//! signatures. It stands in for Fulcio and Rekor, and makes what cosign 2 puts beside an image.
//! `cosign verify --offline` 2.4.1 takes its signatures, and refuses those that are made wrong
//! (tried on 28 November 2026).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PublicKeyData, SanType, SigningKey, date_time_ymd,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Who knows the identity (sigstore/fulcio, `docs/oid-info.md`).
const ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
const OLD_ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 1];
/// The promises of logs of certificates (RFC 6962, 3.3).
const PROMISES: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
/// What is in an envelope.
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// How long a signer's certificate is valid.
const LIFE: Duration = Duration::from_secs(600);

/// A Sigstore.
pub struct Sigstore {
    authority: Issuer<'static, KeyPair>,
    chain: Vec<Certificate>,
    log: KeyPair,
    certificate_log: KeyPair,
}

/// Who signs, and how.
#[derive(Clone, Debug)]
pub struct Signing {
    /// His e-mail address, or a URI.
    pub identity: String,
    /// Who knows him; none is written if it is empty.
    pub issuer: String,
    /// When his certificate begins.
    pub from: SystemTime,
    /// When the log gets the signature.
    pub logged: SystemTime,
    /// Whether the certificate is for signing code.
    pub for_code: bool,
    /// Whether the log of certificates has it.
    pub certificate_logged: bool,
}

/// A signature, as cosign 2 puts it beside an image.
#[derive(Clone, Debug)]
pub struct Keyless {
    /// What was signed.
    pub payload: Vec<u8>,
    /// The signature, in base64.
    pub signature: String,
    /// The certificate, as a PEM text.
    pub certificate: String,
    /// The log's entry.
    pub entry: Value,
}

impl Signing {
    /// A signature of today.
    pub fn by(identity: &str, issuer: &str) -> Self {
        let from = SystemTime::now();
        Self {
            identity: identity.to_owned(),
            issuer: issuer.to_owned(),
            from,
            logged: from + Duration::from_secs(1),
            for_code: true,
            certificate_logged: true,
        }
    }
}

impl Sigstore {
    /// Makes all keys.
    ///
    /// # Errors
    /// When a key or a certificate cannot be made.
    pub fn new() -> Result<Self> {
        let root = authority("the root", None)?;
        let (certificate, authority) = authority("the intermediate", Some(&root.1))?;
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256);
        let chain = vec![certificate, root.0];
        Ok(Self { authority, chain, log: key()?, certificate_log: key()? })
    }

    /// Its `trusted_root.json`.
    pub fn trusted_root(&self) -> Value {
        let log = |key: &KeyPair| {
            let bytes = key.subject_public_key_info();
            json!({
                "hashAlgorithm": "SHA2_256",
                "logId": {"keyId": STANDARD.encode(Sha256::digest(&bytes))},
                "publicKey": {
                    "rawBytes": STANDARD.encode(bytes),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": {"start": "2024-01-01T00:00:00Z"},
                },
            })
        };
        let chain = self.chain.iter().map(|own| json!({"rawBytes": STANDARD.encode(own.der())}));
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [{
                "certChain": {"certificates": chain.collect::<Vec<_>>()},
                "validFor": {"start": "2024-01-01T00:00:00.000Z"},
            }],
            "tlogs": [log(&self.log)],
            "ctlogs": [log(&self.certificate_log)],
        })
    }

    /// Signs a payload with a new key.
    ///
    /// # Errors
    /// When a key or a certificate cannot be made.
    pub fn sign(&self, payload: &[u8], how: &Signing) -> Result<Keyless> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = self.certificate(&key, how)?.pem();
        let signature = STANDARD.encode(key.sign(payload)?);
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {
                    "algorithm": "sha256",
                    "value": hex::encode(Sha256::digest(payload)),
                }},
                "signature": {
                    "content": signature,
                    "publicKey": {"content": STANDARD.encode(&certificate)},
                },
            },
        });
        let entry = self.logged(&body, how.logged)?;
        Ok(Keyless { payload: payload.to_vec(), signature, certificate, entry })
    }

    /// Signs a payload of in-toto's with a new key, and makes the bundle that cosign 3 puts beside
    /// an image.
    ///
    /// # Errors
    /// When a key or a certificate cannot be made.
    pub fn bundle(&self, payload: &[u8], how: &Signing) -> Result<Value> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = self.certificate(&key, how)?;
        let head = format!("DSSEv1 {} {IN_TOTO} {} ", IN_TOTO.len(), payload.len());
        let signature = STANDARD.encode(key.sign(&[head.as_bytes(), payload].concat())?);
        let hash = json!({"algorithm": "sha256", "value": hex::encode(Sha256::digest(payload))});
        let verifier = STANDARD.encode(certificate.pem());
        let body = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "payloadHash": hash,
            "signatures": [{"signature": signature, "verifier": verifier}],
        }});
        let entry = self.logged(&body, how.logged)?;
        let (promise, entry) = (&entry["SignedEntryTimestamp"], &entry["Payload"]);
        let log = STANDARD.encode(Sha256::digest(self.log.subject_public_key_info()));
        Ok(json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": STANDARD.encode(certificate.der())},
                "tlogEntries": [{
                    "logIndex": entry["logIndex"].to_string(),
                    "logId": {"keyId": log},
                    "kindVersion": {"kind": "dsse", "version": "0.0.1"},
                    "integratedTime": entry["integratedTime"].to_string(),
                    "inclusionPromise": {"signedEntryTimestamp": promise},
                    "canonicalizedBody": entry["body"],
                }],
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": signature}],
            },
        }))
    }

    /// The entry of something in the log of signatures, as cosign 2 carries it.
    ///
    /// # Errors
    /// When the log's key cannot sign.
    pub fn logged(&self, body: &Value, time: SystemTime) -> Result<Value> {
        let log = hex::encode(Sha256::digest(self.log.subject_public_key_info()));
        let payload = json!({
            "body": STANDARD.encode(body.to_string()),
            "integratedTime": seconds(time).as_secs(),
            "logID": log,
            "logIndex": 7,
        });
        let promise = STANDARD.encode(self.log.sign(payload.to_string().as_bytes())?);
        Ok(json!({"SignedEntryTimestamp": promise, "Payload": payload}))
    }

    fn certificate(&self, key: &KeyPair, how: &Signing) -> Result<Certificate> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.not_before = date_time_ymd(1970, 1, 1) + seconds(how.from);
        params.not_after = params.not_before + LIFE;
        params.subject_alt_names = vec![match how.identity.contains("://") {
            true => SanType::URI(how.identity.as_str().try_into()?),
            false => SanType::Rfc822Name(how.identity.as_str().try_into()?),
        }];
        if how.for_code {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        }
        if !how.issuer.is_empty() {
            // A text of ASN.1, and the same as bare bytes, which cosign 2.4.1 reads.
            let bare = how.issuer.as_bytes();
            let text = [&[12, u8::try_from(bare.len())?], bare].concat();
            let new = CustomExtension::from_oid_content(&ISSUER, text);
            let old = CustomExtension::from_oid_content(&OLD_ISSUER, bare.to_vec());
            params.custom_extensions.extend([old, new]);
        }
        let before = params.signed_by(key, &self.authority)?;
        if !how.certificate_logged {
            return Ok(before);
        }
        let promise = self.promise(before.der(), how.from)?;
        params.custom_extensions.push(CustomExtension::from_oid_content(&PROMISES, promise));
        Ok(params.signed_by(key, &self.authority)?)
    }

    /// The extension with the promise to keep a certificate (RFC 6962, 3.2 and 3.3).
    fn promise(&self, certificate: &[u8], time: SystemTime) -> Result<Vec<u8>> {
        let part = first_in(certificate);
        let issuer = Sha256::digest(self.authority.key().subject_public_key_info());
        let time = u64::try_from(seconds(time).as_millis())?.to_be_bytes();
        let length = u32::try_from(part.len())?.to_be_bytes();
        let signed = [&[0, 0], &time[..], &[0, 1], &issuer, &length[1..], part, &[0, 0]].concat();
        let signature = with_length(&self.certificate_log.sign(&signed)?)?;
        let log = Sha256::digest(self.certificate_log.subject_public_key_info());
        let promise = [&[0], &log[..], &time, &[0, 0, 4, 3], &signature].concat();
        let list = with_length(&with_length(&promise)?)?;
        // An octet string, of less than 128 or of less than 256 bytes.
        let head = match u8::try_from(list.len())? {
            short @ ..128 => vec![4, short],
            long => vec![4, 0x81, long],
        };
        Ok([head, list].concat())
    }
}

/// An authority, and its certificate: a root if nobody signs it.
fn authority(
    name: &str,
    above: Option<&Issuer<'static, KeyPair>>,
) -> Result<(Certificate, Issuer<'static, KeyPair>)> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    if above.is_some() {
        // As Fulcio demands it of its own (sigstore/fulcio, `pkg/ca/common.go`).
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    }
    (params.not_before, params.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2044, 1, 1));
    let certificate = match above {
        Some(above) => params.signed_by(&key, above)?,
        None => params.self_signed(&key)?,
    };
    Ok((certificate, Issuer::new(params, key)))
}

/// The first element in a sequence of DER that is longer than 255 bytes, as is the element.
fn first_in(der: &[u8]) -> &[u8] {
    let inner = &der[4..];
    &inner[..4 + usize::from(u16::from_be_bytes([inner[2], inner[3]]))]
}

fn with_length(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok([&u16::try_from(bytes.len())?.to_be_bytes(), bytes].concat())
}

/// How long after 1970.
fn seconds(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}
