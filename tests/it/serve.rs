//! `bundler serve`, as containerd, skopeo, dnf, curl and the distribution specification's
//! own conformance tests find it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bundle_format::layout::names;
use bundle_format::lock::LockedImage;
use bundle_format::{Digest, Lock};

use crate::support::demo::{BUNDLER, Demo};
use crate::support::stock::{Containerd, has, is_root, succeeded};

/// A bundle that is served, until it is dropped.
struct Served {
    demo: Demo,
    process: Child,
    /// `https://127.0.0.1:1234`.
    url: String,
    /// The fingerprint that it printed.
    fingerprint: Option<String>,
    /// The files that it printed for nodes: their titles and texts.
    files: Vec<(String, String)>,
}

impl Served {
    fn start(options: &[&str]) -> Self {
        let demo = Demo::start();
        demo.ok(&["build", "-q"]);
        Self::of(demo, options)
    }

    fn of(demo: Demo, options: &[&str]) -> Self {
        let mut process = Command::new(BUNDLER)
            .args(["serve", "demo.tar", "--listen", "127.0.0.1:0"])
            .args(options)
            .current_dir(demo.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        let (mut line, mut fingerprint) = (String::new(), None);
        while !line.starts_with("serving demo.tar at ") {
            line.clear();
            assert_ne!(errors.read_line(&mut line).unwrap(), 0, "it ended");
            if let Some(own) = line.strip_prefix("certificate  SHA-256 ") {
                fingerprint = Some(own.trim_end().to_owned());
            }
        }
        let url = line.trim_end().rsplit(' ').next().unwrap().to_owned();
        // What it still says is read, so that it does not wait for us.
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        let mut out = process.stdout.take().unwrap();
        let mut text = String::new();
        // The registries' lines are the last.
        let mut byte = [0];
        while !text.ends_with("\n\n") || !text.contains("registryMirrors:") {
            assert_eq!(out.read(&mut byte).unwrap(), 1);
            text.push(byte[0].into());
        }
        let mut files: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            match (line.strip_prefix("# "), files.last_mut()) {
                (Some(title), _) => files.push((title.to_owned(), String::new())),
                (None, Some((_, own))) => *own += &format!("{line}\n"),
                (None, None) => panic!("{line} belongs to no file"),
            }
        }
        Self { demo, process, url, fingerprint, files }
    }

    fn host(&self) -> &str {
        self.url.split_once("//").unwrap().1
    }

    /// The text of the printed file whose title begins like this.
    fn file(&self, title: &str) -> &str {
        let found = self.files.iter().find(|(own, _)| own.starts_with(title));
        &found.unwrap_or_else(|| panic!("no {title} among {:?}", self.files)).1
    }

    /// Writes a printed file into the test's folder, in which the certificate's place is
    /// there too.
    fn lay(&self, title: &str, name: &str) -> PathBuf {
        let certificate = self.demo.path("serve.crt").display().to_string();
        let path = self.demo.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = self.file(title).replace("/etc/kubeferry/serve.crt", &certificate);
        fs::write(&path, text).unwrap();
        path
    }

