//! The kinds of text in a spec. Each kind is a row of a table: its name, which is the
//! `format` in the JSON Schema; an example; a regular expression for editors; and the
//! check that such a text must pass.

use std::borrow::Cow;
use std::str::FromStr;

use bundle_format::secret::hidden;
use bundle_format::yaml::{Kind, cut, quoted};
use bundle_format::{Digest, ImageReference, version};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use url::Url;

use super::value_path::ValuePath as Path;
use super::{chart_version, network, reason};
use crate::rpm::closure::Request;

/// The longest name, in bytes. Names become names of files and folders, on nodes too.
const MAX_NAME: usize = 64;

macro_rules! kinds {
    ($($(#[$words:meta])* $kind:ident, $format:literal, $sample:literal, $check:expr, $pattern:expr;)*) => {
        $($(#[$words])*
        pub(crate) struct $kind;

        impl JsonSchema for $kind {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                $format.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "format": $format})
            }
        })*

        /// All kinds.
        pub(super) static KINDS: &[Kind] = &[$(Kind {
            name: $format,
            sample: $sample,
            pattern: $pattern,
            check: $check,
        }),*];
    };
}

kinds! {
    /// The name of a bundle or a manifest.
    Name, "name", "my-cluster", name,
        "^[a-z0-9][a-z0-9.-]{0,63}$";
    /// A repository's id.
    Id, "id", "baseos", id,
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
    /// An OS family.
    Family, "family", "el9", id,
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
    /// The version of Kubernetes.
    KubernetesVersion, "kubernetes-version", "1.28.2", parses::<version::KubernetesVersion>,
        r"^1\.[0-9]+\.[0-9]+(-.*)?$";
    /// The version of containerd.
    ContainerdVersion, "containerd-version", "1.6.25", parses::<version::ContainerdVersion>,
        r"^[0-9]+\.[0-9]+\.[0-9]+(-.*)?$";
    /// The URL of something to fetch.
    FetchUrl, "fetch-url", "https://example.com/", fetch_url,
        "^(https?://[^/?#@]+([/?#].*)?|file://.*)$";
    /// The URL of a folder.
    BaseUrl, "base-url", "https://example.com/", base_url,
        "^(https?://[^/?#@]+(/[^?#]*)?|file://[^?#]*)$";
    /// A URL, or a file beside the spec.
    Location, "location", "https://example.com/key.asc", location,
        r"^(https?://[^/?#@]+([/?#].*)?|file://.*|(?!.*://).*\S.*)$";
    /// A file beside the spec.
    File, "file", "a-file", file,
        r"^(?!.*://).*\S";
    /// Where a chart is: a folder or an archive beside the spec, or a URL.
    ChartSource, "chart-source", "https://charts.example.com", chart_source,
        r"^(https?://[^/?#@]+(/[^?#]*)?|oci://[^/?#@]+/[^?#@:]+|(?!.*://).*\S.*)$";
    /// A path in a folder.
    PathInFolder, "path-in-folder", "overlays/site", path_in_folder,
        r"^(?!/)(?!.*(^|/)\.\.(/|$)).*\S.*$";
    /// The name of a chart.
    ChartName, "chart-name", "metrics-server", id,
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
    /// The version of a chart.
    ChartVersion, "chart-version", "3.13.0", chart_version::check,
        r"^v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$";
    /// The URL of a registry that holds the same images as another.
    Mirror, "mirror", "https://mirror.example.com", mirror,
        "^https?://[^/?#@]+(/[^?#]*)?$";
    /// An image.
    Image, "image", "docker.io/library/busybox:1.36", parses::<ImageReference>,
        r"^(?!.*://)[A-Za-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?$";
    /// The beginning of images' names.
    ImagePrefix, "image-prefix", "quay.io/calico", image_prefix,
        "^(?!.*://)[A-Za-z0-9][A-Za-z0-9._:/-]*$";
    /// The beginning of the names of images that somebody must have signed.
    SignedImages, "signed-images", "registry.example.com/team", signed_images,
        "^(?!.*://)[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[A-Za-z0-9._/-]*)?$";
    /// Who signs without a key of his own.
    Identity, "identity", "releases@example.com", identity,
        r"^[^\s@/*]+@[^\s@/*]+$|^[a-z][a-z0-9+.-]*://[^\s/*]+(/[^\s/*]+/\S*|[^\s*]*)$";
    /// Who knows such a signer.
    Issuer, "issuer", "https://accounts.example.com", issuer,
        "^https?://[^\\s/?#@]+\\S*$";
    /// A registry's name in images' names.
    RegistryName, "registry", "docker.io", registry,
        "^([A-Za-z0-9][A-Za-z0-9.-]*[.:][A-Za-z0-9.:-]*|localhost|[A-Za-z0-9-]*[A-Z][A-Za-z0-9-]*)$";
    /// A request for a package.
    Package, "package", "tcpdump", package,
        r"^(?!\s*-)(?!.*(=>|=<|==)\s).*\S.*$";
    /// A SHA-256 digest.
    Sha256, "sha256", "e3b0c442…", sha256,
        "^[0-9a-f]{64}$";
    /// Why a check is off.
    Reason, "reason", "the reason", reason::check,
        r"^(?!\s*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy]([Ee][Ss])?|[Nn][Oo]?|[Oo][Nn]|[Oo][Ff][Ff]|[Nn][Uu][Ll][Ll])\s*$)(.|\s)*[^\s0-9!-/:-@\[-`{-~]";
    /// A network.
    Network, "network", "10.244.0.0/16", parses::<network::Network>,
        r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/(3[0-2]|[12]?[0-9])$";
    /// The path of a value in an object.
    ValuePath, "path", "spec.replicas", value_path,
        r"^[^\s].*$";
    /// A kind with its group.
    KindOfGroup, "kind-of-group", "Issuer.cert-manager.io", kind_of_group,
        r"^[A-Z][A-Za-z0-9]*(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$";
    /// A field of os-release(5).
    OsReleaseField, "os-release-field", "ID", os_release_field,
        "^[A-Z][A-Z0-9_]*$";
    /// The value of such a field.
    OsReleaseValue, "os-release-value", "openEuler", os_release_value,
        r"\S";
    /// A namespace.
    Namespace, "namespace", "monitoring", namespace,
        "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
    /// The name of an environment variable.
    Variable, "variable", "REGISTRY_USER", variable,
        "^[A-Za-z_][A-Za-z0-9_]*$";
    /// The name of an environment variable that holds a password.
    PasswordVariable, "password-variable", "REGISTRY_PASSWORD", variable,
        "^[A-Za-z_][A-Za-z0-9_]*$";
}

