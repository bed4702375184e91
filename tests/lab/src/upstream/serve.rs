//! The upstream's servers: Debian's docker-registry with TLS and tokens, the
//! token server, and nginx for yum repositories and manifests. All are on a
//! loopback address of this machine, which no node reaches.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::token_server::{Access, ISSUER, SERVICE, TokenServer};

/// Where all of it is: an address of the loopback range that nothing else uses.
pub const ADDRESS: &str = "127.77.0.1";
/// The registry.
pub const REGISTRY: &str = "127.77.0.1:5000";
/// The token server, by way of nginx, which does TLS for it.
const TOKENS: &str = "127.77.0.1:5001";
/// Yum repositories and manifests.
pub const FILES: &str = "127.77.0.1:8080";

const ADDRESSES: [&str; 3] = [REGISTRY, TOKENS, FILES];

/// How long the servers may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is served, from where.
#[derive(Clone, Debug, clap::Args)]
pub struct Content {
    /// The registry's storage
    #[arg(long)]
    pub storage: PathBuf,
    /// The secrets, as recipes/keys.sh makes them
    #[arg(long)]
    pub keys: PathBuf,
    /// A folder for the servers' own files; what is below `www` in it is served
    #[arg(long)]
    pub folder: PathBuf,
}

/// Serves until a server ends, which is an error. Prints the registry's address
/// when all servers answer. The servers end with this process, however that
/// ends.
pub fn serve(content: &Content) -> anyhow::Result<()> {
    if let Some(address) = ADDRESSES.iter().find(|address| TcpStream::connect(address).is_ok()) {
        bail!("something else answers at {address}");
    }
    let password = content.keys.join("password");
    let password =
        fs::read_to_string(&password).with_context(|| format!("reading {}", password.display()))?;
    let tokens = TokenServer::start(Access {
        key: content.keys.join("token.key"),
        certificate: content.keys.join("token.crt"),
        user: "lab".to_owned(),
        password,
        public: "registry.k8s.io/",
    })
    .context("starting the token server")?;
    let www = content.folder.join("www");
    fs::create_dir_all(&www).with_context(|| format!("creating {}", www.display()))?;
    let mut servers = [
        start(content, "registry", &registry_configuration(content), "docker-registry", |file| {
            vec!["serve".into(), file]
        })?,
        start(content, "nginx", &nginx_configuration(content, &tokens), "nginx", |file| {
            vec!["-e".into(), "stderr".into(), "-c".into(), file]
        })?,
    ];
    wait_until_ready(&mut servers)?;
    #[allow(clippy::disallowed_methods, reason = "what the lab prints is its own")]
    let mut out = std::io::stdout();
    writeln!(out, "{REGISTRY}")?;
    let [(log, registry), _] = &mut servers;
    let status = registry.wait().context("waiting for the registry")?;
    bail!("the registry ended with {status}; see {}", log.display());
}

type Server = (PathBuf, Child);

fn start(
    content: &Content,
    name: &str,
    configuration: &str,
    program: &str,
    arguments: impl FnOnce(PathBuf) -> Vec<PathBuf>,
) -> anyhow::Result<Server> {
    let file = content.folder.join(format!("{name}.conf"));
    fs::write(&file, configuration).with_context(|| format!("writing {}", file.display()))?;
    let log = content.folder.join(format!("{name}.log"));
    let output = fs::File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    // docker-registry does not heed SIGTERM.
    let child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", program])
        .args(arguments(file))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("starting {program}"))?;
    Ok((log, child))
}

fn wait_until_ready(servers: &mut [Server]) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    for address in ADDRESSES {
        while TcpStream::connect(address).is_err() {
            for (log, server) in &mut *servers {
                if let Some(status) = server.try_wait()? {
                    let said = fs::read_to_string(&*log).unwrap_or_default();
                    bail!("a server ended with {status}: {}", said.trim());
                }
            }
            if Instant::now() > end {
                bail!("nothing answers at {address} after {} s", PATIENCE.as_secs());
            }
            sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

fn registry_configuration(content: &Content) -> String {
    let key = |name: &str| content.keys.join(name).display().to_string();
    format!(
        "version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http:
  addr: {REGISTRY}
  tls: {{certificate: {certificate}, key: {key}}}
auth:
  token: {{realm: 'https://{TOKENS}/token', service: {SERVICE}, issuer: {ISSUER}, rootcertbundle: {tokens}}}
",
        storage = content.storage.display(),
        certificate = key("registry.crt"),
        key = key("registry.key"),
        tokens = key("token.crt"),
    )
}

fn nginx_configuration(content: &Content, tokens: &TokenServer) -> String {
    let folder = content.folder.display();
    let key = |name: &str| content.keys.join(name).display().to_string();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("  {name}_temp_path {folder}/{name};\n"))
        .concat();
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
{temporary}  access_log {folder}/access.log;
  server {{
    listen {FILES};
    root {www};
  }}
  server {{
    listen {TOKENS} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location /token {{ proxy_pass {tokens}; }}
  }}
}}
",
        www = Path::new(&content.folder).join("www").display(),
        certificate = key("registry.crt"),
        key = key("registry.key"),
        tokens = tokens.url(),
    )
}
