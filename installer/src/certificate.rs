//! Certificates on a node: whose they are, and from when to when they hold.

use std::time::SystemTime;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_cert::der::Decode;
use x509_cert::time::Time;

/// A certificate (RFC 5280), as far as a node's health depends on it.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its own bytes, by which two are the same.
    pub der: Vec<u8>,
    /// The common name of its subject: `system:node:node1`.
    pub common_name: Option<String>,
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
        let subject = body.subject().to_string();
        let common_name =
            subject.split([',', '+']).find_map(|part| part.strip_prefix("CN=")).map(str::to_owned);
        let validity = body.validity();
        Ok(Self { common_name, from: validity.not_before, until: validity.not_after, der })
    }

    /// Whether it holds no more.
    pub fn has_expired(&self, now: SystemTime) -> bool {
        self.until.to_system_time() < now
    }

    /// Whether it does not hold yet.
    pub fn is_early(&self, now: SystemTime) -> bool {
        now < self.from.to_system_time()
    }
}