fn parses<T>(text: &str) -> Result<(), String>
where
    T: FromStr,
    T::Err: ToString,
{
    let shown = |error: T::Err| error.to_string().replace(text, &hidden(text));
    text.parse::<T>().map(|_| ()).map_err(shown)
}

fn value_path(text: &str) -> Result<(), String> {
    text.parse::<Path>().map(|_| ())
}

fn kind_of_group(text: &str) -> Result<(), String> {
    let fits = text.split_once('.').is_some_and(|(kind, group)| {
        kind.starts_with(|c: char| c.is_ascii_uppercase())
            && kind.chars().all(|c| c.is_ascii_alphanumeric())
            && group.split('.').all(is_label)
    });
    match fits {
        true => Ok(()),
        false => Err(format!(
            "{} is not a kind with its group: write one such as Issuer.cert-manager.io",
            quoted(text)
        )),
    }
}

fn os_release_field(text: &str) -> Result<(), String> {
    match bundle_format::lock::is_field(text) {
        true => Ok(()),
        false => Err(format!(
            "{} is not a field of os-release: write one such as ID, VERSION_ID or PLATFORM_ID",
            quoted(text)
        )),
    }
}

fn os_release_value(text: &str) -> Result<(), String> {
    match text.is_empty() || text.contains(char::is_control) {
        false => Ok(()),
        true => Err(format!(
            "{} is not a value of os-release: write it as the node's /etc/os-release has it, \
             without quotes",
            quoted(text)
        )),
    }
}

fn namespace(text: &str) -> Result<(), String> {
    match is_label(text) {
        true => Ok(()),
        false => Err(format!(
            "{} is not a namespace: write small letters, digits and `-`, at most 63",
            quoted(text)
        )),
    }
}

/// Whether a text is a DNS label (RFC 1123).
fn is_label(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.chars().all(|c| is_plain(c) || c == '-')
        && text.starts_with(is_plain)
        && text.ends_with(is_plain)
}

/// Checks for letters, digits and some marks. They have no special meaning in a shell
/// or a path.
fn short(text: &str, marks: &str, upper: bool) -> bool {
    let letter =
        |c: char| c.is_ascii_digit() || c.is_ascii_lowercase() || upper && c.is_ascii_uppercase();
    text.starts_with(letter)
        && text.len() <= MAX_NAME
        && text.chars().all(|c| letter(c) || marks.contains(c))
}

fn name(text: &str) -> Result<(), String> {
    if short(text, ".-", false) {
        return Ok(());
    }
    Err(format!(
        "{} is not a valid name: use lower-case letters, digits, `.` and `-`, at most {MAX_NAME}, \
         a letter or digit first",
        quoted(text)
    ))
}

