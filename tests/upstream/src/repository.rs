//! A yum repository on disk: packages, repodata, signature and key.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rpmrepo_metadata::{
    CompressionType, CompsGroup, CompsPackageReq, PackageFileOptions, RepositoryOptions,
    RepositoryWriter,
};

use crate::key::SigningKey;
use crate::package;

/// Sixteen digits, as real repositories write it: more than 32 bits hold.
const REVISION: &str = "1700000000123456";

/// Writes the repository `id` with the packages of `text` into `directory`;
/// `core`, if not empty, becomes the comps group of that name.
pub(crate) fn write(directory: &Path, id: &str, text: &str, core: &[&str]) -> Result<()> {
    let key = SigningKey::generate(id)?;
    let signer = key.rpm_signer()?;
    fs::create_dir_all(directory.join("Packages"))?;
    let packages = package::parse(text)?;

    let options = RepositoryOptions::default().compression_type(CompressionType::Gzip);
    let mut writer = RepositoryWriter::new_with_options(directory, packages.len(), options)?;
    writer.repomd_mut().set_revision(REVISION);
    for package in &packages {
        let href = format!("Packages/{}", package.file_name());
        let file = directory.join(&href);
        let bytes = package.build(signer.clone()).with_context(|| format!("building {href}"))?;
        fs::write(&file, bytes)?;
        let options =
            PackageFileOptions { location_href: Some(href), ..PackageFileOptions::default() };
        writer.add_package(&rpmrepo_metadata::Package::from_file_with_options(&file, options)?)?;
    }
    if !core.is_empty() {
        writer.add_group(&core_group(core))?;
    }
    writer.finish()?;

    let repodata = directory.join("repodata");
    let repomd = fs::read(repodata.join("repomd.xml"))?;
    fs::write(repodata.join("repomd.xml.asc"), key.sign(&repomd)?)?;
    fs::write(repodata.join("repomd.xml.key"), key.public()?)?;
    Ok(())
}

/// What a minimal installation of the distribution has.
fn core_group(names: &[&str]) -> CompsGroup {
    let mandatory = |name: &&str| CompsPackageReq {
        name: (*name).to_owned(),
        reqtype: "mandatory".to_owned(),
        ..CompsPackageReq::default()
    };
    CompsGroup {
        id: "core".to_owned(),
        name: "Core".to_owned(),
        description: "Smallest possible installation".to_owned(),
        packages: names.iter().map(mandatory).collect(),
        ..CompsGroup::default()
    }
}
