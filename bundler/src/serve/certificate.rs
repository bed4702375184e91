//! The server's certificate: the site's own, or one that is made for this run.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use bundle_format::Digest;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use url::Host;

/// How long a certificate counts that is made for one run.
const LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How far a node's clock may be behind.
const SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// What TLS needs.
pub struct Certificate {
    /// The settings of rustls.
    pub(super) config: Arc<ServerConfig>,
    /// The certificate as a file, if nodes do not know who issued it.
    pub made: Option<String>,
    /// The SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` shows it.
    pub fingerprint: String,
}

impl Certificate {
    /// A certificate for one run of the server, which nodes reach by `name`, a host name or
    /// an address. Its key is never written anywhere.
    pub fn made_for(name: &Host) -> anyhow::Result<Self> {
        let making = || format!("making a certificate for {name}");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "kubeferry");
        params.subject_alt_names = vec![match name {
            Host::Ipv4(own) => SanType::IpAddress((*own).into()),
            Host::Ipv6(own) => SanType::IpAddress((*own).into()),
            Host::Domain(own) => SanType::DnsName(own.clone().try_into().with_context(making)?),
        }];
        let now = SystemTime::now();
        (params.not_before, params.not_after) = ((now - SKEW).into(), (now + LIFE).into());
        let key = KeyPair::generate().with_context(making)?;
        let certificate = params.self_signed(&key).with_context(making)?;
        let pem = certificate.pem();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Self::of(vec![certificate.into()], key.into(), Some(pem)).with_context(making)
    }

    /// The site's own: a chain and its key, each a file in PEM.
    pub fn read(chain: &Path, key: &Path) -> anyhow::Result<Self> {
        let reading = |path: &Path| format!("reading {}", path.display());
        let text = fs::read(chain).with_context(|| reading(chain))?;
        let certificates = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.with_context(|| reading(chain))?;
        if certificates.is_empty() {
            bail!("{} has no certificate in PEM", chain.display());
        }
        let text = fs::read(key).with_context(|| reading(key))?;
        let key = PrivateKeyDer::from_pem_slice(&text).with_context(|| reading(key))?;
        let together = || format!("using {} with that key", chain.display());
        Self::of(certificates, key, None).with_context(together)
    }

    fn of(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        made: Option<String>,
    ) -> anyhow::Result<Self> {
        let digest = chain.first().map(|own| Digest::of(own).hex().to_ascii_uppercase());
        let digest = digest.unwrap_or_default();
        let pairs: Vec<&str> =
            (0..digest.len()).step_by(2).filter_map(|at| digest.get(at..at + 2)).collect();
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self { config: config.into(), made, fingerprint: pairs.join(":") })
    }
}
