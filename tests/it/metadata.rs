//! Metadata as createrepo_c's own tests have it, and damaged in many ways:
//! packages or a clear error, never a hang.

use std::fs;
use std::io::Read;
use std::path::Path;

use bundler::fetch::file::FileFetch;
use bundler::rpm::primary::{read_filelists, read_primary};
use bundler::rpm::repository::{self, Repository};
use url::Url;

use crate::support::shared_data;

fn base() -> Url {
    "https://example.com/repo/".parse().unwrap()
}

fn load(folder: &Path) -> Result<Repository, String> {
    let url = repository::folder(&Url::from_file_path(folder.canonicalize().unwrap()).unwrap());
    let repomd = fs::read(folder.join("repodata/repomd.xml")).unwrap();
    let mut repository = Repository::load(&FileFetch, "x", &url, 99, &repomd)
        .map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
    repository
        .load_filelists(&FileFetch, &|_| true)
        .map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
    Ok(repository)
}

#[test]
fn real_repositories_of_every_kind_are_read() {
    let Some(data) = shared_data::folder() else { return };
    let fixtures = data.join("repodata/createrepo_c-fixtures");
    for (name, packages) in [("repo_00", 0), ("repo_02", 2), ("repo_03", 0)] {
        let repository =
            load(&fixtures.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(repository.packages.len(), packages, "{name}");
    }
    // Its primary.xml.gz has a byte more than its repomd.xml says.
    let error = load(&fixtures.join("repo_01")).unwrap_err();
    assert!(error.contains("not the file that repomd.xml promises"), "{error}");
    let google = load(&data.join("repodata/google-kubernetes-el7-2016")).unwrap();
    let kubelet = google.packages.iter().find(|package| package.nevra.name == "kubelet").unwrap();
    assert!(kubelet.source.path().contains("/pool/"), "{}", kubelet.source);
    assert_eq!(google.repomd.revision.as_ref().map(String::len), Some(16));
    // Checksum type `sha`; the copy that we have lacks its filelists.
    let error = load(&data.join("repodata/opensuse-11.0-update")).unwrap_err();
    assert!(error.contains("there is no file"), "{error}");
    assert!(error.contains("filelists.xml.gz"), "{error}");
}

#[test]
fn broken_primaries_are_errors_or_what_is_left_of_them() {
    let Some(data) = shared_data::folder() else { return };
    let folder = data.join("repodata/createrepo_c-fixtures/modified_repo_files");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.display().to_string().contains("primary") {
            continue;
        }
        // What matters is that it ends.
        match read_primary(&fs::read(&path).unwrap(), 64 << 20, &base()) {
            Ok(packages) => assert!(packages.len() < 100_000),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        count += 1;
    }
    assert!(count >= 6);
}

#[test]
fn metadata_that_is_cut_or_inflates_too_far_is_an_error() {
    let Some(data) = shared_data::folder() else { return };
    let folder = data.join("repodata/centos7/ol7/repodata");
    let compressed = fs::read(folder.join("primary.xml.gz")).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut text).unwrap();
    let size = text.len() as u64;
    assert_eq!(read_primary(&compressed, size, &base()).unwrap().len(), 5);
    assert!(read_primary(&compressed, size - 1, &base()).is_err());
    for length in (0..text.len() - 20).step_by(61) {
        assert!(read_primary(&text[..length], size, &base()).is_err(), "cut to {length}");
    }
    for length in (0..compressed.len()).step_by(7) {
        assert!(
            read_primary(&compressed[..length], size, &base()).is_err(),
            "gzip cut to {length}"
        );
    }
    let mut filelists = Vec::new();
    let compressed = fs::read(folder.join("filelists.xml.gz")).unwrap();
    flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut filelists).unwrap();
    for length in (0..filelists.len() - 20).step_by(61) {
        assert!(
            read_filelists(&filelists[..length], 64 << 20, &|_| true).is_err(),
            "cut to {length}"
        );
    }
    let away = String::from_utf8(text).unwrap().replacen(
        "href=\"",
        "href=\"https://elsewhere.example/",
        1,
    );
    let error = read_primary(away.as_bytes(), 64 << 20, &base()).unwrap_err().to_string();
    assert!(error.contains("leads away"), "{error}");
}