fn id(text: &str) -> Result<(), String> {
    if short(text, ".-_", true) {
        return Ok(());
    }
    Err(format!(
        "{} is not a valid short name: use letters, digits, `.`, `-` and `_`, at most {MAX_NAME}, \
         a letter or digit first",
        quoted(text)
    ))
}

/// A URL without a password, so that it may be shown.
fn url(text: &str, schemes: &[&str]) -> Result<Url, String> {
    let wanted = schemes.join(" or ");
    if !text.contains("://") {
        // A secret may be before an `@` or after a `?`.
        let shown = text.rsplit('@').next().and_then(|rest| rest.split(['?', '#']).next());
        let shown = quoted(shown.unwrap_or_default());
        return Err(format!("{shown} is not a URL: write {wanted} in front"));
    }
    let url = Url::parse(text).map_err(|error| format!("this is not a URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "this URL has a user or a password, which would be in the lock and in the bundle: \
             leave it out{}",
            if schemes.contains(&"file://") {
                ", and use a server that asks for none, or fetch the file beforehand and write \
                 file://"
            } else {
                "; a registry's `credentials` name the variables that hold them"
            }
        ));
    }
    if let Some(name) = secret_parameter(&url) {
        return Err(format!(
            "this URL has `{name}=`, which looks like a secret and would be in the lock and in the \
             bundle: leave it out; if the server needs it, fetch the file beforehand and write its \
             path"
        ));
    }
    if !schemes.iter().any(|scheme| scheme.strip_suffix("://") == Some(url.scheme())) {
        return Err(format!("{} cannot be read: write {wanted}", quoted(text)));
    }
    if url.scheme() == "file" && url.to_file_path().is_err() {
        return Err(format!(
            "{} names a host, but only files of this host can be read: write the whole path after \
             `file://`, such as file:///srv/repo/",
            quoted(text)
        ));
    }
    Ok(url)
}

/// The name of a parameter that holds a secret: a token, or the signature of a URL,
/// which gives the same access. Other parameters are harmless, such as those of
/// mirror lists (`?repo=os&arch=x86_64`).
fn secret_parameter(url: &Url) -> Option<String> {
    const WORDS: [&str; 15] = [
        "token", "auth", "key", "secret", "sig", "pass", "pwd", "cred", "session", "amz", "goog",
        "jwt", "policy", "hdn", "bearer",
    ];
    /// A shorter text is a name or a version, not a secret.
    const LONG: usize = 20;
    let is_secret = |name: &str, value: &str| {
        let name = name.to_lowercase();
        let word = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
        let is_random = value.len() >= LONG
            && value.chars().all(word)
            && value.contains(|c: char| c.is_ascii_digit());
        is_random || WORDS.iter().any(|word| name.contains(word))
    };
    // Some services put parameters into the fragment.
    let fragment = url.fragment().unwrap_or_default();
    let parts = url.query_pairs().chain(url::form_urlencoded::parse(fragment.as_bytes()));
    let mut secret = parts.filter(|(name, value)| is_secret(name, value) || is_secret(name, name));
    // Without a name, the text itself may be the secret.
    secret.next().map(|(name, value)| {
        if value.is_empty() { "…".to_owned() } else { cut(&name).escape_debug().to_string() }
    })
}

fn fetch_url(text: &str) -> Result<(), String> {
    url(text, &["https://", "http://", "file://"]).map(|_| ())
}

/// Checks that `text` is the URL of a folder, without anybody's password.
pub(crate) fn base_url(text: &str) -> Result<(), String> {
    let url = url(text, &["https://", "http://", "file://"])?;
    without_query(&url, text)
}

/// Checks that a URL has no query: other paths are added behind it.
fn without_query(url: &Url, text: &str) -> Result<(), String> {
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{} has a `?` or a `#`: write it without", quoted(text)));
    }
    Ok(())
}

fn location(text: &str) -> Result<(), String> {
    if text.contains("://") { fetch_url(text) } else { file(text) }
}

fn file(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is empty: write the path of a file beside the spec".to_owned());
    }
    if text.contains("://") {
        return Err("this is a URL: write the path of a file beside the spec".to_owned());
    }
    Ok(())
}

fn chart_source(text: &str) -> Result<(), String> {
    if !text.contains("://") {
        return file(text);
    }
    let url = url(text, &["https://", "http://", "oci://"])?;
    without_query(&url, text)?;
    if url.scheme() == "oci" && url.path().contains([':', '@']) {
        return Err(format!(
            "{} has a tag or a digest: write the chart's version under `version`, and its digest \
             under the manifest's `sha256`",
            quoted(text)
        ));
    }
    Ok(())
}

