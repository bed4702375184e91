//! The page that `bundler report` writes: what it says, and what it lets nobody do.

mod browser;
mod in_browser;

use std::fs;
use std::os::unix::fs::symlink;

use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{CheckName, Descriptor, DisabledCheck, Edit, Lock, LockedImage, Why};
use bundle_format::signature::TrustedKeys;
use bundle_format::text::is_hidden;
use bundler::inspect::difference;
use serde_json::{Value, json};

use crate::hops;
use crate::hostile_bundle::{HOSTILE, described, rewritten};
use crate::support::demo::Demo;

/// What a browser would run, if it were on a page as it is.
const SCRIPT: &str = "</script></style><script>window.harm=1</script>\
                      <img src=x onerror=window.harm=1>\"' onload=window.harm=1 javascript:harm";

/// The demo's bundle as `demo.tar`.
fn built() -> Demo {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    demo
}

/// The page of a bundle.
fn page(demo: &Demo, arguments: &[&str]) -> String {
    demo.ok(&[&["report", "--output", "report.html"], arguments].concat());
    fs::read_to_string(demo.path("report.html")).unwrap()
}

/// The words of a page, without its elements.
fn words(page: &str) -> String {
    let (_, main) = page.split_once("</style>").unwrap();
    let text: String = main
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, text)| text))
        .collect::<Vec<_>>()
        .join("");
    text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
}

