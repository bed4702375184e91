//! The metadata with which a node's own yum or dnf reads the bundle's packages.

use std::io::Write;
use std::path::PathBuf;

use bundle_format::Digest;
use flate2::{Compression, GzBuilder};
use rpm::PackageMetadata;
use rpmrepo_metadata::{
    Checksum, FilelistsXml, OtherXml, Package, PackageOptions, PackageSource, PrimaryXml,
    RepomdRecord, RepomdXml, Repository,
};

/// A package in the repository.
pub struct Member {
    /// Its header. It has been verified.
    pub header: PackageMetadata,
    /// The name of its file, next to `repodata/`.
    pub file_name: String,
    /// The digest of its file.
    pub digest: Digest,
    /// The size of its file in bytes.
    pub size: u64,
}

/// Metadata that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the metadata of the bundle's packages: {0}")]
pub struct LocalRepositoryError(String);

/// The files of `repodata/` by name, compressed with gzip because el7's yum cannot
/// read zstd. The same packages give the same bytes, because no time is in them.
pub fn metadata(members: Vec<Member>) -> Result<Vec<(String, Vec<u8>)>, LocalRepositoryError> {
    let fail = |error: &dyn std::fmt::Display| LocalRepositoryError(error.to_string());
    let mut repository = Repository::new();
    let mut members = members;
    members.sort_by(|a, b| a.file_name.cmp(&b.file_name));

    for member in members {
        let options = PackageOptions { changelog_limit: 0, ..PackageOptions::default() };
        let source = PackageSource {
            checksum: Some(Checksum::Sha256(member.digest.hex())),
            size_package: Some(member.size),
            time_file: 0,
            location_href: member.file_name,
            location_base: None,
        };
        let package = Package::from_package_metadata(&member.header, source, options)
            .map_err(|error| fail(&error))?;
        repository.add_package(package);
    }
    let documents = [
        ("primary", repository.write_metadata_bytes::<PrimaryXml>().map_err(|error| fail(&error))?),
        (
            "filelists",
            repository.write_metadata_bytes::<FilelistsXml>().map_err(|error| fail(&error))?,
        ),
        ("other", repository.write_metadata_bytes::<OtherXml>().map_err(|error| fail(&error))?),
    ];
    let mut files = Vec::new();
    for (kind, xml) in documents {
        let compressed = gzip(&xml).map_err(|error| fail(&error))?;
        let file_name = format!("{}-{kind}.xml.gz", Digest::of(&compressed).hex());
        let mut record = RepomdRecord::default();
        record.metadata_name = kind.to_owned();
        record.location_href = PathBuf::from(format!("repodata/{file_name}"));
        record.size = Some(compressed.len() as u64);
        record.checksum = Checksum::Sha256(Digest::of(&compressed).hex());
        record.open_size = Some(xml.len() as u64);
        record.open_checksum = Some(Checksum::Sha256(Digest::of(&xml).hex()));
        repository.repomd_mut().add_record(record);
        files.push((file_name, compressed));
    }
    repository.repomd_mut().set_revision("0");
    let repomd = repository.write_metadata_bytes::<RepomdXml>().map_err(|error| fail(&error))?;
    files.push(("repomd.xml".to_owned(), repomd));
    Ok(files)
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(6));
    encoder.write_all(bytes)?;
    encoder.finish()
}
