//! Deltas: a bundle without what its receiver has, and the whole bundle made of it again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bundle_format::archive::reader::Bundle;
use bundle_format::have::Have;
use bundle_format::{Digest, layout};
use upstream::Upstream;

use crate::support::demo::Demo;
use crate::support::stock::{Containerd, has, is_root, succeeded};

/// The size of the largest image of the bundles here, in MiB.
const LARGE: u64 = 8;

/// The spec with the large image.
fn with_large(demo: &Demo, spec: &str) -> String {
    let image = format!("images: [\"{}/large:latest\"]\n", demo.upstream.host());
    spec.replace("registries:\n", &format!("{image}registries:\n"))
}

/// A folder with the bundle `old.tar`, with the spec of a second one that has one more
/// manifest, with the images of that, and with this one built whole as `whole.tar`.
fn built() -> Demo {
    let demo = Demo::of(Upstream::start_with_large_image(LARGE).unwrap());
    let spec = with_large(&demo, &demo.spec());
    let added = "  - name: ingress-nginx\n    url: URL/manifests/ingress-nginx.yaml\n";
    demo.write_spec(&spec.replace(added, ""));
    demo.ok(&["build", "-q", "-o", "old.tar"]);
    demo.write_spec(&spec);
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "-o", "whole.tar"]);
    demo
}

fn read(demo: &Demo, name: &str) -> Vec<u8> {
    fs::read(demo.path(name)).unwrap()
}

fn blobs(path: &Path) -> BTreeSet<Digest> {
    Bundle::open(path).unwrap().digests().collect()
}

/// The bytes of an entry of an archive.
fn entry(demo: &Demo, archive: &str, name: &str) -> Option<(usize, Vec<u8>)> {
    let bytes = read(demo, archive);
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes())?;
    let size = String::from_utf8_lossy(&bytes[at + 124..at + 135]).into_owned();
    let size = usize::from_str_radix(&size, 8).unwrap();
    Some((at + 512, bytes[at + 512..at + 512 + size].to_vec()))
}

const LIST: &str = "kubeferry-absent.json";

#[test]
fn a_second_bundle_travels_as_what_is_new_and_becomes_whole_again() {
    let demo = built();
    let said = demo.run(&["build", "-q", "--against", "old.tar"]);
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success() && told.contains("\nleft out: "), "{told}");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "demo.delta.tar\n");

    // Its size is that of what is new.
    let whole = Bundle::open(&demo.path("whole.tar")).unwrap();
    let old = blobs(&demo.path("old.tar"));
    let blobs_of_whole = whole.layout().unwrap().blobs;
    let new = blobs_of_whole.iter().filter(|blob| !old.contains(&blob.digest));
    let new: u64 = new.map(|blob| blob.size).sum();
    let size = read(&demo, "demo.delta.tar").len() as u64;
    assert!(size >= new && size - new < 1_000_000, "{size} bytes for {new} new ones");
    assert!(size < 1_000_000 && whole.length() > LARGE << 20, "{size} of {}", whole.length());
    // Its index is the same, so that a signature of one is good for the other.
    let delta = Bundle::open(&demo.path("demo.delta.tar")).unwrap();
    assert_eq!(delta.index_digest(), whole.index_digest());
    assert!(entry(&demo, "whole.tar", LIST).is_none());

    let verified = demo.ok(&["verify", "-q", "demo.delta.tar"]);
    assert!(verified.starts_with("good: "), "{verified}");
    assert!(verified.contains("\nit is a delta, which lacks "), "{verified}");
    assert!(verified.contains("\nregistry.k8s.io/pause:3.9 (sha256:"), "{verified}");
    let both = ["verify", "-q", "--bundle", "demo.delta.tar", "--bundle", "old.tar"];
    assert_eq!(demo.ok(&both), demo.ok(&["verify", "-q", "whole.tar"]));

    // From the older bundle, with an empty cache.
    fs::rename(demo.path("cache"), demo.path("kept")).unwrap();
    let made = ["complete", "-q", "demo.delta.tar", "--bundle", "old.tar", "-o", "again.tar"];
    assert_eq!(demo.ok(&made), "again.tar\n");
    assert!(read(&demo, "again.tar") == read(&demo, "whole.tar"));
    let error = demo.fails(&["complete", "-q", "demo.delta.tar", "-o", "third.tar"]);
    assert!(error.contains("name a bundle that has it with --bundle"), "{error}");
    assert!(error.contains("registry.k8s.io/pause:3.9 (sha256:"), "{error}");
    assert!(!demo.path("third.tar").exists());
    // From the cache.
    fs::remove_dir_all(demo.path("cache")).unwrap();
    fs::rename(demo.path("kept"), demo.path("cache")).unwrap();
    demo.ok(&["complete", "-q", "demo.delta.tar", "-o", "third.tar"]);
    assert!(read(&demo, "third.tar") == read(&demo, "whole.tar"));
}