/// The ids of a page. None is there twice, or has a character that means something elsewhere.
fn ids(page: &str) -> Vec<&str> {
    let (_, body) = page.split_once("</style>").unwrap();
    let all: Vec<&str> =
        body.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    for id in &all {
        assert!(!id.is_empty() && id.chars().all(is_plain), "{id:?}");
        assert_eq!(all.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
    all
}

/// Puts hostile texts wherever a bundle can have a text.
fn make_hostile(demo: &Demo) {
    let text = format!("{SCRIPT}{HOSTILE}");
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    let labels = json!({"org.opencontainers.image.licenses": text});
    let configuration = serde_json::to_vec(&json!({"config": {"Labels": labels}})).unwrap();
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let mut image = bundle.lock().images[0].clone();
    let documents = configure(&bundle, &mut image, &configuration);
    let mut package = Vec::new();
    let licence = format!("GPL {plain}");
    let builder = rpm::PackageBuilder::new("a", "1", &licence, "noarch", "a").build().unwrap();
    builder.write(&mut package).unwrap();
    let change = |lock: &mut Lock| {
        lock.warnings.push(format!("{plain}\nsecond line"));
        lock.warnings
            .extend(["manifest a: alike", "other", "manifest b: alike"].map(str::to_owned));
        lock.disabled_checks.push(DisabledCheck {
            check: CheckName::PlainHttp,
            subject: plain.clone(),
            reason: plain.clone(),
        });
        let rpm = &mut lock.rpms[0];
        (rpm.digest, rpm.size) = {
            let content = described("", &package);
            (content.digest, content.size)
        };
        rpm.why = vec![Why::Requires { package: rpm.package.clone(), requirement: plain.clone() }];
        lock.targets[0].baseline = plain.clone();
        lock.targets[0].repositories[0].revision = Some(plain.clone());
        lock.images[0] = image;
        lock.manifests[0].source = plain.clone();
        lock.manifests[0].patches = vec![Edit {
            patch: plain.clone(),
            line: 1,
            from: format!("{plain}\n"),
            to: plain.clone(),
        }];
    };
    rewritten(demo, change, &[vec![package.clone(), configuration.clone()], documents].concat());
}

/// Gives an image this configuration. Returns its documents that name it.
fn configure(bundle: &Bundle, image: &mut LockedImage, configuration: &[u8]) -> Vec<Vec<u8>> {
    let change = |blob: &mut Descriptor, change: &dyn Fn(&mut Value)| {
        let mut document = serde_json::from_slice(&bundle.read(blob).unwrap()).unwrap();
        change(&mut document);
        let document = serde_json::to_vec(&document).unwrap();
        *blob = described(&blob.media_type, &document);
        document
    };
    let name = |entry: &mut Value, blob: &Descriptor| {
        (entry["digest"], entry["size"]) = (json!(blob.digest), json!(blob.size));
    };
    let platform = &mut image.platforms[0];
    platform.config = described(&platform.config.media_type, configuration);
    let before = platform.manifest.clone();
    let config = platform.config.clone();
    let manifest = change(&mut platform.manifest, &|own| name(&mut own["config"], &config));
    if image.root == before {
        image.root = platform.manifest.clone();
        return vec![manifest];
    }
    let (old, new) = (json!(before.digest), platform.manifest.clone());
    let index = change(&mut image.root, &|own| {
        let all = own["manifests"].as_array_mut().unwrap();
        name(all.iter_mut().find(|entry| entry["digest"] == old).unwrap(), &new);
    });
    vec![manifest, index]
}

#[test]
fn it_answers_what_changed_who_vouches_and_what_worries() {
    let demo = built();
    let html = page(&demo, &["demo.tar"]);
    // As many as in the list, though what several images have in common has a tile of its own.
    let legend = ["Packages</th><td class=\"number\">30<", "Images</th><td class=\"number\">12<"];
    assert!(legend.iter().all(|row| html.contains(row)), "{html}");
    let alone = words(&html);
    for said in [
        "It installs Kubernetes 1.28.2 with containerd 1.6.25 on machines without internet: \
         el9-x86_64.",
        "It has 30 packages, 12 images, 2 manifests and 3 keys, in ",
        "This page was made without an older bundle",
        "For 30 of 47 things, a vendor's key vouches.",
        "For 10 things, nobody vouches.",
        "1 check is switched off; the reasons are below. TLS (plainHttp) for ",
        "the demo's registry is on this machine",
        "calico",
        "Apache-2.0",
        "The signature of the bundle itself was not checked, because no key was given for this \
         page. --trusted-key FILE checks it. Until then, a signature beside the bundle proves \
         nothing, and neither does the number of its key (key id): anybody can choose that number.",
        "Nothing says who made it, and when: the bundle itself does not, and its signature was not \
         checked.",
        "Signature not checked: no key was given",
        "The signature of the bundle was not checked, because no key was given: --trusted-key",
        "What is there to worry about? 5 worries",
        "Warnings of bundler lock4 warnings",
        "The list that bundler made from the spec",
    ] {
        assert!(alone.contains(said), "{said}\n{alone}");
    }
    // Where a reviewer looks first, warnings and reasons have their words.
    let (_, rest) = alone.split_once("What is there to worry about?").unwrap();
    let (worries, _) = rest.split_once("On this page").unwrap();
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    assert_eq!(bundle.lock().warnings.len(), 4);
    let reason = ": it may have come without TLS (plainHttp) for ";
    assert!(worries.contains("For 10 things, nobody vouches:") && worries.contains(reason));
    assert!(!alone.contains("a check is off, or"), "{alone}");
    for warning in &bundle.lock().warnings {
        let words = warning.split_once(": ").map_or(&**warning, |(_, words)| words);
        assert!(worries.contains(words), "{words}\n{worries}");
    }
    fs::rename(demo.path("demo.tar"), demo.path("old.tar")).unwrap();
    demo.ok(&["keygen", "--no-password", "site"]);
    demo.ok(&["sign", "old.tar", "--key", "site"]);
    let spec = demo
        .spec()
        .replace("  - name: ingress-nginx\n    url: URL/manifests/ingress-nginx.yaml\n", "");
    demo.write_spec(&spec);
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "--locked"]);
    demo.ok(&["sign", "demo.tar", "--key", "site"]);
    let arguments = ["demo.tar", "--against", "old.tar", "--trusted-key", "site.pub"];
    let compared = words(&page(&demo, &arguments));
    for said in ["Gone: ", "1 manifest", "What changed, one by one", " by the same key."] {
        assert!(compared.contains(said), "{said}\n{compared}");
    }
    // The file has the whole key, and the trusted comment says when.
    let file = fs::read_to_string(demo.path("site.pub")).unwrap();
    let public = file.lines().nth(1).unwrap();
    let keys = TrustedKeys::read(&[demo.path("site.pub")]).unwrap();
    let bundle = Bundle::open_trusted(&demo.path("demo.tar"), &keys).unwrap();
    let signed = bundle.signed().unwrap();
    let moment = signed.moment().unwrap();
    assert!(moment.ends_with(" UTC"), "{moment}");
    for said in [
        format!("Signed by the public key {public} on {moment}"),
        format!("A key signed it on {moment}."),
        format!(
            "The bundle itself was signed on {moment} by the public key {public}. Compare the \
             whole key with the one that you got by another way than the bundle and this page. \
             Its number (key id), {}, proves nothing: anybody can make a key with this number.",
            signed.key
        ),
    ] {
        assert!(compared.contains(&said), "{said}\n{compared}");
    }
    for not in ["Nothing says who", "not checked, because no key", "dated in the future"] {
        assert!(!compared.contains(not), "{not}\n{compared}");
    }
    let digest = |name: &str| {
        let verified = demo.ok(&["verify", "--quiet", name]);
        verified.trim_end().rsplit("sha256:").next().unwrap().to_owned()
    };
    // The digests are in groups, and a copy has no space in it.
    assert!(compared.contains(&digest("demo.tar")) && compared.contains(&digest("old.tar")));
}

