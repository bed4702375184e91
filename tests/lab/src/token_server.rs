//! A token server for a registry, as distribution's `docs/spec/auth/token.md`
//! describes it. The openssl program signs, so that no signing code is ours.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use url::Url;

/// What the registry is called at the token server.
pub const SERVICE: &str = "test-registry";
/// An identity token of the user (`docs/spec/auth/oauth.md`, a refresh token).
pub const IDENTITY: &str = "identity of + the & user";
/// Who signs.
pub const ISSUER: &str = "test-issuer";

/// What a token server signs with, and whom it knows.
#[derive(Clone, Debug)]
pub struct Access {
    /// The private key, in PEM form.
    pub key: PathBuf,
    /// Its certificate, in PEM form, which the registry must trust.
    pub certificate: PathBuf,
    /// The one user, who may do all.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// Repositories below this may be pulled by anybody: `public/`.
    pub public: &'static str,
}

/// Listens until the process ends.
pub struct TokenServer {
    address: SocketAddr,
    given: Arc<AtomicUsize>,
}

impl TokenServer {
    /// Listens on a free port of 127.0.0.1.
    pub fn start(access: Access) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let given = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&given);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // A client that hangs up is its own affair.
                let _ = access.answer(connection, &counter);
            }
        });
        Ok(Self { address, given })
    }

    /// The URL that answers: the realm of a registry's challenge, unless it is
    /// served by way of another.
    pub fn url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// How many tokens were given out.
    pub fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }
}

impl Access {
    fn answer(&self, connection: TcpStream, given: &AtomicUsize) -> io::Result<()> {
        let mut reader = BufReader::new(connection.try_clone()?);
        let mut request = String::new();
        reader.read_line(&mut request)?;
        let (mut authorization, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("authorization")
            {
                authorization = Some(value.trim().to_owned());
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let right =
            format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)));
        let known = match &authorization {
            None => false,
            Some(value) if *value == right => true,
            Some(_) => return reply(connection, "401 Unauthorized", "{}"),
        };
        let target = request.split(' ').nth(1).unwrap_or("/");
        let url = Url::parse("http://token").and_then(|base| base.join(target));
        let url = url.map_err(io::Error::other)?;
        let mut query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let scopes = url.query_pairs().filter(|(name, _)| name == "scope");
        let scopes: Vec<String> = scopes.map(|(_, scope)| scope.into_owned()).collect();
        // One parameter for each scope; a form has all of them in one.
        query.insert("scope".to_owned(), scopes.join(" "));
        if request.starts_with("POST ") {
            let mut form = Vec::new();
            reader.take(length).read_to_end(&mut form)?;
            query.extend(url::form_urlencoded::parse(&form).into_owned());
            let given = query.get("refresh_token").map(String::as_str);
            let grant = query.get("grant_type").map(String::as_str);
            if (grant, given) != (Some("refresh_token"), Some(IDENTITY)) {
                return reply(connection, "401 Unauthorized", "{}");
            }
        }
        let known = known || request.starts_with("POST ");
        let scope = query.get("scope").map_or("", String::as_str);
        let token = self.sign(&self.granted(scope, known))?;
        given.fetch_add(1, Ordering::SeqCst);
        reply(connection, "200 OK", &answer(&request, &token))
    }

    /// The entries of all scopes, which spaces separate.
    fn granted(&self, scopes: &str, known: bool) -> String {
        let entries = scopes.split(' ').map(|scope| self.granted_in(scope, known));
        entries.filter(|entry| !entry.is_empty()).collect::<Vec<_>>().join(",")
    }

    /// All that is asked for to the user; only public pulls to others.
    fn granted_in(&self, scope: &str, known: bool) -> String {
        let parts = scope.strip_prefix("repository:").and_then(|scope| scope.rsplit_once(':'));
        let Some((name, actions)) = parts else { return String::new() };
        if !(known || name.starts_with(self.public) && actions == "pull") {
            return String::new();
        }
        let actions: Vec<String> =
            actions.split(',').map(|action| format!("\"{action}\"")).collect();
        format!(r#"{{"type":"repository","name":"{name}","actions":[{}]}}"#, actions.join(","))
    }

    /// A JWT by RS256 whose header carries the certificate.
    fn sign(&self, access: &str) -> io::Result<String> {
        let pem = std::fs::read_to_string(&self.certificate)?;
        let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_secs();
        let header = format!(r#"{{"typ":"JWT","alg":"RS256","x5c":["{der}"]}}"#);
        let claims = format!(
            r#"{{"iss":"{ISSUER}","sub":"test","aud":"{SERVICE}","exp":{},"nbf":{},"iat":{now},"jti":"{now}","access":[{access}]}}"#,
            now + 300,
            now - 30
        );
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-binary", "-sign"])
            .arg(&self.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = openssl.stdin.take() {
            input.write_all(text.as_bytes())?;
        }
        let output = openssl.wait_with_output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!("openssl ended with {}", output.status)));
        }
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(output.stdout)))
    }
}

/// A POST is answered in OAuth2's own words.
fn answer(request: &str, token: &str) -> String {
    let name = if request.starts_with("POST ") { "access_token" } else { "token" };
    format!(r#"{{"{name}":"{token}","expires_in":300}}"#)
}

fn reply(mut connection: TcpStream, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