/// The older stick is the worse one.
#[test]
fn the_older_bundle_is_repaired_by_its_own_parity_file() {
    let demo = built();
    demo.ok(&["build", "-q", "--against", "old.tar", "--parity", "10%"]);
    demo.ok(&["parity", "-q", "old.tar", "--parity", "10%"]);
    let mut old = read(&demo, "old.tar");
    let (begin, length) = (old.len() / 2, old.len() / 20);
    // A part of a layer, and the header of the first file.
    old[begin..begin + length].fill(0);
    old[..200].fill(0);
    fs::write(demo.path("old.tar"), &old).unwrap();
    let both = ["verify", "-q", "--bundle", "demo.delta.tar", "--bundle", "old.tar"];
    assert_eq!(demo.ok(&both), demo.ok(&["verify", "-q", "whole.tar"]));
    let made = ["complete", "-q", "demo.delta.tar", "--bundle", "old.tar", "-o"];
    for input in ["old.tar", "demo.delta.tar"] {
        let error = demo.fails(&[&made[..], &[input]].concat());
        assert!(error.contains("the new bundle would replace it"), "{error}");
    }
    fs::rename(demo.path("cache"), demo.path("kept")).unwrap();
    demo.ok(&[&made[..], &["again.tar"]].concat());
    assert!(read(&demo, "again.tar") == read(&demo, "whole.tar"));
    // The delta's own parity file is of no other file with the same index.
    fs::copy(demo.path("demo.delta.tar.parity"), demo.path("whole.tar.parity")).unwrap();
    assert!(demo.ok(&["verify", "-q", "whole.tar"]).starts_with("good: "));
    fs::remove_dir_all(demo.path("cache")).unwrap();
    fs::rename(demo.path("kept"), demo.path("cache")).unwrap();
    let said = demo.run(&["build", "-q", "-o", "demo.delta.tar"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("demo.delta.tar.parity is of another bundle"), "{said}");
}

#[test]
fn a_new_image_travels_by_its_own_size() {
    let demo = Demo::of(Upstream::start_with_large_image(LARGE).unwrap());
    demo.ok(&["build", "-q"]);
    demo.write_spec(&with_large(&demo, &demo.spec()));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "--against", "demo.tar"]);
    let size = read(&demo, "demo.delta.tar").len() as u64;
    assert!(size.abs_diff(LARGE << 20) < 1_000_000, "{size}");
}

#[test]
fn every_command_takes_a_delta_or_says_that_it_needs_the_whole_bundle() {
    let demo = built();
    demo.ok(&["build", "-q", "--against", "old.tar"]);
    let delta = "demo.delta.tar";
    assert!(demo.ok(&["inspect", delta]).contains("\ndelta       without "));
    assert_eq!(
        demo.ok(&["inspect", "--json", delta]),
        demo.ok(&["inspect", "--json", "whole.tar"])
    );
    assert!(demo.ok(&["diff", delta, "whole.tar"]).starts_with("0 changes, 0 B"));
    assert_eq!(demo.ok(&["diff", "old.tar", delta]), demo.ok(&["diff", "old.tar", "whole.tar"]));
    assert_eq!(demo.ok(&["sbom", delta]), demo.ok(&["sbom", "whole.tar"]));
    assert_eq!(demo.ok(&["why", "pause", delta]), demo.ok(&["why", "pause", "whole.tar"]));
    let listed = |bundle| demo.ok(&["extract", "--list", bundle]);
    assert_eq!(listed(delta), listed("whole.tar"));
    demo.ok(&["extract", "-C", "out", "--kind", "manifests", delta]);
    let error = demo.fails(&["extract", "-C", "rpms", "--kind", "rpms", delta]);
    assert!(error.contains("is not in the bundle, which is a delta"), "{error}");
    for command in [
        &["audit", delta][..],
        &["report", delta, "-o", "page.html"],
        &["serve", delta, "--listen", "127.0.0.1:0"],
        &["push", delta, "oci://127.0.0.1:1/a/b:1"],
    ] {
        let error = demo.fails(command);
        assert!(error.contains("demo.delta.tar is a delta, which lacks "), "{error}");
        assert!(error.contains("`bundler complete` makes the whole bundle"), "{error}");
    }
}

