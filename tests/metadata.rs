//! Metadata as createrepo_c's own tests have it, and damaged in many ways:
//! packages or a clear error, never a hang.
#![allow(clippy::unwrap_used, reason = "a test ends where it finds something unexpected")]

use std::fs;
use std::io::Read;
use std::path::Path;

use bundler::fetch::file::FileFetch;
use bundler::rpm::primary::{read_filelists, read_primary};
use bundler::rpm::repository::{self, Repository};
use url::Url;

#[path = "support/shared_data.rs"]
mod shared_data;

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
    assert!(error.contains("filelists.xml.gz answered with status 404"), "{error}");
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
