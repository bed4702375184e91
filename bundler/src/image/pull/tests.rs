use std::collections::BTreeMap;

use super::super::document::{DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use super::super::registry::Registry;
use super::super::scripted::{Answer, Scripted};
use super::*;

const BOTH: [Architecture; 2] = [Architecture::Aarch64, Architecture::X86_64];

/// A registry's content by the last part of its URLs' paths.
#[derive(Clone, Default)]
struct Content(BTreeMap<String, (String, Vec<u8>)>);

impl Content {
    fn put(&mut self, media_type: &str, bytes: &str) -> Digest {
        let digest = Digest::of(bytes.as_bytes());
        self.0.insert(digest.to_string(), (media_type.to_owned(), bytes.as_bytes().to_vec()));
        digest
    }

    fn tag(&mut self, tag: &str, digest: Digest) {
        let content = self.0[&digest.to_string()].clone();
        self.0.insert(tag.to_owned(), content);
    }

    fn image(&mut self, architecture: &str) -> (Digest, usize) {
        let config = format!(r#"{{"os":"linux","architecture":"{architecture}"}}"#);
        let config_digest = self.put("application/octet-stream", &config);
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config_digest}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","digest":"sha256:{}","size":7}}]}}"#,
            config.len(),
            "0".repeat(64)
        );
        (self.put(OCI_MANIFEST, &manifest), manifest.len())
    }

    fn index(&mut self, architectures: &[&str]) -> Digest {
        let mut entries = vec![format!(
            r#"{{"mediaType":"{OCI_MANIFEST}","digest":"sha256:{}","size":1,"platform":{{"os":"unknown","architecture":"unknown"}},"annotations":{{"vnd.docker.reference.type":"attestation-manifest"}}}}"#,
            "1".repeat(64)
        )];
        for architecture in architectures {
            let (digest, size) = self.image(architecture);
            entries.push(format!(
                r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":{size},"platform":{{"os":"linux","architecture":"{architecture}"}}}}"#
            ));
        }
        let text = format!("{{ \"schemaVersion\": 2,\n \"manifests\":[{}] }}\n", entries.join(","));
        self.put(OCI_INDEX, &text)
    }

    fn answer(&self, url: &str) -> Answer {
        match self.0.get(url.rsplit('/').next().unwrap()) {
            Some((media_type, bytes)) => (
                200,
                vec![
                    ("content-type", media_type.clone()),
                    ("docker-content-digest", Digest::of(bytes).to_string()),
                ],
                bytes.clone(),
            ),
            None => (404, Vec::new(), b"{}".to_vec()),
        }
    }
}

fn resolve(
    script: impl Fn(&str) -> Answer + Send + Sync + 'static,
    image: &str,
    architectures: &[Architecture],
) -> Result<ResolvedImage, String> {
    let server = Scripted::new(move |url: &str, _: Option<&str>| script(url));
    Puller::new(server, Registries::default(), Vec::new())
        .resolve(&image.parse().unwrap(), architectures)
        .map_err(|error| error.to_string())
}

#[test]
fn resolves_an_index_and_keeps_its_bytes() {
    let mut content = Content::default();
    let index = content.index(&["amd64", "arm64", "s390x"]);
    content.tag("v1", index);
    let served = content.clone();
    let image = resolve(move |url| served.answer(url), "r.io/a:v1", &BOTH).unwrap();
    assert_eq!(image.root.digest, index);
    assert_eq!(image.root.media_type, OCI_INDEX);
    let platforms: Vec<_> = image.platforms.iter().map(|p| p.architecture).collect();
    assert_eq!(platforms, [Architecture::X86_64, Architecture::Aarch64]);
    assert_eq!(image.platforms[0].layers.len(), 1);
    assert_eq!(image.documents.len(), 3);
    for (descriptor, bytes) in &image.documents {
        assert_eq!((Digest::of(bytes), bytes.len() as u64), (descriptor.digest, descriptor.size));
    }
}

#[test]
fn pulls_by_digest_and_keeps_the_tag_in_the_name() {
    let mut content = Content::default();
    let index = content.index(&["amd64"]);
    let name = format!("r.io/a:gone@{index}");
    let image = resolve(move |url| content.answer(url), &name, &[Architecture::X86_64]).unwrap();
    assert_eq!(image.source.to_string(), name);
    assert_eq!(image.root.digest, index);
}