#[test]
fn bundles_that_do_not_help_are_refused() {
    let demo = built();
    demo.ok(&["build", "-q", "--against", "old.tar"]);
    let error = demo.fails(&["verify", "-q", "--bundle", "whole.tar", "--bundle", "old.tar"]);
    assert!(error.contains("whole.tar is whole, so no other bundle is needed"), "{error}");
    let twice = ["verify", "-q", "--bundle", "demo.delta.tar", "--bundle", "demo.delta.tar"];
    let error = demo.fails(&twice);
    assert!(error.contains("has nothing that demo.delta.tar lacks"), "{error}");
    let error = demo.fails(&["build", "-q", "--against", "old.tar", "-o", "old.tar"]);
    assert!(error.contains("the new bundle would replace it"), "{error}");
    // Two deltas, each of which has what the other lacks.
    demo.ok(&["build", "-q", "--against", "demo.delta.tar", "-o", "rest.tar"]);
    let both = ["verify", "-q", "--bundle", "rest.tar", "--bundle", "demo.delta.tar"];
    assert_eq!(demo.ok(&both), demo.ok(&["verify", "-q", "whole.tar"]));
    // Against itself: documents stay.
    demo.ok(&["build", "-q", "--against", "whole.tar", "-o", "nothing.tar"]);
    assert!(read(&demo, "nothing.tar").len() < 1_000_000);
    demo.ok(&["verify", "-q", "nothing.tar"]);
    // What a bundle that is named too has is checked as all else.
    let mut bytes = read(&demo, "old.tar");
    // In a layer of the large image.
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(demo.path("bad.tar"), bytes).unwrap();
    let error = demo.fails(&["verify", "-q", "--bundle", "demo.delta.tar", "--bundle", "bad.tar"]);
    assert!(error.contains("do not use this bundle") && error.contains("in bad.tar"), "{error}");
    let made = ["complete", "-q", "demo.delta.tar", "--bundle", "bad.tar", "-o", "no.tar"];
    demo.fails(&made);
    assert!(!demo.path("no.tar").exists());
}

#[test]
fn a_list_that_was_altered_or_lies_is_refused() {
    let demo = built();
    demo.ok(&["build", "-q", "--against", "old.tar"]);
    let good = read(&demo, "demo.delta.tar");
    let (at, list) = entry(&demo, "demo.delta.tar", LIST).unwrap();
    let refused = |bytes: &[u8], words: &str| {
        fs::write(demo.path("odd.tar"), bytes).unwrap();
        let error = demo.fails(&["verify", "-q", "odd.tar"]);
        assert!(error.contains(words), "{words}: {error}");
    };
    // Each of its bytes, a few at a time.
    for offset in (at..at + list.len()).step_by(97) {
        let mut bytes = good.clone();
        bytes[offset] ^= 1;
        refused(&bytes, "what it lacks");
    }
    // A bundle that lacks a blob, and does not say so.
    let missing = {
        let start = at - 512;
        let end = at + list.len().next_multiple_of(512);
        [&good[..start], &good[end..]].concat()
    };
    refused(&missing, "it is missing");
    // A whole bundle that says that it lacks something.
    let whole = read(&demo, "whole.tar");
    let (index, own) = entry(&demo, "whole.tar", "index.json").unwrap();
    let behind = index + own.len().next_multiple_of(512);
    let listed = &good[at - 512..at + list.len().next_multiple_of(512)];
    let lying = [&whole[..behind], listed, &whole[behind..]].concat();
    refused(&lying, ", which it says it lacks");
}

