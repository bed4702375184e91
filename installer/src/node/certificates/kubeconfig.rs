//! Kubeconfigs: the API server of the current context, the authorities that it
//! trusts, and the client's certificate.

use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::{input, recognise};
use serde::Deserialize;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::certificates::certificate::Certificate;

/// What the current context of a kubeconfig says.
#[derive(Debug)]
pub struct Kubeconfig {
    /// The API server, `HOST:PORT`.
    pub endpoint: String,
    /// The authorities that it contains; none if it names a file.
    pub authorities: Vec<Certificate>,
    /// The client's certificates that it contains; none if it names a file.
    pub client: Vec<Certificate>,
}

/// A kubeconfig that an operator brought to a node.
#[derive(Debug)]
pub struct Brought {
    /// Where it was found.
    pub path: PathBuf,
    /// Its text: a secret.
    pub text: String,
    /// Its content.
    pub config: Kubeconfig,
}

impl Brought {
    /// Reads the file at `path`.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = input::named_text(path, input::WRITTEN_BY_HAND)
            .with_context(|| format!("reading {}", path.display()))?;
        let config = Kubeconfig::parse(&text).map_err(|error| {
            let is = match recognise::what(text.as_bytes()) {
                "a kubeconfig" | "a text of another kind" => {
                    "is not a usable kubeconfig".to_owned()
                }
                other => format!("is {other}, not a kubeconfig"),
            };
            Failure::new(
                format!("{} {is}", path.display()),
                "make one on the master with `installer kubeconfig`, and copy it here",
            )
            .because(error)
        })?;
        Ok(Self { path: path.to_owned(), text, config })
    }
}

/// Kubernetes' `Config` (kubernetes.io, "kubeconfig (v1)"): only the fields that are
/// needed here. The others may be secret.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    clusters: Vec<Named<Cluster>>,
    contexts: Vec<Named<Choice>>,
    #[serde(default)]
    users: Vec<Named<User>>,
    current_context: String,
}

#[derive(Deserialize)]
struct Named<T> {
    name: String,
    #[serde(alias = "cluster", alias = "context", alias = "user")]
    is: T,
}

#[derive(Deserialize)]
struct Choice {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority_data: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    client_certificate_data: Option<String>,
}

impl Kubeconfig {
    /// Reads the kubeconfig at `path`; none if there is no such file.
    pub fn read(host: &Host, path: &str) -> anyhow::Result<Option<Self>> {
        let Some(text) = host.read(path)? else { return Ok(None) };
        Self::parse(&text).map(Some).with_context(|| format!("reading {path}"))
    }

    /// The same; none also if the file is not a kubeconfig. A file that cannot be
    /// read is still an error.
    pub(crate) fn whole(host: &Host, path: &str) -> anyhow::Result<Option<Self>> {
        Ok(host.read(path)?.and_then(|text| Self::parse(&text).ok()))
    }

    /// Parses a kubeconfig.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        // The library's own error may quote a key.
        let file: File = serde_saphyr::from_str(text)
            .ok()
            .context("it does not have the fields of a kubeconfig")?;
        let context = find(file.contexts, &file.current_context)?;
        let cluster = find(file.clusters, &context.cluster)?;
        let user = find(file.users, &context.user).ok();
        let address = cluster.server.trim_start_matches("https://").trim_end_matches('/');
        // A URL without a port means port 443.
        let port = if address.contains(':') { "" } else { ":443" };
        Ok(Self {
            endpoint: format!("{address}{port}"),
            authorities: decoded(cluster.certificate_authority_data)?,
            client: decoded(user.and_then(|user| user.client_certificate_data))?,
        })
    }

    /// Whether it trusts one of these authorities.
    pub fn believes(&self, authorities: &[Certificate]) -> bool {
        let own = &self.authorities;
        own.iter().any(|one| authorities.iter().any(|authority| authority.der == one.der))
    }
}

fn find<T>(list: Vec<Named<T>>, name: &str) -> anyhow::Result<T> {
    let found = list.into_iter().find(|one| one.name == name);
    found.map(|one| one.is).with_context(|| format!("it has no `{name}`"))
}

fn decoded(data: Option<String>) -> anyhow::Result<Vec<Certificate>> {
    let Some(data) = data else { return Ok(Vec::new()) };
    let pem = STANDARD.decode(data.trim()).context("a certificate in it is not base64")?;
    Certificate::all_of(&String::from_utf8_lossy(&pem))
}
