//! Small valid container images, the same bytes on every start.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bundle_format::digest::Digest;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// How an image is published.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An OCI index over amd64 and arm64, with an attestation of the first.
    Index,
    /// One OCI image manifest with no index above it.
    Plain,
    /// One docker schema 2 manifest.
    Docker,
}

/// An image manifest or index as it is served.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl Manifest {
    fn new(media_type: &'static str, document: &Value) -> Result<Self> {
        Ok(Self { media_type, bytes: serde_json::to_vec_pretty(document)? })
    }

    /// What it is called.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    fn descriptor(&self) -> Value {
        descriptor(self.media_type, self.digest(), self.bytes.len() as u64)
    }
}

/// Where blobs are kept: files named for their digests.
pub(crate) struct Blobs {
    directory: PathBuf,
}

impl Blobs {
    /// Blobs in `directory`, which is made.
    pub(crate) fn new(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// The file of a blob, whether or not it exists.
    pub(crate) fn path(&self, digest: Digest) -> PathBuf {
        self.directory.join(digest.hex())
    }

    pub(crate) fn put(&self, bytes: &[u8]) -> Result<(Digest, u64)> {
        let digest = Digest::of(bytes);
        fs::write(self.path(digest), bytes)?;
        Ok((digest, bytes.len() as u64))
    }
}

/// Makes the image `name`: the manifest that its tag points to comes first,
/// then those below it.
pub(crate) fn make(blobs: &Blobs, name: &str, form: Form) -> Result<Vec<Manifest>> {
    match form {
        Form::Plain => Ok(vec![single(blobs, name, "amd64", false)?]),
        Form::Docker => Ok(vec![single(blobs, name, "amd64", true)?]),
        Form::Index => {
            let amd64 = single(blobs, name, "amd64", false)?;
            let arm64 = single(blobs, name, "arm64", false)?;
            let attestation = attestation(blobs, name)?;
            let mut entries = Vec::new();
            for (manifest, system, architecture) in [
                (&amd64, "linux", "amd64"),
                (&arm64, "linux", "arm64"),
                (&attestation, "unknown", "unknown"),
            ] {
                let mut entry = manifest.descriptor();
                entry["platform"] = json!({"architecture": architecture, "os": system});
                if system == "unknown" {
                    entry["annotations"] = json!({
                        "vnd.docker.reference.digest": amd64.digest().to_string(),
                        "vnd.docker.reference.type": "attestation-manifest",
                    });
                }
                entries.push(entry);
            }
            let index = Manifest::new(
                OCI_INDEX,
                &json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}),
            )?;
            Ok(vec![index, amd64, arm64, attestation])
        }
    }
}

/// An image for one architecture with two layers, the first shared by all.
fn single(blobs: &Blobs, name: &str, architecture: &str, docker: bool) -> Result<Manifest> {
    let installed = format!("P:musl\nV:1.2.5-r9\nA:{architecture}\nL:MIT\no:musl\n\n");
    let contents = [
        vec![
            ("etc/os-release", format!("ID=demo\nARCHITECTURE={architecture}\n")),
            ("lib/apk/db/installed", installed),
        ],
        vec![("usr/local/bin/program", format!("#!/bin/sh\necho {name} for {architecture}\n"))],
    ];
    let (manifest_type, config_type, layer_type) = if docker {
        (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER)
    } else {
        (OCI_MANIFEST, OCI_CONFIG, OCI_LAYER)
    };
    let suffix = if docker { ".gzip" } else { "+gzip" };
    let (mut layers, mut differences) = (Vec::new(), Vec::new());
    for files in &contents {
        let tar = tar_of(files)?;
        differences.push(Digest::of(&tar).to_string());
        let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
        encoder.write_all(&tar)?;
        let (digest, size) = blobs.put(&encoder.finish()?)?;
        layers.push(descriptor(&format!("{layer_type}{suffix}"), digest, size));
    }
    let config = config(blobs, config_type, architecture, &differences)?;
    Manifest::new(manifest_type, &image_manifest(manifest_type, &config, &layers))
}

/// A BuildKit attestation: an image manifest with a statement for a layer.
fn attestation(blobs: &Blobs, name: &str) -> Result<Manifest> {
    let statement = json!({"_type": "https://in-toto.io/Statement/v0.1", "subject": name});
    let (digest, size) = blobs.put(&serde_json::to_vec(&statement)?)?;
    let layers = [descriptor("application/vnd.in-toto+json", digest, size)];
    let config = config(blobs, OCI_CONFIG, "unknown", &[digest.to_string()])?;
    Manifest::new(OCI_MANIFEST, &image_manifest(OCI_MANIFEST, &config, &layers))
}

/// An image of `mebibytes` in four uncompressed layers of noise, for
/// measurements.
pub(crate) fn make_large(blobs: &Blobs, mebibytes: u64) -> Result<Vec<Manifest>> {
    let (mut layers, mut differences) = (Vec::new(), Vec::new());
    for part in 0..4 {
        let size = mebibytes * 1024 * 1024 / 4;
        let unfinished = blobs.directory.join("unfinished");
        let mut archive = tar::Builder::new(BufWriter::new(File::create(&unfinished)?));
        let name = format!("noise-{part}");
        archive.append_data(&mut tar_header(size), name, Noise(part + 1).take(size))?;
        archive.into_inner()?.into_inner().context("writing a large layer")?;
        let (digest, size) = Digest::of_reader(&mut File::open(&unfinished)?)?;
        fs::rename(&unfinished, blobs.path(digest))?;
        differences.push(digest.to_string());
        layers.push(descriptor(OCI_LAYER, digest, size));
    }
    let config = config(blobs, OCI_CONFIG, "amd64", &differences)?;
    Ok(vec![Manifest::new(OCI_MANIFEST, &image_manifest(OCI_MANIFEST, &config, &layers))?])
}

fn config(blobs: &Blobs, kind: &str, architecture: &str, diff_ids: &[String]) -> Result<Value> {
    let document = json!({
        "architecture": architecture,
        "os": if architecture == "unknown" { "unknown" } else { "linux" },
        "config": {"Entrypoint": ["/usr/local/bin/program"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let (digest, size) = blobs.put(&serde_json::to_vec(&document)?)?;
    Ok(descriptor(kind, digest, size))
}

fn image_manifest(media_type: &str, config: &Value, layers: &[Value]) -> Value {
    json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers})
}

fn descriptor(media_type: &str, digest: Digest, size: u64) -> Value {
    json!({"mediaType": media_type, "digest": digest.to_string(), "size": size})
}

fn tar_of(files: &[(&str, String)]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        archive.append_data(&mut tar_header(content.len() as u64), path, content.as_bytes())?;
    }
    Ok(archive.into_inner()?)
}

fn tar_header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o755);
    header
}

/// Endless bytes that do not compress (xorshift64), from a seed that is not 0.
struct Noise(u64);

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for chunk in buffer.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            for (byte, noise) in chunk.iter_mut().zip(self.0.to_le_bytes()) {
                *byte = noise;
            }
        }
        Ok(buffer.len())
    }
}
