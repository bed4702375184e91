//! Images made of Debian's real files, as an OCI image layout on disk.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use bundle_format::architecture::Architecture;
use bundle_format::digest::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What to push.
pub(crate) enum Content {
    /// An index of these platforms and an attestation for each.
    Index(Vec<Architecture>),
    /// One OCI image manifest, no index.
    Oci(Architecture),
    /// One docker schema 2 image manifest, no index.
    Docker(Architecture),
    /// A docker manifest list of these platforms.
    DockerList(Vec<Architecture>),
    /// An OCI index whose only entry has no platform.
    Unplaced(Architecture),
    /// An OCI index of a platform, and before it something that is no image and
    /// has none.
    Beside(Architecture),
    /// One OCI image manifest that leaves out what others do without, as its
    /// configuration does.
    Bare,
    /// The same with no layer.
    Empty,
    /// An image whose configuration names no layer.
    Rootless(Architecture),
}

/// Writes the layout, whose `index.json` names the one root.
pub(super) fn write_layout(folder: &Path, content: &Content) {
    std::fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let root = match content {
        Content::Index(architectures) | Content::DockerList(architectures) => {
            let mut entries = Vec::new();
            for &architecture in architectures {
                let image = image(folder, architecture);
                let digest = image.1;
                entries.push(entry(&image, architecture.oci(), "linux", ""));
                // Docker's formats know no attestations.
                if matches!(content, Content::DockerList(_)) {
                    continue;
                }
                let annotations = format!(
                    r#","annotations":{{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"{digest}"}}"#
                );
                entries.push(entry(
                    &attestation(folder, &digest),
                    "unknown",
                    "unknown",
                    &annotations,
                ));
            }
            let kind = "application/vnd.oci.image.index.v1+json";
            let text = format!(
                "{{\n  \"schemaVersion\": 2,\n  \"mediaType\": \"{kind}\",\n  \"manifests\": [{}]\n}}",
                entries.join(",\n    ")
            );
            blob(folder, kind, text.as_bytes())
        }
        Content::Oci(architecture) | Content::Docker(architecture) => image(folder, *architecture),
        Content::Unplaced(architecture) => {
            let image = image(folder, *architecture);
            index(folder, &[format!("{{{}}}", fields(&image))])
        }
        Content::Beside(architecture) => {
            let image = image(folder, *architecture);
            let other = attestation(folder, &image.1);
            let entries =
                [format!("{{{}}}", fields(&other)), entry(&image, architecture.oci(), "linux", "")];
            index(folder, &entries)
        }
        Content::Bare | Content::Empty | Content::Rootless(_) => bare(folder, content),
    };
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{{{}}}]}}"#, fields(&root));
    std::fs::write(folder.join("index.json"), index).unwrap();
}

type Blob = (String, Digest, usize);

fn index(folder: &Path, entries: &[String]) -> Blob {
    let kind = "application/vnd.oci.image.index.v1+json";
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{}],"annotations":null}}"#,
        entries.join(",")
    );
    blob(folder, kind, text.as_bytes())
}

/// What is left out here, skopeo copies and ctr imports without.
fn bare(folder: &Path, content: &Content) -> Blob {
    let (diff_id, layers) = match content {
        Content::Empty => (String::new(), "null".to_owned()),
        _ => {
            let (layer, diff_id) = layer(folder, &["usr/bin/env"]);
            (format!("\"{diff_id}\""), format!("[{{{}}}]", fields(&layer)))
        }
    };
    let rootfs = format!(r#""rootfs":{{"type":"layers","diff_ids":[{diff_id}]}}"#);
    let config = match content {
        Content::Rootless(architecture) => {
            format!(r#"{{"os":"linux","architecture":"{}"}}"#, architecture.oci())
        }
        _ => format!("{{{rootfs}}}"),
    };
    let config = blob(folder, "application/vnd.oci.image.config.v1+json", config.as_bytes());
    let text = format!(
        r#"{{"schemaVersion":2,"annotations":null,"config":{{{}}},"layers":{layers}}}"#,
        fields(&config)
    );
    blob(folder, MANIFEST, text.as_bytes())
}

fn image(folder: &Path, architecture: Architecture) -> Blob {
    // Debian's own programs, some in both images and some in one.
    let own = if architecture == Architecture::X86_64 { "usr/bin/tar" } else { "usr/bin/gzip" };
    let layers: Vec<(Blob, Digest)> = [&["usr/bin/env", "usr/bin/sha256sum"][..], &[own]]
        .map(|files| layer(folder, files))
        .into();
    let diff_ids: Vec<String> =
        layers.iter().map(|(_, diff_id)| format!("\"{diff_id}\"")).collect();
    let config = format!(
        r#"{{"os":"linux","architecture":"{}","config":{{"Cmd":["/usr/bin/env"]}},"rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{{"created_by":"env"}},{{"created_by":"own"}}]}}"#,
        architecture.oci(),
        diff_ids.join(",")
    );
    let config = blob(folder, "application/vnd.oci.image.config.v1+json", config.as_bytes());
    let layers: Vec<Blob> = layers.into_iter().map(|(layer, _)| layer).collect();
    manifest(folder, &config, &layers)
}

fn attestation(folder: &Path, subject: &Digest) -> Blob {
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","subject":[{{"digest":{{"sha256":"{}"}}}}]}}"#,
        subject.hex()
    );
    let layer = blob(folder, "application/vnd.in-toto+json", statement.as_bytes());
    let config = format!(
        r#"{{"os":"unknown","architecture":"unknown","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        layer.1
    );
    let config = blob(folder, "application/vnd.oci.image.config.v1+json", config.as_bytes());
    manifest(folder, &config, &[layer])
}

fn manifest(folder: &Path, config: &Blob, layers: &[Blob]) -> Blob {
    let layers: Vec<String> = layers.iter().map(|layer| format!("{{{}}}", fields(layer))).collect();
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{{}}},"layers":[{}]}}"#,
        fields(config),
        layers.join(",")
    );
    blob(folder, MANIFEST, text.as_bytes())
}

/// A gzipped tar of files below `/`, and the digest of the tar alone.
fn layer(folder: &Path, files: &[&str]) -> (Blob, Digest) {
    let output = Command::new("tar")
        .args([
            "-C",
            "/",
            "--sort=name",
            "--mtime=@0",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "-chf",
            "-",
        ])
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&output.stdout).unwrap();
    let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
    (blob(folder, kind, &gzip.finish().unwrap()), Digest::of(&output.stdout))
}

fn blob(folder: &Path, media_type: &str, bytes: &[u8]) -> Blob {
    let digest = Digest::of(bytes);
    std::fs::write(folder.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
    (media_type.to_owned(), digest, bytes.len())
}

fn entry(blob: &Blob, architecture: &str, os: &str, annotations: &str) -> String {
    format!(
        r#"{{{},"platform":{{"architecture":"{architecture}","os":"{os}"}}{annotations}}}"#,
        fields(blob)
    )
}

fn fields((media_type, digest, size): &Blob) -> String {
    format!(r#""mediaType":"{media_type}","digest":"{digest}","size":{size}"#)
}
