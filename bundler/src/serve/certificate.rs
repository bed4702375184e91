//! The server's certificate: the site's own, or one that is made for this run.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use bundle_format::Digest;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use url::Host;

/// How long a certificate counts that is made for one run.
const LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How far a node's clock may be behind. The key is gone after the run, so many years cost
/// nothing.
const SKEW: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What TLS needs.
pub struct Certificate {
    /// The settings of rustls.
    pub(super) config: Arc<ServerConfig>,
    /// The authority's certificate as a file, if nodes do not know it.
    pub made: Option<String>,
    /// The SHA-256 of that file's certificate, or of the site's own, as `openssl x509 -fingerprint -sha256` shows it.
    pub fingerprint: String,
}

impl Certificate {
    /// A certificate for one run of the server, which nodes reach by `name`, a host name or
    /// an address. Its key is never written anywhere.
    ///
    /// It is signed by an authority of its own, because `update-ca-trust` takes only
    /// authorities. That one can sign for no other name, and its key is gone when this ends.
    pub fn made_for(name: &Host) -> anyhow::Result<Self> {
        let making = || format!("making a certificate for {name}");
        let (permitted, own) = match name {
            Host::Ipv4(own) => (
                subnet(CidrSubnet::from_v4_prefix(own.octets(), 32)),
                SanType::IpAddress((*own).into()),
            ),
            Host::Ipv6(own) => (
                subnet(CidrSubnet::from_v6_prefix(own.octets(), 128)),
                SanType::IpAddress((*own).into()),
            ),
            Host::Domain(own) => (
                GeneralSubtree::DnsName(own.clone()),
                SanType::DnsName(own.clone().try_into().with_context(making)?),
            ),
        };
        let mut authority = params("kubeferry serve");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let (permitted_subtrees, excluded_subtrees) = (vec![permitted], Vec::new());
        authority.name_constraints =
            Some(NameConstraints { permitted_subtrees, excluded_subtrees });
        let signer = KeyPair::generate().with_context(making)?;
        let pem = authority.self_signed(&signer).with_context(making)?;
        let mut served = params("kubeferry");
        served.subject_alt_names = vec![own];
        served.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        served.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        served.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().with_context(making)?;
        let issuer = Issuer::new(authority, signer);
        let certificate = served.signed_by(&key, &issuer).with_context(making)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let (fingerprint, made) = (fingerprint(pem.der()), Some(pem.pem()));
        let config = config(vec![certificate.into()], key.into()).with_context(making)?;
        Ok(Self { config, made, fingerprint })
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
        let fingerprint = certificates.first().map(|own| fingerprint(own)).unwrap_or_default();
        let together = || format!("using {} with that key", chain.display());
        let config = config(certificates, key).with_context(together)?;
        Ok(Self { config, made: None, fingerprint })
    }
}

/// What all certificates of a run have.
fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - SKEW).into(), (now + LIFE).into());
    params
}

fn subnet(own: CidrSubnet) -> GeneralSubtree {
    GeneralSubtree::IpAddress(own)
}

fn fingerprint(certificate: &[u8]) -> String {
    let digest = Digest::of(certificate).hex().to_ascii_uppercase();
    let pairs: Vec<&str> =
        (0..digest.len()).step_by(2).filter_map(|at| digest.get(at..at + 2)).collect();
    pairs.join(":")
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> anyhow::Result<Arc<ServerConfig>> {
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(config.into())
}
