//! A token server as distribution's `docs/spec/auth/token.md` describes it.
//! The openssl program signs, so that no signing code is a test's own.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use url::Url;

use super::{PASSWORD, USER};

/// What the registry is called at the token server.
pub const SERVICE: &str = "test-registry";
/// Who signs.
pub const ISSUER: &str = "test-issuer";

/// Listens until the test's process ends.
pub struct TokenServer {
    address: SocketAddr,
    given: Arc<AtomicUsize>,
}

impl TokenServer {
    /// Writes its certificate to `<folder>/token.crt` and listens.
    pub fn start(folder: &Path) -> Self {
        let (key, certificate) = (folder.join("token.key"), folder.join("token.crt"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=test-issuer", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let given = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&given);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // A client that hangs up is its own affair.
                let _ = answer(connection, &key, &certificate, &counter);
            }
        });
        Self { address, given }
    }

    /// The URL that the registry's challenge names.
    pub fn realm(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// How many tokens were given out.
    pub fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }
}

fn answer(
    connection: TcpStream,
    key: &Path,
    certificate: &Path,
    given: &AtomicUsize,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut authorization = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            authorization = Some(value.trim().to_owned());
        }
    }
    let right = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let known = match &authorization {
        None => false,
        Some(value) if *value == right => true,
        Some(_) => return reply(connection, "401 Unauthorized", "{}"),
    };
    let target = request.split(' ').nth(1).unwrap_or("/");
    let url = Url::parse("http://token").unwrap().join(target).unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    let access = query.get("scope").map_or(String::new(), |scope| access(scope, known));
    let token = sign(&access, key, certificate);
    given.fetch_add(1, Ordering::SeqCst);
    reply(connection, "200 OK", &format!(r#"{{"token":"{token}","expires_in":300}}"#))
}

fn reply(mut connection: TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// All that is asked for to the user; only pulls below `public/` to others.
fn access(scope: &str, known: bool) -> String {
    let Some((name, actions)) = scope.strip_prefix("repository:").and_then(|s| s.rsplit_once(':'))
    else {
        return String::new();
    };
    if !(known || name.starts_with("public/") && actions == "pull") {
        return String::new();
    }
    let actions: Vec<String> = actions.split(',').map(|action| format!("\"{action}\"")).collect();
    format!(r#"{{"type":"repository","name":"{name}","actions":[{}]}}"#, actions.join(","))
}

/// A JWT by RS256 whose header carries the certificate.
fn sign(access: &str, key: &Path, certificate: &Path) -> String {
    let pem = std::fs::read_to_string(certificate).unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = format!(r#"{{"typ":"JWT","alg":"RS256","x5c":["{der}"]}}"#);
    let claims = format!(
        r#"{{"iss":"{ISSUER}","sub":"test","aud":"{SERVICE}","exp":{},"nbf":{},"iat":{now},"jti":"{now}","access":[{access}]}}"#,
        now + 300,
        now - 30
    );
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-binary", "-sign"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = openssl.wait_with_output().unwrap();
    assert!(output.status.success());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(output.stdout))
}