    fn lock(&self) -> Lock {
        let text = fs::read(self.demo.path("bundle.yaml.lock.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// The pause image. Its registry has no port, so a path can have its name.
    fn image(&self) -> LockedImage {
        let images = self.lock().images.into_iter();
        let mut images = images.filter(|image| image.name.registry() == "registry.k8s.io");
        images.find(|image| image.name.repository() == "pause").unwrap()
    }

    /// What curl gets, with the status and the head before it.
    fn curl(&self, path: &str, options: &[&str]) -> String {
        let certificate = self.lay("/etc/kubeferry/serve.crt", "serve.crt");
        let output = Command::new("curl")
            .args(["--silent", "--include", "--path-as-is", "--noproxy", "*", "--cacert"])
            .arg(certificate)
            .args(options)
            .arg(format!("{}{path}", self.url))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn containerd_pulls_every_image_by_the_printed_settings() {
    if !has("containerd") || !has("ctr") || !is_root() {
        return;
    }
    let served = Served::start(&[]);
    served.lay("/etc/kubeferry/serve.crt", "serve.crt");
    let folder = tempfile::tempdir().unwrap();
    let containerd = Containerd::start(folder.path());
    let images = served.lock().images;
    assert!(images.len() > 5);
    for image in &images {
        let registry = image.name.registry();
        let title = format!("/etc/containerd/certs.d/{registry}/hosts.toml");
        served.lay(&title, &format!("certs.d/{registry}/hosts.toml"));
    }
    let hosts = served.demo.path("certs.d").display().to_string();
    for name in images.iter().flat_map(names) {
        let name = name.to_string();
        let options = ["images", "pull", "--platform", "linux/amd64", "--hosts-dir", &hosts, &name];
        succeeded(&containerd.ctr(&options));
        let checked = succeeded(&containerd.ctr(&["images", "check", &format!("name=={name}")]));
        assert!(checked.contains("complete"), "{checked}");
    }
}

#[test]
fn skopeo_copies_an_image_with_the_registrys_digest() {
    if !has("skopeo") {
        return;
    }
    let served = Served::start(&["--quiet"]);
    fs::create_dir(served.demo.path("trust")).unwrap();
    served.lay("/etc/kubeferry/serve.crt", "trust/ca.crt");
    let trust = served.demo.path("trust").display().to_string();
    let image = served.image();
    let (repository, tag) = (image.name.repository(), image.name.tag().unwrap());
    let names = [format!("registry.k8s.io/{repository}:{tag}"), format!("{repository}:{tag}")];
    for name in names {
        let from = format!("docker://{}/{name}", served.host());
        let raw = Command::new("skopeo")
            .args(["inspect", "--raw", "--cert-dir", &trust, &from])
            .output()
            .unwrap();
        succeeded(&raw);
        assert_eq!(Digest::of(&raw.stdout), image.root.digest);
        let to = format!("dir:{}", served.demo.path(&name.replace('/', "-")).display());
        succeeded(
            &Command::new("skopeo")
                .args(["--override-arch", "amd64", "copy", "--src-cert-dir", &trust, &from, &to])
                .output()
                .unwrap(),
        );
    }
}

#[test]
fn dnf_downloads_a_signed_package_by_the_printed_repository() {
    if !has("/usr/bin/dnf") {
        return;
    }
    let served = Served::start(&[]);
    served.lay("/etc/kubeferry/serve.crt", "serve.crt");
    served.lay("/etc/yum.repos.d/kubeferry.repo, on nodes of el9-x86_64", "repos/kubeferry.repo");
    let at = served.demo.folder.path().display();
    let dnf = |arguments: &[&str]| {
        Command::new("/usr/bin/dnf")
            .args(["--quiet", "--assumeyes", "--disableplugin=*", "--forcearch=x86_64"])
            .arg("--releasever=9")
            .env("NO_PROXY", "*")
            .arg(format!("--setopt=reposdir={at}/repos"))
            .arg(format!("--setopt=cachedir={at}/dnf"))
            .arg(format!("--installroot={at}/root"))
            .args(arguments)
            .output()
            .unwrap()
    };
    let listed = succeeded(&dnf(&["repoquery", "--qf", "%{name}"]));
    let lock = served.lock();
    for rpm in &lock.rpms {
        assert!(listed.lines().any(|name| name == rpm.package.name), "{}:\n{listed}", rpm.package);
    }
    let folder = format!("--downloaddir={at}/got");
    succeeded(&dnf(&["install", "--downloadonly", &folder, "kubernetes-cni"]));
    let got = fs::read_dir(served.demo.path("got")).unwrap().map(|file| file.unwrap().path());
    let mut got: Vec<Digest> = got.map(|path| Digest::of(&fs::read(path).unwrap())).collect();
    got.sort();
    assert!(!got.is_empty());
    assert!(got.iter().all(|digest| lock.rpms.iter().any(|rpm| rpm.digest == *digest)));
}

#[test]
fn parts_of_files_and_what_is_not_there() {
    let served = Served::start(&[]);
    let whole = served.curl("/rpms/el9-x86_64/repodata/repomd.xml", &[]);
    assert!(whole.starts_with("HTTP/1.1 200 "), "{whole}");
    let (head, text) = whole.split_once("\r\n\r\n").unwrap();
    let part = served.curl("/rpms/el9-x86_64/repodata/repomd.xml", &["--range", "2-5"]);
    assert!(part.starts_with("HTTP/1.1 206 "), "{part}");
    assert!(part.contains(&format!("Content-Range: bytes 2-5/{}\r\n", text.len())), "{part}");
    assert!(part.ends_with(&format!("\r\n\r\n{}", &text[2..6])), "{part}");
    let behind = served.curl("/rpms/el9-x86_64/repodata/repomd.xml", &["--range", "999999-"]);
    assert!(behind.starts_with("HTTP/1.1 416 "), "{behind}");
    let only_head = served.curl("/rpms/el9-x86_64/repodata/repomd.xml", &["--head"]);
    assert_eq!(only_head.trim_end(), head);
    let list = served.curl("/", &[]);
    assert!(list.contains("  /rpms/el9-x86_64/repodata/repomd.xml ("), "{list}");
    assert!(list.contains("  registry.k8s.io/pause:3.9\n"), "{list}");
    let gone = served.curl("/../../../../etc/passwd", &[]);
    assert!(gone.starts_with("HTTP/1.1 404 "), "{gone}");
    let written = served.curl("/v2/pause/blobs/uploads/", &["--request", "POST"]);
    assert!(written.starts_with("HTTP/1.1 405 "), "{written}");
    assert!(written.contains("\r\nAllow: GET, HEAD\r\n"), "{written}");
    let by_mirror = served.curl("/v2/pause/manifests/3.9?ns=registry.k8s.io", &["--head"]);
    assert!(by_mirror.starts_with("HTTP/1.1 200 "), "{by_mirror}");
    let of_others = served.curl("/v2/pause/manifests/3.9?ns=docker.io", &["--head"]);
    assert!(of_others.starts_with("HTTP/1.1 404 "), "{of_others}");
    let split = "/v2/registry.k8s.io%23%0d%0aX-Evil:%20yes/pause/tags/list?n=0";
    let split = served.curl(split, &[]);
    assert!(split.starts_with("HTTP/1.1 404 ") && !split.contains("X-Evil"), "{split}");
    let of_other = served.curl("/v2/registry.k8s.io/pause/manifests/3.9?ns=quay.io", &["--head"]);
    assert!(of_other.starts_with("HTTP/1.1 404 "), "{of_other}");
    let host = format!("127.0.0.1:{}", served.url.rsplit(':').next().unwrap());
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut said = Vec::new();
    // Whoever does not speak TLS gets an alert or nothing.
    drop(stream.read_to_end(&mut said));
    assert!(!said.starts_with(b"HTTP/"), "{said:?}");
}

#[test]
fn what_cannot_be_served_is_said_before_it_listens() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let bundle = fs::read(demo.path("demo.tar")).unwrap();
    let (mut damaged, middle) = (bundle.clone(), bundle.len() / 2);
    damaged[middle] ^= 1;
    fs::write(demo.path("damaged.tar"), damaged).unwrap();
    let said = demo.fails(&["serve", "damaged.tar", "--listen", "127.0.0.1:0", "-q"]);
    assert!(said.contains("1 of ") && said.contains(" is not what it should be"), "{said}");
    let said = demo.fails(&["serve", "demo.tar", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("Say it with --name HOST"), "{said}");
    for name in ["a\"b", "laptop.site:8443", "https://laptop.site"] {
        let output = demo.run(&["serve", "demo.tar", "--listen", "0.0.0.0:0", "--name", name]);
        assert_eq!(output.status.code(), Some(2), "{name}");
    }
    let output = demo.run(&["serve", "demo.tar", "--listen", "laptop:8443"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("a name goes into --name"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let said = demo.fails(&["serve", "demo.tar", "--listen", &taken]);
    assert!(said.contains(&format!("listening at {taken}")), "{said}");
    fs::write(demo.path("empty.pem"), "").unwrap();
    let own = ["--certificate", "empty.pem", "--key", "empty.pem"];
    let said = demo.fails(&[&["serve", "demo.tar", "--listen", "127.0.0.1:0"], &own[..]].concat());
    assert!(said.contains("empty.pem has no certificate in PEM"), "{said}");
}

#[test]
fn the_pages_commands_reach_it() {
    if !["curl", "openssl", "skopeo"].into_iter().all(has) {
        return;
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/serve.md");
    let page = fs::read_to_string(page).unwrap();
    let commands: Vec<&str> = page.split("```\n").skip(1).step_by(2).flat_map(str::lines).collect();
    let (serve, others) = commands.split_first().unwrap();
    // What every test here runs, with another address.
    assert_eq!(*serve, "bundler serve demo.tar --listen 192.168.1.5:8443");
    assert_eq!(others.len(), 4, "{others:?}");
    let served = Served::start(&[]);
    served.lay("/etc/kubeferry/serve.crt", "trust/serve.crt");
    let trust = served.demo.path("trust").display().to_string();
    let mut said = Vec::new();
    for command in others {
        let command = command.replace("/etc/kubeferry", &trust);
        let command = command.replace("192.168.1.5:8443", served.host());
        let output = Command::new("sh").args(["-c", &command]).env("NO_PROXY", "*").output();
        said.push(succeeded(&output.unwrap()));
    }
    let fingerprint = said[0].trim_end().rsplit('=').next().unwrap();
    assert_eq!(served.fingerprint.as_deref(), Some(fingerprint));
    assert!(said[1].contains("registry.k8s.io/pause:3.9"), "{}", said[1]);
    let locked = served.lock().manifests.into_iter().find(|own| own.name == "calico").unwrap();
    assert_eq!(Digest::of(said[2].as_bytes()), locked.applied.digest);
    assert_eq!(Digest::of(said[3].as_bytes()), served.image().root.digest);
}

/// `update-ca-trust` on EL takes what p11-kit calls an authority.
#[test]
fn the_systems_trust_takes_the_certificate() {
    if !has("openssl") {
        return;
    }
    let served = Served::start(&["--name", "127.0.0.1"]);
    let file = served.lay("/etc/kubeferry/serve.crt", "serve.crt").display().to_string();
    let line = ["x509", "-noout", "-text", "-in", &file];
    let text = succeeded(&Command::new("openssl").args(line).output().unwrap());
    assert!(text.contains("CA:TRUE, pathlen:0"), "{text}");
    assert!(text.contains("IP:127.0.0.1/255.255.255.255"), "{text}");
}

/// The distribution specification's conformance tests, for a registry that only gives.
#[test]
fn the_specifications_own_conformance_tests_pass() {
    let Some((_, judge)) = lab::built::programs("conformance").pop() else {
        println!("skipped: `scripts/tools --judges` builds the conformance tests");
        return;
    };
    let served = Served::start(&["--plain-http"]);
    let image = served.image();
    let platform = &image.platforms[0];
    let blobs = platform.layers.iter().chain([&platform.config]);
    let blobs: Vec<String> = blobs.map(|blob| blob.digest.to_string()).collect();
    let output = Command::new(judge)
        .env("OCI_VERSION", "1.1")
        .env("OCI_REGISTRY", served.host())
        .env("OCI_TLS", "disabled")
        .env("OCI_REPO1", format!("registry.k8s.io/{}", image.name.repository()))
        .env("OCI_API_PUSH", "false")
        .envs(["BLOBS", "MANIFESTS", "TAGS"].map(|api| (format!("OCI_API_{api}_DELETE"), "false")))
        .env("OCI_RO_DATA_TAGS", image.name.tag().unwrap())
        .env("OCI_RO_DATA_MANIFESTS", platform.manifest.digest.to_string())
        .env("OCI_RO_DATA_BLOBS", blobs.join(" "))
        .env("OCI_RO_DATA_REFERRERS", image.root.digest.to_string())
        // Its other reports end with a panic of its own where nothing may be pushed.
        .env("OCI_RESULTS_DIR", "/dev/null")
        .env("NO_PROXY", "*")
        .current_dir(served.demo.folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let found = |name: &str| {
        let line = said.lines().map(str::trim).find(|line| line.starts_with(&format!("{name}.")));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or_default()
    };
    assert_eq!((found("FAIL"), found("Error")), ("0", "0"), "{said}");
    for name in [
        "Ping",
        "Tag listing",
        "Blob get",
        "Blob head",
        "Manifest get by digest",
        "Manifest get by tag",
        "Manifest head by digest",
        "Manifest head by tag",
        "Referrers",
        "Read Only Inputs",
    ] {
        assert_eq!(found(name), "Pass", "{name} in {said}");
    }
}