/// A tag that was moved, and a package that somebody made again.
#[test]
fn the_same_version_with_other_bytes_is_the_first_worry() {
    let demo = built();
    let mut package = Vec::new();
    let builder = rpm::PackageBuilder::new("a", "1", "GPL", "noarch", "a").build().unwrap();
    builder.write(&mut package).unwrap();
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let is_single = |one: &&LockedImage| one.root == one.platforms[0].manifest;
    let single = bundle.lock().images.iter().find(is_single).unwrap().clone();
    let mut document = bundle.read(&single.root).unwrap();
    document.push(b'\n');
    let change = |lock: &mut Lock| {
        let rpm = &mut lock.rpms[0];
        let content = described("", &package);
        (rpm.digest, rpm.size) = (content.digest, content.size);
        let image = lock.images.iter_mut().find(|one| one.name == single.name).unwrap();
        image.root = described(&single.root.media_type, &document);
        image.platforms[0].manifest = image.root.clone();
    };
    rewritten(&demo, change, &[package.clone(), document.clone()]);
    let compared = words(&page(&demo, &["other.tar", "--against", "demo.tar"]));
    let (_, worries) = compared.split_once("What is there to worry about?").unwrap();
    let rpm = &bundle.lock().rpms[0].package;
    let said = format!(
        " 6 worries2 things have the same version as in the bundle before and other content: \
         {rpm} for el9-x86_64 and {}.",
        single.name
    );
    assert!(worries.starts_with(&said), "{said}: {worries}");
    assert!(compared.contains("Same version, new bytes: 1 package and 1 image."), "{compared}");
    assert_eq!(compared.matches("same version, new bytes").count(), 2, "{compared}");
    assert!(!compared.to_lowercase().contains("other version"), "{compared}");
    let bill = bundle.sbom().unwrap().descriptor.digest.hex();
    assert!(words(&page(&demo, &["demo.tar"])).contains(&bill));
    let changed = demo.ok(&["diff", "--json", "demo.tar", "other.tar"]);
    assert_eq!(changed.matches("\"otherContent\": ").count(), 2, "{changed}");
}