#[test]
fn a_delta_may_be_signed_and_cut_into_parts() {
    let demo = built();
    demo.ok(&["keygen", "--no-password", "site"]);
    let cut = ["build", "-q", "--against", "old.tar", "--split", "200KiB", "--sign", "site"];
    demo.ok(&cut);
    assert!(demo.path("demo.delta.tar.minisig").is_file() && !demo.path("demo.delta.tar").exists());
    let by_key = ["--trusted-key", "site.pub"];
    let said = demo.ok(&[&["verify", "-q", "demo.delta.tar"][..], &by_key].concat());
    assert!(said.starts_with("signed: ") && said.contains("it is a delta"), "{said}");
    let made = ["complete", "-q", "demo.delta.tar", "--bundle", "old.tar", "-o", "again.tar"];
    // The older bundle needs no signature: its blobs are checked by the digests of this one.
    demo.ok(&[&made[..], &by_key].concat());
    assert!(read(&demo, "again.tar") == read(&demo, "whole.tar"));
    demo.ok(&[&["verify", "-q", "again.tar"][..], &by_key].concat());
    // A signature of another bundle is not carried along.
    demo.ok(&["sign", "old.tar", "--key", "site"]);
    fs::copy(demo.path("old.tar.minisig"), demo.path("demo.delta.tar.minisig")).unwrap();
    let made = ["complete", "demo.delta.tar", "--bundle", "old.tar", "-o", "third.tar"];
    let output = demo.run(&made);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("signature of another bundle"), "{said}");
    assert!(!demo.path("third.tar.minisig").exists());
}

#[test]
fn a_delta_has_hops_too() {
    let Some(demo) = crate::hops::start() else { return };
    demo.ok(&["build", "-q", "-o", "whole.tar"]);
    demo.ok(&["build", "-q", "--against", "whole.tar", "-o", "nothing.tar"]);
    let nothing = Bundle::open(&demo.path("nothing.tar")).unwrap();
    let lacks = nothing.lacking().count();
    let of_hop = &nothing.lock().hops[0].rpms[0];
    assert!(nothing.lacks(of_hop.digest) && lacks > nothing.lock().rpms.len());
    let made = ["complete", "-q", "nothing.tar", "--bundle", "whole.tar", "-o", "again.tar"];
    demo.ok(&made);
    assert!(read(&demo, "again.tar") == read(&demo, "whole.tar"));
}

#[test]
fn what_all_nodes_have_is_left_out() {
    let demo = built();
    let old = blobs(&demo.path("old.tar"));
    let write = |name: &str, blobs: BTreeSet<Digest>| {
        let have = Have { node: name.to_owned(), blobs };
        fs::write(demo.path(name), have.text().unwrap()).unwrap();
    };
    let lacking = |bundle: &str| -> BTreeSet<Digest> {
        Bundle::open(&demo.path(bundle)).unwrap().lacking().map(|(digest, _)| digest).collect()
    };
    let told = demo.run(&["build", "-q", "--against", "old.tar", "-o", "against.tar"]);
    assert!(told.status.success());
    let all = lacking("against.tar");
    let half: Vec<Digest> = all.iter().copied().collect();
    let (first, rest) = half.split_at(half.len() / 2);
    let [first, rest] = [first, rest].map(|part| part.iter().copied().collect::<BTreeSet<_>>());

    write("all.json", old.clone());
    demo.ok(&["build", "-q", "--have", "all.json"]);
    assert!(read(&demo, "demo.delta.tar") == read(&demo, "against.tar"));
    // Of several, what all have; a file of a bundle is another way to have it.
    write("first.json", first.clone());
    write("rest.json", rest.clone());
    demo.ok(&["build", "-q", "--have", "all.json", "--have", "first.json"]);
    assert_eq!(lacking("demo.delta.tar"), first);
    let both = ["build", "-q", "--have", "first.json", "--have", "rest.json"];
    let told = demo.run(&both);
    assert!(told.status.success());
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("nothing was left out: this is the whole bundle"), "{told}");
    assert!(read(&demo, "demo.delta.tar") == read(&demo, "whole.tar"));
    demo.ok(&[&both[..], &["--against", "old.tar"]].concat());
    assert!(read(&demo, "demo.delta.tar") == read(&demo, "against.tar"));

    let text = fs::read_to_string(demo.path("all.json")).unwrap();
    fs::write(demo.path("odd.json"), text.replace("sha256:", "sha1:")).unwrap();
    let error = demo.fails(&["build", "-q", "--have", "odd.json"]);
    assert!(error.contains("--have odd.json"), "{error}");
    assert!(error.contains("it is no list of `installer inventory --blobs`:"), "{error}");
    assert!(error.contains("\n    blobs[1]: sha1:"), "{error}");
}