#[test]
fn checks_the_platform_of_a_plain_manifest() {
    let mut content = Content::default();
    let (manifest, _) = content.image("amd64");
    content.tag("v1", manifest);
    let served = content.clone();
    let image =
        resolve(move |url| served.answer(url), "r.io/a:v1", &[Architecture::X86_64]).unwrap();
    assert_eq!((image.root.digest, image.platforms[0].manifest.digest), (manifest, manifest));
    assert_eq!(image.documents.len(), 2);
    let error = resolve(move |url| content.answer(url), "r.io/a:v1", &BOTH).unwrap_err();
    assert!(error.contains("nothing for linux/arm64; it has: linux/amd64"), "{error}");
}

/// A descriptor without a platform.
fn unplaced(media_type: &str, digest: Digest, size: usize) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
}

fn index_of(content: &mut Content, entries: &[String]) {
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    let digest = content.put(OCI_INDEX, &text);
    content.tag("v1", digest);
}

#[test]
fn an_entry_without_a_platform_is_what_its_configuration_says() {
    let mut content = Content::default();
    let (amd64, size) = content.image("amd64");
    let (arm64, other_size) = content.image("arm64");
    let entries = [(amd64, size), (arm64, other_size)]
        .map(|(digest, size)| unplaced(OCI_MANIFEST, digest, size));
    index_of(&mut content, &entries);
    let served = content.clone();
    let image =
        resolve(move |url| served.answer(url), "r.io/a:v1", &[Architecture::X86_64]).unwrap();
    assert_eq!(image.platforms[0].manifest.digest, amd64);
    // Both travel along, since containerd reads both.
    let digests: Vec<_> = image.unplaced.iter().map(|manifest| manifest.digest).collect();
    assert_eq!(digests, [amd64, arm64]);
    let kept = |digest| image.documents.iter().filter(|(own, _)| own.digest == digest).count();
    assert_eq!((image.documents.len(), kept(amd64), kept(arm64)), (4, 1, 1));
    // Only the first is looked at, as by containerd.
    let served = content.clone();
    let error = resolve(move |url| served.answer(url), "r.io/a:v1", &BOTH).unwrap_err();
    assert!(error.contains("nothing for linux/arm64; it has: linux/amd64"), "{error}");

    // Beside one that says its platform, it need be no image, but must be there.
    let artifact = r#"{"schemaVersion":2,"config":{"mediaType":"x/y","digest":"sha256:0","size":1},"layers":[]}"#;
    let digest = content.put(OCI_MANIFEST, artifact);
    let placed = format!(
        r#"{},"platform":{{"os":"linux","architecture":"amd64"}}}}"#,
        entries[0].trim_end_matches('}')
    );
    index_of(&mut content, &[unplaced(OCI_MANIFEST, digest, artifact.len()), placed.clone()]);
    let served = content.clone();
    let image =
        resolve(move |url| served.answer(url), "r.io/a:v1", &[Architecture::X86_64]).unwrap();
    assert_eq!((image.platforms[0].manifest.digest, image.unplaced[0].digest), (amd64, digest));
    for (entry, words) in [
        (unplaced(OCI_MANIFEST, Digest::of(b"gone"), 4), "404"),
        (unplaced(OCI_INDEX, digest, artifact.len()), "which containerd cannot import"),
    ] {
        index_of(&mut content, &[entry, placed.clone()]);
        let served = content.clone();
        let architectures = [Architecture::X86_64];
        let error =
            resolve(move |url| served.answer(url), "r.io/a:v1", &architectures).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_configuration_that_says_no_platform_is_taken_for_the_only_one_asked_for() {
    let mut content = Content::default();
    let config = r#"{"os":null,"rootfs":{}}"#;
    let digest = content.put("application/octet-stream", config);
    let manifest = format!(
        r#"{{"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":null}}"#,
        config.len()
    );
    let manifest = content.put(OCI_MANIFEST, &manifest);
    content.tag("v1", manifest);
    for architecture in BOTH {
        let served = content.clone();
        let image = resolve(move |url| served.answer(url), "r.io/a:v1", &[architecture]).unwrap();
        assert!(image.platforms[0].layers.is_empty() && image.unplaced.is_empty());
    }
    let error = resolve(move |url| content.answer(url), "r.io/a:v1", &BOTH).unwrap_err();
    assert!(error.contains("it has: unsaid/unsaid"), "{error}");
}

#[test]
fn names_what_is_wrong() {
    let mut content = Content::default();
    let index = content.index(&["amd64"]);
    content.tag("v1", index);
    let (other, _) = content.image("arm64");
    let by_digest = format!("r.io/a@{other}");
    let of_index = {
        let served = content.clone();
        move |url: &str| served.answer(url)
    };
    let error = resolve(of_index.clone(), "r.io/a:v1", &BOTH).unwrap_err();
    assert!(error.contains("nothing for linux/arm64; it has: linux/amd64"), "{error}");
    let error = resolve(of_index, "r.io/a:v2", &BOTH).unwrap_err();
    assert!(error.contains("r.io/a:v2") && error.contains("check the name and the tag"), "{error}");

    let changed = |change: fn(&mut Answer)| {
        let content = content.clone();
        move |url: &str| {
            let mut answer = content.answer(url);
            change(&mut answer);
            answer
        }
    };
    type Change = fn(&mut Answer);
    let cases: [(&str, Change, &str); 9] = [
        ("r.io/a:v1", |answer| answer.0 = 429, "too many pulls"),
        ("r.io/a:v1", |answer| answer.0 = 503, "trouble"),
        ("r.io/a:v1", |answer| answer.0 = 204, "status 204"),
        ("r.io/a:v1", |answer| answer.2 = b"<html>".to_vec(), "captive portal"),
        ("r.io/a:v1", |answer| answer.2.push(b' '), "Docker-Content-Digest"),
        ("r.io/a:v1", |answer| answer.1[0].1 = DOCKER_MANIFEST.to_owned(), "not have the fields"),
        ("r.io/a:v1", |answer| answer.2 = vec![b' '; MANIFEST_LIMIT as usize + 1], "larger than"),
        ("r.io/a:v1", |answer| answer.2 = b"null".to_vec(), "promised"),
        (
            &by_digest,
            |answer| {
                answer.1.pop();
                answer.2.push(b' ');
            },
            "was promised",
        ),
    ];
    for (image, change, words) in cases {
        let error = resolve(changed(change), image, &[Architecture::X86_64]).unwrap_err();
        assert!(error.contains(words) && error.contains("r.io"), "{words}: {error}");
    }
}

#[test]
fn a_manifest_must_be_the_one_that_the_index_names() {
    let mut content = Content::default();
    let index = content.index(&["amd64"]);
    content.tag("v1", index);
    let script = move |url: &str| {
        let mut answer = content.answer(url);
        if !url.ends_with("/v1") {
            answer.1.pop();
            answer.2 =
                answer.2.iter().map(|&byte| if byte == b'7' { b'8' } else { byte }).collect();
        }
        answer
    };
    let error = resolve(script, "r.io/a:v1", &[Architecture::X86_64]).unwrap_err();
    assert!(error.contains("was promised"), "{error}");
}

#[test]
fn asks_mirrors_first_and_then_upstream_and_lists_every_cause() {
    let mut content = Content::default();
    let index = content.index(&["amd64"]);
    content.tag("v1", index);
    let mirrors = vec!["https://m1.io".parse().unwrap(), "https://m2.io/p".parse().unwrap()];
    let registry = Registry { mirrors, ..Registry::default() };
    let registries = Registries::new(BTreeMap::from([("docker.io".to_owned(), registry)])).unwrap();
    let server = Scripted::new(move |url: &str, _: Option<&str>| match url {
        url if url.starts_with("https://m1.io/v2/a/b/") => (503, Vec::new(), Vec::new()),
        url if url.starts_with("https://registry-1.docker.io/v2/a/b/") => content.answer(url),
        _ => (404, Vec::new(), Vec::new()),
    });
    let puller = Puller::new(server.clone(), registries, Vec::new());
    let image = puller.resolve(&"a/b:v1".parse().unwrap(), &[Architecture::X86_64]).unwrap();
    assert_eq!(image.root.digest, index);
    assert_eq!(server.seen()[1], "- https://m2.io/v2/p/a/b/manifests/v1");
    let error = puller.resolve(&"a/b:v2".parse().unwrap(), &BOTH).unwrap_err().to_string();
    for words in ["from m1.io: ", "503", "from m2.io: ", "from registry-1.docker.io: "] {
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(puller.endpoints(&"a/b:v1".parse().unwrap()).unwrap().len(), 3);
}