/// A check that somebody has switched off since the bundle before.
#[test]
fn a_check_that_is_newly_off_is_no_good_news() {
    let demo = built();
    let off = DisabledCheck {
        check: CheckName::Gpgcheck,
        subject: "el9-x86_64/kubernetes".to_owned(),
        reason: "the key is lost".to_owned(),
    };
    let change = |lock: &mut Lock| {
        lock.disabled_checks.push(off);
        let all = &mut lock.targets[0].repositories;
        all.iter_mut().find(|own| own.id == "kubernetes").unwrap().keys.clear();
    };
    rewritten(&demo, change, &[]);
    let html = page(&demo, &["other.tar", "--against", "demo.tar"]);
    assert!(html.contains("<span class=\"mark bytes\">switched off</span>"), "{html}");
    let said = words(&html);
    let off = "2 checks are switched off; the reasons are below. Not off in the bundle before: \
               signatures of packages (gpgcheck) for el9-x86_64/kubernetes. Off in the bundle \
               before, too: TLS (plainHttp) for ";
    assert!(said.contains(off), "{said}");
    // The installer makes one repository of all.
    let on_nodes = "Nodes of el9-x86_64 check no signature of any package (gpgcheck=0), because \
                    gpgcheck is off for the repository kubernetes, and on a node all packages are in \
                    one repository.";
    let each = "Each node of el9-x86_64 installs all packages of the bundle with gpgcheck=0";
    assert!(said.contains(on_nodes) && said.contains(each), "{said}");
    let unchecked = "Nobody has checked the own signature of ";
    assert!(said.contains(unchecked) && said.contains("kubelet-1.28.2"), "{said}");
    assert!(said.contains("0 B of its packages, images and files are new, and "), "{said}");
    // The repository's own key has still signed its list.
    for row in [
        "none for its packages, because gpgcheck is off",
        "not checked, because gpgcheck is off; the signed list has their digests",
    ] {
        assert!(said.contains(row), "{row}\n{said}");
    }
    let back = page(&demo, &["demo.tar", "--against", "other.tar"]);
    assert!(back.contains("<span class=\"mark new\">on again</span>"), "{back}");
    assert!(
        !words(&back).contains("Not off in the bundle before")
            && !words(&back).contains("gpgcheck=0")
    );
}

/// A manifest may name an image by a tag and a digest.
#[test]
fn a_tag_that_was_moved_is_a_worry_also_with_its_digest_behind_it() {
    let demo = built();
    let lock = Bundle::open(&demo.path("demo.tar")).unwrap().lock().clone();
    let at = |bytes: &[u8]| {
        let (mut lock, digest) = (lock.clone(), Digest::of(bytes));
        let image = &mut lock.images[0];
        image.name = image.name.pinned(digest);
        image.root.digest = digest;
        lock
    };
    let other = |from: &Lock, to: &Lock| {
        let changes = difference::of_locks(from, to).changes;
        assert_eq!(changes.len(), 1);
        assert!(!changes[0].other_version);
        changes[0].other_content.clone()
    };
    assert_eq!(other(&at(b"a"), &at(b"b")), Some(lock.images[0].name.to_string()));
    // Only the digest was added.
    let mut pinned = lock.clone();
    pinned.images[0].name = lock.images[0].name.pinned(lock.images[0].root.digest);
    assert_eq!(other(&lock, &pinned), None);
    let mut newer = lock.clone();
    newer.images[0].name = format!("{}:newer", lock.images[0].name.name()).parse().unwrap();
    newer.images[0].root.digest = Digest::of(b"newer");
    let changes = difference::of_locks(&lock, &newer).changes;
    assert!(changes[0].other_version && changes[0].other_content.is_none(), "{changes:?}");
}

#[test]
fn it_has_all_that_the_audit_has_of_the_releases_in_between_too() {
    let Some(demo) = hops::start() else { return };
    demo.ok(&["build", "-q"]);
    let audit: Value = serde_json::from_str(&demo.ok(&["audit", "--json", "demo.tar"])).unwrap();
    let page = page(&demo, &["demo.tar"]);
    let things = audit["audited"].as_array().unwrap().len();
    assert_eq!(page.matches("<small><code>sha256:").count(), things);
    let words = words(&page);
    for said in
        ["It also brings older clusters to that release, through ", "only on the way through"]
    {
        assert!(words.contains(said), "{said}\n{words}");
    }
}

