//! The packages of a repository that the cache keeps: the same as those in its metadata,
//! whatever happens to the file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bundler::fetch::cache::Cache;
use bundler::fetch::file::FileFetch;
use bundler::fetch::{Fetch, FetchError, Request, Response};
use bundler::rpm::location;
use bundler::rpm::repository::Repository;
use url::Url;

use crate::support::dnf;

/// Reads files, notes which, and has a cache.
struct Noting {
    cache: Option<Cache>,
    read: Mutex<Vec<String>>,
}

impl Fetch for Noting {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        self.read.lock().unwrap().push(request.url.path().to_owned());
        FileFetch.open(request)
    }

    fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }
}

/// A repository, and a cache beside it.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        site.offer("1");
        site
    }

    /// Writes the repository, with `a` of this version.
    fn offer(&self, version: &str) {
        let entry = |name: &str| format!("<rpm:entry name=\"{name}\"/>");
        let at = |name: &str, flags: &str| {
            format!(
                "<rpm:entry name=\"{name}\" flags=\"{flags}\" epoch=\"1\" ver=\"2\" rel=\"3\"/>"
            )
        };
        let parts = [
            ("provides", at("a", "EQ") + &entry("liba.so()(64bit)") + &entry("é")),
            ("requires", entry("(b or (c if d else e))") + &at("b", "GE") + &entry("/bin/sh")),
            ("conflicts", entry("(x with y)") + &at("z", "LT")),
            ("obsoletes", at("old", "LE")),
            ("recommends", entry("r")),
            ("suggests", entry("s")),
            ("supplements", entry("t")),
            ("enhances", at("u", "GT")),
        ];
        let parts = parts.map(|(kind, all)| format!("<rpm:{kind}>{all}</rpm:{kind}>")).concat();
        let of = |name: &str, more: &str, href: &str| {
            format!(
                "<package type=\"rpm\"><name>{name}</name><arch>x86_64</arch>\
                 <version epoch=\"0\" ver=\"{version}\" rel=\"1\"/>\
                 <checksum type=\"sha256\" pkgid=\"YES\">{}</checksum><size package=\"7\" installed=\"8\" archive=\"9\"/>\
                 <location href=\"{href}\"/><format>{more}</format></package>",
                "5".repeat(64)
            )
        };
        let files = "<file>/usr/bin/a</file><file type=\"dir\">/etc/a</file>";
        let all = of("b", "", "../pool/b.rpm") + &of("a", &(parts + files), "a b.rpm");
        dnf::write_repository(&self.folder.path().join("repository"), &dnf::primary(&all), None);
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The only file that is kept.
    fn kept(&self) -> PathBuf {
        let mut all = fs::read_dir(self.cache().join("packages")).unwrap();
        let only = all.next().unwrap().unwrap().path();
        assert!(all.next().is_none(), "a repository has one file");
        only
    }

    /// What is read of the repository, and whether its `primary.xml` was.
    fn load(&self, cache: Option<&Path>) -> (String, bool) {
        let cache = cache.map(|folder| Cache::at(folder).unwrap());
        let fetch = Noting { cache, read: Mutex::default() };
        let folder = self.folder.path().join("repository");
        let url = location::folder(&Url::from_file_path(&folder).unwrap());
        let repomd = fs::read(folder.join("repodata/repomd.xml")).unwrap();
        let repository = Repository::load(&fetch, "r", &url, 99, &repomd).unwrap();
        let packages: Vec<String> =
            repository.packages.iter().map(|package| format!("{package:#?}")).collect();
        let read = fetch.read.into_inner().unwrap();
        (packages.concat(), read.iter().any(|path| path.ends_with("primary.xml")))
    }
}

#[test]
fn metadata_is_parsed_once_and_its_packages_stay_the_same() {
    let site = Site::new();
    let (plain, _) = site.load(None);
    for word in ["liba.so()(64bit)", "/usr/bin/a", "pool/b.rpm", "a%20b.rpm", "If(", "é"] {
        assert!(plain.contains(word), "{word} in {plain}");
    }
    assert!(!site.cache().exists(), "nothing is kept without a cache");
    let cache = site.cache();
    assert_eq!(site.load(Some(&cache)), (plain.clone(), true));
    assert_eq!(site.load(Some(&cache)), (plain.clone(), false));
    site.offer("2");
    let (newer, is_read) = site.load(Some(&cache));
    assert!(is_read && newer != plain);
    assert_eq!(site.load(Some(&cache)), (newer, false));
    site.kept();
}

#[test]
fn a_kept_file_that_is_damaged_counts_as_none() {
    let site = Site::new();
    let cache = site.cache();
    let (plain, _) = site.load(Some(&cache));
    let kept = site.kept();
    let whole = fs::read(&kept).unwrap();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        fs::write(&kept, bytes).unwrap();
        assert_eq!(site.load(Some(&cache)), (plain.clone(), true), "byte {place}");
    }
    for bytes in [&whole[..0], &whole[..127], &whole[..whole.len() - 1], &whole[1..]] {
        fs::write(&kept, bytes).unwrap();
        assert_eq!(site.load(Some(&cache)), (plain.clone(), true), "{} bytes", bytes.len());
    }
    assert!(fs::read(&kept).unwrap() == whole, "it was written again");
    assert_eq!(site.load(Some(&cache)), (plain, false));
}

#[test]
fn nothing_fails_where_nothing_can_be_kept() {
    let site = Site::new();
    let cache = site.cache();
    Cache::at(&cache).unwrap();
    // root may write to any folder, but not below a file.
    fs::write(cache.join("packages"), "").unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o555)).unwrap();
    let (plain, _) = site.load(None);
    assert_eq!(site.load(Some(&cache)), (plain.clone(), true));
    assert_eq!(site.load(Some(&cache)), (plain, true));
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).unwrap();
}
