//! Certificates on a node: whose they are, and from when to when they hold.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::Digest;
use x509_cert::der::{Decode, Encode};
use x509_cert::name::Name;
use x509_cert::time::Time;

/// How long before its end a certificate is to be renewed. kubelet renews its own
/// when 10 to 30 % of its time are left (client-go, `certificate_manager.go`),
/// which of a year is longer.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A certificate (RFC 5280), as far as a node's health depends on it.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its own bytes, by which two are the same.
    pub der: Vec<u8>,
    /// The common name of its subject: `system:node:node1`.
    pub common_name: Option<String>,
    /// The common name of the authority that has signed it: `kubernetes`.
    pub issuer: Option<String>,
    /// The digest of its public key, by which kubeadm names an authority
    /// (`--discovery-token-ca-cert-hash`).
    pub key_digest: Digest,
    /// The first second at which it holds.
    pub from: Time,
    /// The last.
    pub until: Time,
}

impl Certificate {
    /// All certificates of a text in PEM (RFC 7468); keys beside them are passed
    /// over.
    pub fn all_of(pem: &str) -> anyhow::Result<Vec<Self>> {
        let blocks = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
        blocks.map(|block| Self::of_block(block).context("reading a certificate")).collect()
    }

    fn of_block(block: &str) -> anyhow::Result<Self> {
        let (text, _) = block.split_once("-----END CERTIFICATE-----").context("it is cut off")?;
        let text: String = text.split_ascii_whitespace().collect();
        let der = STANDARD.decode(text)?;
        let certificate = x509_cert::Certificate::from_der(&der)?;
        let body = certificate.tbs_certificate();
        let validity = body.validity();
        Ok(Self {
            common_name: common_name(body.subject()),
            issuer: common_name(body.issuer()),
            key_digest: Digest::of(&body.subject_public_key_info().to_der()?),
            from: validity.not_before,
            until: validity.not_after,
            der,
        })
    }

    /// Whether it holds no more.
    pub fn has_expired(&self, now: SystemTime) -> bool {
        self.until.to_system_time() < now
    }

    /// Whether it does not hold yet.
    pub fn is_early(&self, now: SystemTime) -> bool {
        now < self.from.to_system_time()
    }

    /// Whether it holds, and will not for much longer.
    pub fn ends_soon(&self, now: SystemTime) -> bool {
        !self.has_expired(now) && self.until.to_system_time() < now + SOON
    }

    /// For how many whole days it still holds; less than none when it has expired.
    pub fn days_left(&self, now: SystemTime) -> i64 {
        let seconds = |time: SystemTime| match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(_) => 0,
        };
        (seconds(self.until.to_system_time()) - seconds(now)).div_euclid(24 * 60 * 60)
    }
}

fn common_name(name: &Name) -> Option<String> {
    let text = name.to_string();
    text.split([',', '+']).find_map(|part| part.strip_prefix("CN=")).map(str::to_owned)
}