#[test]
fn the_same_bundle_gives_the_same_page_that_needs_nothing_else() {
    let demo = built();
    let first = page(&demo, &["demo.tar"]);
    assert!(first == page(&demo, &["demo.tar"]));
    // Each thing has a link to itself.
    let all = ids(&first);
    let things = all.iter().filter(|id| first.contains(&format!("<a href=\"#{id}\">"))).count();
    assert!(things >= 47, "{all:?}");
    let links = first.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    for link in links {
        assert!(all.contains(&link), "{link} leads nowhere");
    }
    for loads in [" src=", "<link", "@import", "url(", "<iframe", "<object", "<form", "style=\""] {
        assert!(!first.contains(loads), "{loads}");
    }
    assert!(first.contains("default-src 'none'; style-src 'sha256-"), "{first}");
    assert!(!first.contains("unsafe-inline"));
    assert!(first.split("href=\"").skip(1).all(|link| link.starts_with('#')));
}

#[test]
fn texts_of_others_are_neither_obeyed_nor_hidden() {
    let demo = built();
    make_hostile(&demo);
    let page = page(&demo, &["other.tar"]);
    assert!(!page.contains("<img") && !page.contains("<script>window"));
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(!page.contains(|c: char| is_hidden(c) && c != '\n'));
    assert!(page.contains("<span class=\"hidden\">U+202E</span>"));
    assert!(words(&page).matches("window.harm=1").count() > 8);
    ids(&page);
    assert!(words(&page).contains("manifest a and manifest b: alike"), "{}", words(&page));
    // A package that its vendor did not sign so.
    assert!(words(&page).contains("nobody"), "{}", words(&page));
}

#[test]
fn a_folder_that_is_missing_is_named_by_all_that_write() {
    let demo = built();
    let commands: [&[&str]; 5] = [
        &["report", "-q", "demo.tar", "--output", "nowhere/x"],
        &["sbom", "demo.tar", "--output", "nowhere/x"],
        &["build", "-q", "--locked", "--output", "nowhere/x"],
        &["keygen", "--no-password", "nowhere/x"],
        &["init", "nowhere/x"],
    ];
    for command in commands {
        let error = demo.fails(command);
        assert!(error.contains("the folder nowhere does not exist: make it first"), "{error}");
    }
}

/// Whoever mistypes `--output` loses nothing.
#[test]
fn a_document_replaces_only_one_of_its_kind() {
    let demo = built();
    demo.ok(&["keygen", "--no-password", "site"]);
    demo.ok(&["sign", "demo.tar", "--key", "site"]);
    symlink("demo.tar", demo.path("link.html")).unwrap();
    let page = ["report", "-q", "demo.tar", "--output"];
    let bill = ["sbom", "demo.tar", "--output"];
    let all =
        ["demo.tar", "link.html", "site", "site.pub", "demo.tar.minisig", "bundle.yaml.lock.json"];
    for name in all {
        let before = fs::read(demo.path(name)).unwrap();
        for (command, kind) in
            [(&page[..], "page of `bundler report`"), (&bill, "bill of materials")]
        {
            let error = demo.fails(&[command, &[name]].concat());
            let is_read = ["demo.tar", "link.html"].contains(&name);
            let said = match is_read {
                true => format!("demo.tar is read here, and the new {kind} would replace it: "),
                false => format!("{name} exists, and it is no {kind}: "),
            };
            assert!(error.contains(&format!("{said}name another file")), "{said}: {error}");
            assert!(fs::read(demo.path(name)).unwrap() == before, "{name}");
        }
    }
    fs::create_dir(demo.path("folder")).unwrap();
    fs::write(demo.path("empty"), "").unwrap();
    for command in [&page[..], &bill] {
        let error = demo.fails(&[command, &["folder"]].concat());
        assert!(error.contains("it is a folder; name a file in it"), "{error}");
        for _ in 0..2 {
            demo.ok(&[command, &["again"]].concat());
        }
        fs::remove_file(demo.path("again")).unwrap();
        demo.ok(&[command, &["/dev/null"]].concat());
        demo.ok(&[command, &["empty"]].concat());
        fs::write(demo.path("empty"), "").unwrap();
    }
}

#[test]
fn what_is_no_bundle_gives_no_page() {
    let demo = Demo::start();
    fs::write(demo.path("demo.tar"), "no bundle").unwrap();
    demo.fails(&["report", "demo.tar", "--output", "report.html"]);
    assert!(!demo.path("report.html").exists());
}
