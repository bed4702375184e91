//! Debian's docker-registry on loopback, three ways, with images pushed by
//! skopeo; and olareg. It is stopped, and its folder removed, when it is dropped.

pub(crate) mod image;
mod olareg;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bundle_format::digest::Digest;
use bundler::image::registry::{PlainHttp, Registries, Registry};
use image::Content;
use lab::token_server::{self, Access, TokenServer};

/// The user that every registry with a login knows.
pub(crate) const USER: &str = "alice";
/// The user's password.
pub(crate) const PASSWORD: &str = "s3cret: with a colon";

/// The file of a registry's log.
const LOG: &str = "registry.log";

/// A registry that runs.
pub(crate) struct RealRegistry {
    process: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
    tls: bool,
    login: bool,
    tokens: Option<TokenServer>,
}

impl RealRegistry {
    /// The same as [`Self::plain`], but in maintenance: it takes nothing.
    pub(crate) fn read_only() -> Option<Self> {
        Self::start_with(false, false, false, "  maintenance: {readonly: {enabled: true}}\n")
    }

    /// Plain http, open to all. None, with a word on stderr, where a tool that
    /// it needs is not installed; so are the other two.
    pub(crate) fn plain() -> Option<Self> {
        Self::start(false, false, false)
    }

    /// TLS by a throwaway authority, user and password.
    pub(crate) fn tls_basic() -> Option<Self> {
        Self::start(true, true, false)
    }

    /// Plain http with tokens: anybody may pull what is below `public/`, the
    /// rest needs user and password.
    pub(crate) fn token() -> Option<Self> {
        Self::start(false, true, true)
    }

    /// As references write it: `127.0.0.1:40001`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The certificate that the bundler must be given for TLS.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// A `config.json` as `docker login` leaves it, with the user logged in
    /// where there is a login.
    pub(crate) fn login_file(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    /// What a spec would say of this registry.
    pub(crate) fn registries(&self) -> Registries {
        let plain_http = if self.tls { PlainHttp::Forbidden } else { PlainHttp::Allowed };
        let registry = Registry { plain_http, ..Registry::default() };
        Registries::new(BTreeMap::from([(self.host(), registry)])).unwrap()
    }

    /// Pushes `content` as `name` (`a/b:v1`) and gives the digest that the
    /// registry has it under, by skopeo's word.
    pub(crate) fn push_image(&self, name: &str, content: &Content) -> Digest {
        let layout = tempfile::tempdir().unwrap();
        image::write_layout(layout.path(), content);
        let source = format!("oci:{}", layout.path().display());
        let destination = format!("docker://{}/{name}", self.host());
        let mut arguments = vec!["copy", "--quiet", "--all"];
        if matches!(content, Content::Docker(_) | Content::DockerList(_)) {
            arguments.extend(["--format", "v2s2"]);
        }
        let option = |name: &str| format!("--dest-{name}");
        self.skopeo(&arguments, option, &[&source, &destination]);
        Digest::of(&self.raw_manifest(name))
    }

    /// The folder of what it holds.
    pub(crate) fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// Copies an image (`a/b:v1`) into a new OCI layout in `folder`, and so reads all of
    /// it.
    pub(crate) fn copy_out(&self, name: &str, folder: &Path) {
        let source = format!("docker://{}/{name}", self.host());
        let destination = format!("oci:{}", folder.display());
        self.skopeo(&["copy", "--quiet"], |name| format!("--src-{name}"), &[&source, &destination]);
    }

    /// The manifest's bytes as skopeo sees them.
    pub(crate) fn raw_manifest(&self, name: &str) -> Vec<u8> {
        let image = format!("docker://{}/{name}", self.host());
        self.skopeo(&["inspect", "--raw"], |name| format!("--{name}"), &[&image])
    }

    /// Puts any bytes there as a manifest, without a login.
    pub(crate) fn put_manifest(&self, repository: &str, tag: &str, bytes: &[u8]) {
        let file = self.folder.path().join("manifest");
        std::fs::write(&file, bytes).unwrap();
        let status = Command::new("curl")
            .args(["--fail", "--silent", "--show-error", "--request", "PUT", "--header"])
            .arg("Content-Type: application/vnd.oci.image.manifest.v1+json")
            .arg("--data-binary")
            .arg(format!("@{}", file.display()))
            .arg(format!("http://{}/v2/{repository}/manifests/{tag}", self.host()))
            .status();
        assert!(status.unwrap().success());
    }

    /// Removes one manifest, and leaves an index that names it as it is.
    pub(crate) fn delete_manifest(&self, repository: &str, digest: &Digest) {
        let image = format!("docker://{}/{repository}@{digest}", self.host());
        self.skopeo(&["delete"], |name| format!("--{name}"), &[&image]);
    }

    fn skopeo(&self, first: &[&str], option: impl Fn(&str) -> String, last: &[&str]) -> Vec<u8> {
        let mut command = Command::new("skopeo");
        command.arg("--insecure-policy").args(first);
        if self.tls {
            command.arg(option("cert-dir")).arg(self.folder.path());
        } else {
            command.arg(format!("{}=false", option("tls-verify")));
        }
        if self.login {
            command.arg(option("creds")).arg(format!("{USER}:{PASSWORD}"));
        }
        let output = command.args(last).env("TMPDIR", self.folder.path()).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "skopeo {first:?} {last:?}: {words}");
        output.stdout
    }