fn primary_of(entries: &str, packages: usize) -> String {
    let package = format!(
        "<package type=\"rpm\"><name>a</name><arch>noarch</arch>\
         <version epoch=\"0\" ver=\"1\" rel=\"1\"/>\
         <checksum type=\"sha256\" pkgid=\"YES\">{}</checksum>\
         <location href=\"a.rpm\"/><format>{entries}</format></package>",
        "0".repeat(64)
    );
    format!(
        "<?xml version=\"1.0\"?><metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{packages}\">{}</metadata>",
        package.repeat(packages)
    )
}

#[test]
fn metadata_takes_no_more_memory_than_real_metadata_of_its_size() {
    let entries = "<rpm:entry name=\"a\"/>".repeat(500_000);
    let xml = primary_of(&format!("<rpm:provides>{entries}</rpm:provides>"), 5);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut gzip, xml.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    assert!(gzip.len() < 1 << 20);
    let error = read_primary(&gzip, 4 << 30, &base()).unwrap_err().to_string();
    assert_eq!(error, "it holds more than any real metadata of its size");
    // Of filelists only what is asked for is kept.
    let files = "<file>/usr/share/a</file>".repeat(400_000);
    let id = "0".repeat(64);
    let xml = format!(
        "<?xml version=\"1.0\"?><filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" \
         packages=\"1\"><package pkgid=\"{id}\" name=\"a\" arch=\"noarch\">\
         <version epoch=\"0\" ver=\"1\" rel=\"1\"/>{files}<file>/usr/bin/a</file></package></filelists>"
    );
    let read = read_filelists(xml.as_bytes(), 4 << 30, &|path| path == "/usr/bin/a").unwrap();
    assert_eq!(read[&id], ["/usr/bin/a"]);
}

#[test]
fn a_dependency_of_thousands_of_operands_is_read() {
    let names: Vec<String> = (0..20_000).map(|number| format!("n{number}")).collect();
    let entry = format!("<rpm:entry name=\"({})\"/>", names.join(" or "));
    let xml = primary_of(&format!("<rpm:requires>{entry}</rpm:requires>"), 1);
    let packages = read_primary(xml.as_bytes(), 64 << 20, &base()).unwrap();
    assert_eq!(packages[0].requires.len(), 1);
    let deep = format!("{}n{}", "(n or ".repeat(20_000), ")".repeat(20_000));
    let xml = primary_of(&format!("<rpm:requires><rpm:entry name=\"{deep}\"/></rpm:requires>"), 1);
    let error = read_primary(xml.as_bytes(), 64 << 20, &base()).unwrap_err().to_string();
    assert!(error.ends_with("it nests too deep") && error.len() < 500, "{error}");
}

#[test]
fn names_that_could_be_options_or_paths_are_refused() {
    let xml = primary_of("", 1);
    for (from, to) in [
        ("<name>a<", "<name>-y<"),
        ("<name>a<", "<name>../a<"),
        ("<name>a<", "<name>a b<"),
        ("<name>a<", "<name>a;reboot<"),
        ("<name>a<", "<name><"),
        ("<arch>noarch<", "<arch>-x<"),
        ("<arch>noarch<", "<arch>a/b<"),
        ("ver=\"1\"", "ver=\"1/2\""),
        ("ver=\"1\"", "ver=\"\""),
        ("rel=\"1\"", "rel=\"1-2\""),
        ("rel=\"1\"", "rel=\"\""),
        ("href=\"a.rpm\"", "href=\"file:///etc/shadow\""),
        ("href=\"a.rpm\"", "xml:base=\"file:///etc\" href=\"shadow\""),
        ("href=\"a.rpm\"", "xml:base=\"http://example.com\" href=\"a.rpm\""),
    ] {
        let xml = xml.replacen(from, to, 1);
        assert!(read_primary(xml.as_bytes(), 1 << 20, &base()).is_err(), "{to}");
    }
    assert_eq!(read_primary(xml.as_bytes(), 1 << 20, &base()).unwrap().len(), 1);
}
