//! Registries, and the places to pull images from.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reason::Reason;
use super::text;

/// Another place to pull images from.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageSource {
    /// The beginning of the images' names on nodes, in whole path segments:
    /// `docker.io/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub name: String,
    /// What replaces it for pulling: `quay.io/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub pull_from: String,
}

/// How to reach a registry.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registry {
    /// Registries that hold the same images: `https://mirror.example.com`, with a
    /// path if the mirror has one. They are asked first, in this order.
    #[serde(default)]
    #[schemars(with = "Vec<text::Mirror>")]
    pub mirrors: Vec<String>,
    /// Ask only the mirrors, and never the registry itself.
    #[serde(default)]
    pub only: bool,
    /// A file beside the spec with the CA certificate that signed the registry's
    /// certificate.
    #[serde(default)]
    #[schemars(with = "Option<text::File>")]
    pub ca: Option<String>,
    /// The source of the user and the password. Left out: docker's own
    /// configuration; if that has no login, the registry is asked anonymously.
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// The reason why this registry is reached over http without TLS. `inspect`
    /// shows the reason.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// The host of the registry's token server, if it is under another domain
    /// than the registry. It gets the user and the password too.
    #[serde(default)]
    #[schemars(with = "Option<text::RegistryName>")]
    pub token_server: Option<String>,
}

/// The source of a registry's user and password. They are never in the spec itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// The environment variable that holds the user.
    #[schemars(with = "text::Variable")]
    pub user_variable: String,
    /// The environment variable that holds the password.
    #[schemars(with = "text::PasswordVariable")]
    pub password_variable: String,
}