/// What a real containerd says that it has is left out, and it takes the rest without it.
#[test]
fn a_containerd_takes_images_without_the_layers_that_it_has() {
    if !has("containerd") || !has("ctr") || !is_root() {
        println!("skipped: containerd needs root");
        return;
    }
    let demo = built();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [containerd, bare] = folders.each_ref().map(|folder| Containerd::start(folder.path()));
    let path = |name: &str| demo.path(name).display().to_string();
    let import =
        |name: &str| ["images", "import", "--platform", "linux/amd64", name].map(str::to_owned);
    let run = |containerd: &Containerd, words: &[String]| {
        containerd.ctr(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    succeeded(&run(&containerd, &import(&path("old.tar"))));
    let said = succeeded(&containerd.ctr(&["content", "ls", "--quiet"]));
    let blobs = said.lines().map(|line| line.parse().unwrap()).collect();
    let have = Have { node: "node-1".to_owned(), blobs }.text().unwrap();
    fs::write(demo.path("have.json"), have).unwrap();
    demo.ok(&["build", "-q", "--have", "have.json"]);
    let delta = import(&path("demo.delta.tar"));
    assert!(read(&demo, "demo.delta.tar").len() < 1_000_000);
    succeeded(&run(&containerd, &delta));
    let checked = succeeded(&containerd.ctr(&["images", "check"]));
    let lock = Bundle::open(&demo.path("demo.delta.tar")).unwrap().lock().clone();
    for image in &lock.images {
        let name = format!("{} ", layout::names(image)[0]);
        let line = checked.lines().find(|line| line.starts_with(&name)).unwrap();
        assert!(line.contains(" complete ") && line.trim_end().ends_with("true"), "{line}");
    }
    // One that has nothing refuses it.
    assert!(!run(&bare, &delta).status.success());
}

/// The older bundle is on two sticks, and the first of them is worn out.
#[test]
fn what_one_bundle_does_not_give_comes_from_the_next_that_has_it() {
    let demo = built();
    demo.ok(&["build", "-q", "--against", "old.tar"]);
    fs::rename(demo.path("cache"), demo.path("kept")).unwrap();
    let old = read(&demo, "old.tar");
    // In a layer of the large image.
    for (name, at) in [("bad.tar", old.len() / 2), ("worse.tar", old.len() / 2 + 4096)] {
        let mut bytes = old.clone();
        bytes[at] ^= 1;
        fs::write(demo.path(name), bytes).unwrap();
    }
    fs::write(demo.path("short.tar"), &old[..old.len() / 2]).unwrap();
    let with = |others: &[&str]| {
        let others = others.iter().flat_map(|other| ["--bundle", other]);
        let line = ["verify", "-q", "--bundle", "demo.delta.tar"].into_iter().chain(others);
        let output = demo.run(&line.collect::<Vec<_>>());
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), words)
    };
    let good = demo.ok(&["verify", "-q", "whole.tar"]);
    for (first, words) in [
        ("bad.tar", "1 blob of bad.tar cannot be read, and comes from another bundle"),
        ("short.tar", "short.tar ends in the middle of"),
        ("gone.tar", "there is no bundle gone.tar"),
    ] {
        let (is_good, said, noted) = with(&[first, "old.tar"]);
        assert!(is_good && said == good && noted.contains(words), "{said}{noted}");
        let both = ["--bundle", first, "--bundle", "old.tar", "-o", "again.tar"];
        let output = demo.run(&[&["complete", "-q", "demo.delta.tar"][..], &both].concat());
        let noted = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && noted.contains(words), "{noted}");
        assert!(read(&demo, "again.tar") == read(&demo, "whole.tar"));
        fs::remove_file(demo.path("again.tar")).unwrap();
    }
    // In the other order, nothing is wrong with what is read.
    let (is_good, said, noted) = with(&["old.tar", "bad.tar"]);
    assert!(is_good && said == good, "{said}");
    assert!(
        noted.starts_with("no signature was asked for") && noted.lines().count() == 1,
        "{noted}"
    );
    // If all fail, each is named.
    let (is_good, _, error) = with(&["bad.tar", "worse.tar"]);
    assert!(!is_good && error.contains("do not use this bundle"), "{error}");
    assert!(error.contains("in bad.tar: it has the digest sha256:"), "{error}");
    assert!(error.contains("; in worse.tar: it has the digest sha256:"), "{error}");
    let (is_good, _, error) = with(&["gone.tar", "short.tar"]);
    assert!(!is_good && error.contains("there is no bundle gone.tar"), "{error}");
    assert!(error.contains("short.tar ends in the middle of"), "{error}");
}
