//! Registries, and where images are pulled from.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reason::Reason;
use super::text;

/// Another place to pull images from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageSource {
    /// The beginning of the name that nodes know the images by, whole path
    /// segments: `docker.io/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub name: String,
    /// What to put in its place when pulling: `quay.io/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub pull_from: String,
}

/// How to reach a registry.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registry {
    /// Registries that hold the same images, asked first and in order:
    /// `https://mirror.example.com`, with a path if the mirror has one.
    #[serde(default)]
    #[schemars(with = "Vec<text::Mirror>")]
    pub mirrors: Vec<String>,
    /// Whether only the mirrors are asked, and the registry itself never.
    #[serde(default)]
    pub only: bool,
    /// A file beside the spec with the certificate that signed the registry's.
    #[serde(default)]
    #[schemars(with = "Option<text::File>")]
    pub ca: Option<String>,
    /// Where the user and the password come from. Left out: docker's own
    /// configuration, then anonymous.
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// Speak http without TLS to it, for this reason, which `inspect` shows.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// The token server that the registry names, where that is under another
    /// domain than the registry: user and password go to it as well.
    #[serde(default)]
    #[schemars(with = "Option<text::RegistryName>")]
    pub token_server: Option<String>,
}

/// Where a registry's user and password come from; never the spec itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// The environment variable that holds the user.
    #[schemars(with = "text::Variable")]
    pub user_variable: String,
    /// The environment variable that holds the password.
    #[schemars(with = "text::PasswordVariable")]
    pub password_variable: String,
}
