//! Transfers from a real nginx: one that breaks off goes on where it stopped,
//! and a redirect to another port takes no secret along.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{fs, thread};

use bundle_format::Digest;
use bundler::fetch::cache::Cache;
use bundler::fetch::download::{Source, download};
use bundler::fetch::http::HttpFetch;
use bundler::fetch::{Fetch, Request, Secret};
use url::Url;

/// nginx on two ports: the first redirects to the second, which has the files
/// of `<folder>/www` and notes each request in `<folder>/access.log`.
struct Nginx(Child);

impl Nginx {
    fn start(folder: &Path, ports: [u16; 2], rate: &str) -> Self {
        let at = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {at}/{name}; "))
            .concat();
        let [front, back] = ports;
        let configuration = format!(
            "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/nginx.log;
             events {{}}
             http {{
               {temporary}
               log_format request '$status authorization=$http_authorization range=$http_range';
               server {{
                 listen 127.0.0.1:{front};
                 access_log off;
                 location / {{ return 307 http://127.0.0.1:{back}$request_uri; }}
               }}
               server {{
                 listen 127.0.0.1:{back};
                 access_log {at}/access.log request;
                 root {at}/www;
                 limit_rate {rate};
               }}
             }}"
        );
        fs::write(folder.join("nginx.conf"), configuration).unwrap();
        let process =
            Command::new("nginx").arg("-c").arg(folder.join("nginx.conf")).spawn().unwrap();
        wait(|| ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()));
        Self(process)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn wait(done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < end, "it did not come");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Two ports that were free a moment ago.
fn free_ports() -> [u16; 2] {
    let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn nginx_is_installed() -> bool {
    let installed = Command::new("nginx").arg("-v").output().is_ok();
    if !installed {
        println!("skipped: nginx is not installed");
    }
    installed
}

#[test]
fn a_transfer_goes_on_by_range_after_the_server_was_gone() {
    if !nginx_is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("www")).unwrap();
    let content: Vec<u8> = (0..8_u32 << 20).map(|number| (number % 251) as u8).collect();
    fs::write(at.join("www/blob"), &content).unwrap();
    let (digest, size) = (Digest::of(&content), content.len() as u64);
    let cache = Cache::at(&at.join("cache")).unwrap();
    let fetch = HttpFetch::new(&[], None).unwrap();
    let ports = free_ports();
    let url = Url::parse(&format!("http://127.0.0.1:{}/blob", ports[0])).unwrap();

    let slow = Nginx::start(at, ports, "1m");
    let _fast = thread::scope(|scope| {
        let transfer = scope.spawn(|| {
            download(
                &cache,
                &[Source { fetch: &fetch, request: Request::new(url) }],
                &digest.into(),
                size,
                &|_| {},
            )
            .unwrap();
        });
        let partial = at.join("cache/partial").join(digest.hex());
        wait(|| fs::metadata(&partial).is_ok_and(|file| file.len() > 1 << 20));
        drop(slow);
        let fast = Nginx::start(at, ports, "0");
        transfer.join().unwrap();
        fast
    });
    assert_eq!(fs::read(cache.path(digest)).unwrap(), content);
    let log = fs::read_to_string(at.join("access.log")).unwrap();
    let resumed: Vec<&str> = log.lines().filter(|line| line.starts_with("206")).collect();
    let [request] = resumed.as_slice() else { panic!("one resumed request:\n{log}") };
    let start = request.rsplit_once("range=bytes=").unwrap().1.trim_end_matches('-');
    assert!(start.parse::<u64>().unwrap() > 1 << 20, "{request}");
}

#[test]
fn a_redirect_to_another_port_takes_no_secret_along() {
    if !nginx_is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("www")).unwrap();
    fs::write(at.join("www/blob"), "content").unwrap();
    let ports = free_ports();
    let _nginx = Nginx::start(at, ports, "0");
    let url = |port: u16| Url::parse(&format!("http://127.0.0.1:{port}/blob")).unwrap();
    let fetch = HttpFetch::new(&[], None).unwrap();
    let read = |port| {
        let authorization = Some(Secret::new("Bearer of-the-first-port"));
        let response = fetch.open(&Request { authorization, ..Request::new(url(port)) }).unwrap();
        assert_eq!(response.status, 200);
        std::io::read_to_string(response.body).unwrap()
    };
    assert_eq!(read(ports[0]), "content");
    assert_eq!(read(ports[1]), "content");
    wait(|| fs::read_to_string(at.join("access.log")).unwrap().lines().count() == 2);
    let log = fs::read_to_string(at.join("access.log")).unwrap();
    let sent: Vec<&str> = log.lines().collect();
    assert_eq!(
        sent,
        ["200 authorization=- range=-", "200 authorization=Bearer of-the-first-port range=-",]
    );
}

/// An authority in PEM, and in `folder` what a server needs that it vouches for.
fn authority(folder: &Path) -> Vec<u8> {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.join("server.pem"), server.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    fs::write(folder.join("server-key.pem"), key.serialize_pem()).unwrap();
    pem.into_bytes()
}

#[test]
fn no_redirect_leads_from_https_to_http() {
    if !nginx_is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let authority = authority(folder.path());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {at}/{name}; "))
        .concat();
    let [tls, plain] = free_ports();
    let configuration = format!(
        "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/nginx.log;
         events {{}}
         http {{
           {temporary} access_log off;
           server {{
             listen 127.0.0.1:{tls} ssl;
             ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server-key.pem;
             location /good {{ return 200 content; }}
             location /within {{ return 302 https://127.0.0.1:{tls}/good; }}
             location /out {{ return 302 http://127.0.0.1:{plain}/good; }}
           }}
           server {{ listen 127.0.0.1:{plain}; location / {{ return 200 content; }} }}
         }}"
    );
    fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
    let process =
        Command::new("nginx").arg("-c").arg(folder.path().join("nginx.conf")).spawn().unwrap();
    let _nginx = Nginx(process);
    wait(|| [tls, plain].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()));
    let fetch = HttpFetch::new(&[("authority".to_owned(), authority)], None).unwrap();
    let read = |path: &str| {
        let url = Url::parse(&format!("https://127.0.0.1:{tls}/{path}")).unwrap();
        bundler::fetch::bytes(&fetch, &url, 100)
    };
    assert_eq!(read("good").unwrap(), b"content");
    assert_eq!(read("within").unwrap(), b"content");
    let error = read("out").unwrap_err().to_string();
    assert!(error.contains("redirects from https to a place without TLS"), "{error}");
}