fn path_in_folder(text: &str) -> Result<(), String> {
    match text.trim().is_empty() || text.starts_with('/') || text.split('/').any(|own| own == "..")
    {
        false => Ok(()),
        true => Err(format!(
            "{} is not a path in the folder: write one without `..`, such as overlays/site",
            quoted(text)
        )),
    }
}

fn mirror(text: &str) -> Result<(), String> {
    let url = url(text, &["https://", "http://"])?;
    without_query(&url, text)
}

fn image_prefix(text: &str) -> Result<(), String> {
    let prefix = text.trim_end_matches('/');
    let fits = |text: &str| text.parse::<ImageReference>().is_ok();
    if !prefix.is_empty() && (fits(&format!("{prefix}/x")) || fits(prefix)) {
        return Ok(());
    }
    Err(format!(
        "no image's name begins with {}: write a registry and folders, such as quay.io/calico",
        quoted(text)
    ))
}

/// A tag would be that of this release. The next one would be checked by nobody.
fn signed_images(text: &str) -> Result<(), String> {
    image_prefix(text)?;
    let (folders, last) = text.trim_end_matches('/').rsplit_once('/').unwrap_or_default();
    match last.find([':', '@']) {
        None => Ok(()),
        Some(end) => Err(format!(
            "{} has a tag or a digest: write {}, because later releases of the image must be \
             signed too",
            quoted(text),
            quoted(&format!("{folders}/{}", &last[..end]))
        )),
    }
}

/// Many have a folder with the same beginning, and each of them could sign. So the first folder
/// must be there in full.
fn identity(text: &str) -> Result<(), String> {
    let fixed = text.split('*').next().unwrap_or_default();
    let is_plain = !text.contains(char::is_whitespace);
    let fits = match text.split_once("://") {
        Some((scheme, rest)) => {
            let behind = fixed.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
            let folders = behind.split('/').filter(|part| !part.is_empty()).count();
            let is_owned = behind.split('/').count() > 2 && folders >= 2;
            !scheme.is_empty() && !rest.is_empty() && (fixed == text || is_owned)
        }
        None => {
            let parts: Vec<&str> = text.split('@').collect();
            fixed == text && parts.len() == 2 && parts.iter().all(|part| !part.is_empty())
        }
    };
    match is_plain && fits {
        true => Ok(()),
        false if fixed != text && !text.contains("://") => Err(format!(
            "{} is not one e-mail address: `*` stands for any text only in a URI, so write the \
             whole address",
            quoted(text)
        )),
        false => Err(format!(
            "{} is not an identity: write the e-mail address or the URI that the signer's \
             certificate has, such as https://github.com/owner/repository/* or a@b.example",
            quoted(text)
        )),
    }
}

fn issuer(text: &str) -> Result<(), String> {
    url(text, &["https://", "http://"]).map(|_| ())
}

fn registry(text: &str) -> Result<(), String> {
    let host = |text: &str| {
        let reference = format!("{text}/a/b").parse::<ImageReference>().ok()?;
        (reference.registry() == text).then_some(())
    };
    host(text).ok_or_else(|| {
        format!(
            "{} is not a registry: write its name as in images, such as docker.io or \
             localhost:5000",
            quoted(text)
        )
    })
}

fn package(text: &str) -> Result<(), String> {
    let instead = match text.split_whitespace().find(|word| matches!(*word, "=>" | "=<" | "==")) {
        Some("=>") => "write `>=` instead of `=>`",
        Some("=<") => "write `<=` instead of `=<`",
        Some(_) => "write `=` instead of `==`",
        None if text.trim_start().starts_with('-') || text.contains(char::is_control) => {
            "write its name, such as `tcpdump`"
        }
        None if Request::parse(text).is_ok() => return Ok(()),
        None => "write `tcpdump`, `tcpdump-4.99` or `kernel >= 5.14`",
    };
    Err(format!("{} is not a request for a package: {instead}", quoted(text)))
}

fn sha256(text: &str) -> Result<(), String> {
    match Digest::from_hex(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{} is not 64 lower-case hex digits", quoted(text))),
    }
}

fn variable(text: &str) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(|c: char| !c.is_ascii_digit()) && text.chars().all(inner) {
        return Ok(());
    }
    // The text is not shown, because it may be the password itself.
    Err("this is not the name of an environment variable: write one, such as HUB_PASSWORD, and \
         never the value"
        .to_owned())
}

#[cfg(test)]
mod tests;