    fn start(tls: bool, login: bool, token: bool) -> Option<Self> {
        Self::start_with(tls, login, token, "")
    }

    /// `storage` are more lines of the section for it.
    fn start_with(tls: bool, login: bool, token: bool, storage: &str) -> Option<Self> {
        for tool in ["docker-registry", "skopeo", "htpasswd", "openssl", "tar"] {
            if !installed(tool) {
                eprintln!("skipped: {tool} is not installed");
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let tokens = token.then(|| {
            write_token_certificate(path);
            TokenServer::start(Access {
                key: path.join("token.key"),
                certificate: path.join("token.crt"),
                user: USER.to_owned(),
                password: PASSWORD.to_owned(),
                public: "public/",
            })
            .unwrap()
        });
        if tls {
            write_certificates(path);
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        write_login_file(path, &address.to_string(), login);
        let configuration = configuration(path, address, tls, login, tokens.as_ref());
        let configuration = configuration.replace("http:\n", &format!("{storage}http:\n"));
        std::fs::write(path.join("registry.yml"), configuration).unwrap();
        let mut serve = Command::new("docker-registry");
        let process = spawn(serve.arg("serve").arg(path.join("registry.yml")), path);
        let registry = Self { process, address, folder, tls, login, tokens };
        Some(registry.ready())
    }

    /// The registry, when it answers.
    fn ready(mut self) -> Self {
        let is_ready = self.is_ready();
        let log = std::fs::read_to_string(self.folder.path().join(LOG));
        assert!(is_ready, "the registry did not start: {}", log.unwrap_or_default());
        self
    }

    fn is_ready(&mut self) -> bool {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end && self.process.try_wait().unwrap().is_none() {
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// How many tokens were given out.
    pub(crate) fn tokens_given(&self) -> usize {
        self.tokens.as_ref().map_or(0, TokenServer::given)
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a registry that writes its log into `folder`.
fn spawn(serve: &mut Command, folder: &Path) -> Child {
    let log = std::fs::File::create(folder.join(LOG)).unwrap();
    serve.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

fn installed(tool: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(tool).is_file())
}

fn configuration(
    folder: &Path,
    address: SocketAddr,
    tls: bool,
    login: bool,
    tokens: Option<&TokenServer>,
) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut text = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\nhttp:\n  addr: {address}\n",
        at("storage")
    );
    if tls {
        text += &format!(
            "  tls: {{certificate: {}, key: {}}}\n",
            at("server.pem"),
            at("server-key.pem")
        );
    }
    if let Some(tokens) = tokens {
        text += &format!(
            "auth:\n  token: {{realm: '{}', service: {}, issuer: {}, rootcertbundle: {}}}\n",
            tokens.url(),
            token_server::SERVICE,
            token_server::ISSUER,
            at("token.crt"),
        );
    } else if login {
        let output = Command::new("htpasswd").args(["-nbB", USER, PASSWORD]).output().unwrap();
        std::fs::write(folder.join("htpasswd"), output.stdout).unwrap();
        text += &format!("auth:\n  htpasswd: {{realm: test, path: {}}}\n", at("htpasswd"));
    }
    text
}

fn write_login_file(folder: &Path, host: &str, login: bool) {
    use base64::Engine as _;
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let auths = if login { format!(r#""{host}":{{"auth":"{auth}"}}"#) } else { String::new() };
    std::fs::write(folder.join("config.json"), format!(r#"{{"auths":{{{auths}}}}}"#)).unwrap();
}

fn write_token_certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=test-issuer", "-keyout"])
        .arg(folder.join("token.key"))
        .arg("-out")
        .arg(folder.join("token.crt"))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
}

fn write_certificates(folder: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.distinguished_name.push(rcgen::DnType::CommonName, "throwaway authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let server =
        CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("ca.crt"), ca_certificate.pem()).unwrap();
    // skopeo takes every *.crt for an authority, and *.cert for a client.
    std::fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("server-key.pem"), key.serialize_pem()).unwrap();
}
