//! Packages with a plus sign and other marks in the names of their files, over
//! nginx as it is, and over one that answers as S3 does.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use bundler::fetch;
use bundler::fetch::client::Client;
use bundler::rpm::repository::Repository;
use url::Url;

/// What the names of files hold, one file each.
const MARKS: [&str; 12] =
    ["+", "++", "~", "^", "%", "#", "?", " ", "@", ":", "é", "libstdc++-4.8.5~rc1^git+1"];

/// How a server reads the path of a request.
const SERVERS: [(&str, &str); 3] = [
    ("as it is", ""),
    // A bare plus is a space, and what is not there is forbidden.
    ("as S3 does", "if ($request_uri ~ \"\\+\") { return 403; }"),
    ("with no escape of a plus undone", "if ($request_uri ~ \"%2B\") { return 404; }"),
];

struct Nginx(Child);

impl Nginx {
    fn start(folder: &Path, ports: &[u16]) -> Self {
        let at = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {at}/{name}; "))
            .concat();
        let servers: String = SERVERS
            .iter()
            .zip(ports)
            .map(|((_, rule), port)| {
                format!("server {{ listen 127.0.0.1:{port}; root {at}/www; {rule} }}\n")
            })
            .collect();
        let configuration = format!(
            "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/nginx.log;
             events {{}}
             http {{ access_log off; {temporary} {servers} }}"
        );
        fs::write(folder.join("nginx.conf"), configuration).unwrap();
        let process =
            Command::new("nginx").arg("-c").arg(folder.join("nginx.conf")).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while ports.iter().any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()) {
            assert!(Instant::now() < end, "nginx does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self(process)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn names_with_marks_are_found_on_every_kind_of_server() {
    for tool in ["nginx", "createrepo_c"] {
        if Command::new(tool).arg("--version").output().is_err() {
            println!("skipped: {tool} is not installed");
            return;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("www/p+q");
    fs::create_dir_all(&repository).unwrap();
    for (number, mark) in MARKS.iter().enumerate() {
        let name = format!("p{number}");
        let package =
            rpm::PackageBuilder::new(&name, "1", "MIT", "noarch", "a test").build().unwrap();
        package.write_file(repository.join(format!("a{mark}b.rpm"))).unwrap();
    }
    let output = Command::new("createrepo_c")
        .args(["--quiet", "--no-database"])
        .arg(&repository)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let ports =
        SERVERS.map(|_| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let _nginx = Nginx::start(folder.path(), &ports);
    let client = Client::new(&[]).unwrap();
    for ((kind, _), port) in SERVERS.iter().zip(ports) {
        let base: Url = format!("http://127.0.0.1:{port}/p+q/").parse().unwrap();
        let repomd =
            fetch::bytes(&client, &base.join("repodata/repomd.xml").unwrap(), 1 << 20).unwrap();
        let loaded = Repository::load(&client, "r", &base, 99, &repomd).unwrap();
        assert_eq!(loaded.packages.len(), MARKS.len());
        for package in &loaded.packages {
            let bytes = fetch::bytes(&client, &package.source, 1 << 20)
                .unwrap_or_else(|error| panic!("{kind}: {} {error}", package.source));
            assert!(package.checksum.matches(&mut &bytes[..]).unwrap(), "{}", package.source);
        }
        let missing = base.join("no+such.rpm").unwrap();
        assert!(fetch::bytes(&client, &missing, 1 << 20).is_err(), "{kind}");
    }
}
