//! A bundle that was cut into parts.

use std::fs;

use super::walk;
use crate::support::demo::Demo;

#[test]
fn parts_stand_for_the_whole() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let whole = fs::read(demo.path("demo.tar")).unwrap();
    fs::create_dir(demo.path("stick")).unwrap();
    let size = (whole.len() / 3 + 1).to_string();
    let names = demo.ok(&["build", "-q", "--split", &size, "-o", "stick/demo.tar"]);
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(
        names,
        ["stick/demo.tar.part01of03", "stick/demo.tar.part02of03", "stick/demo.tar.part03of03"]
    );
    let joined: Vec<u8> =
        names.iter().flat_map(|name| fs::read(demo.path(name)).unwrap()).collect();
    assert!(joined == whole);
    for name in ["stick/demo.tar", names[0], names[2]] {
        assert!(demo.ok(&["verify", "-q", name]).starts_with("good: "));
    }
    let sums = fs::read_to_string(demo.path("stick/demo.tar.sha256")).unwrap();
    assert_eq!(sums.lines().count(), 3);
    // A new cutting does not mix with the old one.
    let error = demo.fails(&["build", "-q", "--split", "1MiB", "-o", "stick/demo.tar"]);
    assert!(error.contains("part01of03"), "{error}");
    // Reordered, mixed and missing parts are named.
    let part = |number: usize| demo.path(names[number - 1]);
    fs::rename(part(2), demo.path("aside")).unwrap();
    let error = demo.fails(&["verify", "-q", "stick/demo.tar"]);
    assert!(error.contains("demo.tar.part02of03") && error.contains("missing"), "{error}");
    fs::copy(part(1), part(2)).unwrap();
    assert!(demo.fails(&["verify", "-q", "stick/demo.tar"]).contains("error"));
    fs::copy(part(1), demo.path("stick/demo.tar.part01of02")).unwrap();
    assert!(demo.fails(&["verify", "-q", "stick/demo.tar"]).contains("several splits"));
}

#[test]
fn a_part_that_is_cut_short_or_another_is_named() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let whole = fs::read(demo.path("demo.tar")).unwrap();
    fs::write(demo.path("cut.tar"), &whole[..whole.len() / 2]).unwrap();
    let error = demo.fails(&["verify", "-q", "cut.tar"]);
    let words = "cut.tar ends in the middle of blobs/sha256/";
    assert!(error.contains(words) && error.contains("copy it again"), "{error}");
    fs::write(demo.path("cut.tar"), &whole[..whole.len() - 500]).unwrap();
    assert!(demo.fails(&["verify", "-q", "cut.tar"]).contains("the middle of its end mark"));

    let size = whole.len() / 3 + 1;
    let write = |contents: [&[u8]; 3]| {
        for (number, content) in (1..).zip(contents) {
            fs::write(demo.path(&format!("p.tar.part0{number}of03")), content).unwrap();
        }
    };
    let [a, b, c] = [&whole[..size], &whole[size..2 * size], &whole[2 * size..]];
    write([a, b, c]);
    // No part of anything: it is passed over.
    fs::write(demo.path("p.tar.part05of04"), "stray").unwrap();
    demo.ok(&["verify", "-q", "p.tar"]);
    for (contents, words) in [
        ([a, &b[..size - 1], c], "p.tar.part02of03 has "),
        ([a, b, &c[..c.len() - 1]], "p.tar.part03of03 ends in the middle of"),
        ([b, a, c], "p.tar.part01of03 is not a bundle"),
        ([a, c, b], "p.tar.part02of03 has "),
        ([a, a, c], "p.tar.part02of03"),
    ] {
        write(contents);
        let error = demo.fails(&["verify", "-q", "p.tar"]);
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_bundle_in_parts_is_built_again_whatever_a_kill_left() {
    let demo = Demo::start();
    fs::create_dir(demo.path("stick")).unwrap();
    demo.ok(&["build", "-q"]);
    let size = (fs::metadata(demo.path("demo.tar")).unwrap().len() / 3 + 1).to_string();
    let build = || demo.ok(&["build", "-q", "--split", &size, "-o", "stick/demo.tar"]);
    let first = build();
    let state = || {
        let mut files: Vec<_> = walk(&demo.path("stick"))
            .into_iter()
            .map(|path| (fs::read(&path).unwrap(), path))
            .collect();
        files.sort_by(|a, b| a.1.cmp(&b.1));
        files
    };
    let good = state();
    assert_eq!(good.len(), 4);
    assert_eq!(build(), first);
    assert!(state() == good);
    // Killed between two renames.
    let at = |name: &str| demo.path("stick").join(name);
    fs::rename(at("demo.tar.part01of03"), at(".demo.tar.partial")).unwrap();
    fs::rename(at("demo.tar.part03of03"), at(".demo.tar.partial.part03of03")).unwrap();
    fs::remove_file(at("demo.tar.sha256")).unwrap();
    build();
    assert!(state() == good);
    // Killed in the middle of the cutting.
    fs::write(at(".demo.tar.partial"), b"whole").unwrap();
    fs::write(at(".demo.tar.partial.part07of09"), b"a part").unwrap();
    build();
    assert!(state() == good);
}
