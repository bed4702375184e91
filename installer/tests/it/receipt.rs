//! The receipt as a lost power, another version or a second installer finds it.

use std::fs;
use std::path::Path;

use installer::failure::Failure;
use installer::receipt::{
    Before, Line, Receipt, StepName, first, interrupted, kept, remaining, remaining_of_steps,
};

const DEED: &str = r#"{"line":"deed","step":"swap","deed":{"did":"made","path":"/ä"}}"#;
const HEAD: &str = "{\"line\":\"receipt\",\"version\":1}\n";
const FINISHED: &str = r#"{"line":"finished","step":"swap"}"#;

/// A receipt with this text, in a folder of its own.
fn receipt(text: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("receipt.jsonl"), text).unwrap();
    folder
}

fn bytes(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("receipt.jsonl")).unwrap()
}

/// Refused by who looks and by who changes, with what to do; and it stays.
fn assert_refused(folder: &Path, words: &str, cure: &str) {
    let before = fs::read(folder.join("receipt.jsonl")).ok();
    let errors = [
        Receipt::read(folder).map(drop).unwrap_err(),
        Receipt::open(folder).map(drop).unwrap_err(),
    ];
    for error in errors {
        assert!(format!("{error:#}").contains(words), "{words}: {error:#}");
        let cures: Vec<&str> =
            error.chain().filter_map(|one| Some(one.downcast_ref::<Failure>()?.cure())).collect();
        assert!(cures.iter().any(|one| one.contains(cure)), "{cure}: {cures:?}");
    }
    assert_eq!(fs::read(folder.join("receipt.jsonl")).ok(), before);
}

#[test]
fn wherever_it_was_cut_off_its_whole_lines_count() {
    let whole = format!("{HEAD}{DEED}\n{FINISHED}\n").into_bytes();
    for length in 0..=whole.len() {
        let folder = receipt(&whole[..length]);
        if length < HEAD.len() {
            let words = if length == 0 { "it is empty" } else { "is cut short" };
            assert_refused(folder.path(), words, "if you have a copy of the receipt");
            continue;
        }
        let count = whole[..length].iter().filter(|byte| **byte == b'\n').count();
        let seen = Receipt::read(folder.path()).unwrap().unwrap();
        assert_eq!(seen.len(), count, "at {length}");
        assert_eq!(bytes(folder.path()), whole[..length], "a look changes nothing");
        assert_eq!(interrupted(&seen, StepName::Swap), count == 2);

        let mut open = Receipt::open(folder.path()).unwrap();
        assert_eq!(open.lines().len(), count);
        open.add(Line::Finished { step: StepName::Hosts }).unwrap();
        drop(open);
        let after = String::from_utf8(bytes(folder.path())).unwrap();
        assert!(after.ends_with("\n{\"line\":\"finished\",\"step\":\"hosts\"}\n"), "{after}");
        assert_eq!(Receipt::read(folder.path()).unwrap().unwrap().len(), count + 1);
    }
}

#[test]
fn of_zeros_only_those_of_one_line_that_was_being_written_count_for_nothing() {
    let whole = format!("{HEAD}{DEED}\n");
    for torn in ["\0", &"\0".repeat(4096), "{\"line\":\"de\0\0\0", "{\0", "{\"line\":\"deed\",\"st"]
    {
        let folder = receipt(format!("{whole}{torn}").as_bytes());
        assert_eq!(Receipt::read(folder.path()).unwrap().unwrap().len(), 2, "{torn:?}");
        assert_eq!(Receipt::open(folder.path()).unwrap().lines().len(), 2);
        assert_eq!(bytes(folder.path()), whole.as_bytes());
    }
    for (text, words) in [
        ("\0".to_owned(), "it is empty"),
        ("\0".repeat(whole.len()), "it is empty"),
        (format!("{}\n", "\0".repeat(whole.len())), "line 1 is damaged"),
        (format!("{HEAD}{}{DEED}\n", "\0".repeat(90)), "line 2 is damaged"),
        (format!("{HEAD}{}\n{DEED}\n", "\0".repeat(90)), "line 2 is damaged"),
        (format!("{whole}\0{{\"line\""), "line 3 is damaged: it is no line"),
        (format!("{whole}some words"), "line 3 is damaged: it is no line"),
        (format!("{whole}{}", "\0".repeat(3 << 20)), "line 3 is damaged: it is no line"),
        (format!("{whole}{whole}"), "line 3 is damaged: it is not the first"),
    ] {
        assert_refused(receipt(text.as_bytes()).path(), words, "copy");
    }
}

#[test]
fn one_that_is_gone_is_missed_by_what_it_has_left() {
    let folder = tempfile::tempdir().unwrap();
    // kubectl's cache, which a look leaves, and a receipt that never got its name.
    fs::create_dir(folder.path().join("kubectl")).unwrap();
    fs::write(folder.path().join("receipt.jsonl.77"), "{\"li").unwrap();
    assert_eq!(Receipt::read(folder.path()).unwrap(), None);
    let name = Receipt::open(folder.path()).unwrap().keep(b"old").unwrap();
    fs::remove_file(folder.path().join("receipt.jsonl")).unwrap();
    assert_refused(folder.path(), "is gone, and", "if you have a copy of the receipt");
    assert_eq!(kept(folder.path(), &name).unwrap(), b"old");
}

#[test]
fn it_has_its_first_line_as_soon_as_it_has_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("deep/er");
    let receipt = Receipt::open(&folder).unwrap();
    assert_eq!(bytes(&folder), HEAD.as_bytes());
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["before", "receipt.jsonl"]);
    drop(receipt);
}

#[test]
fn a_copy_that_a_lost_power_has_emptied_is_not_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let receipt = Receipt::open(folder.path()).unwrap();
    let name = receipt.keep(b"as it was").unwrap();
    let copy = folder.path().join("before").join(&name);
    for damaged in ["", "\0\0\0\0\0\0\0\0\0", "as it wa"] {
        fs::write(&copy, damaged).unwrap();
        let error = kept(folder.path(), &name).unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{error:#}");
        // Where the file is still as it was, it is copied anew.
        assert_eq!(receipt.keep(b"as it was").unwrap(), name);
        assert_eq!(kept(folder.path(), &name).unwrap(), b"as it was");
    }
}

#[test]
fn a_disk_that_cannot_be_written_is_named_with_what_to_do() {
    // A folder can be made in none of the kernel's own.
    let error = Receipt::open(Path::new("/proc/self/kubeferry")).map(drop).unwrap_err();
    let error = installer::failure::describe(&error, None);
    assert!(error.contains("writing the receipt in /proc/self/kubeferry failed"), "{error}");
    assert!(error.contains("hint: "), "{error}");
}

#[test]
fn what_is_not_understood_is_refused_and_stays() {
    let cases = [
        ("{\"line\":\"receipt\",\"version\":2}\n{\"line\":\"news\"}\n", "another version"),
        ("{\"line\":\"receipt\",\"version\":2}\n{\"li", "another version"),
        ("{\"line\":\"receipt\",\"version\":1}\n{\"line\":\"news\"}\n", "line 2"),
        ("{\"line\":\"receipt\",\"version\":1}\n\0\0\0\n", "line 2"),
        ("{\"line\":\"receipt\",\"version\":1}\n\u{fffd}\n", "line 2 is damaged"),
        ("{\"line\":\"receipt\",\"version\":99999999999}\n", "another version"),
        ("{\"line\":\"finished\",\"step\":\"swap\"}\n", "how a receipt begins"),
        ("[]\n", "line 1"),
    ];
    for (before, words) in cases {
        let folder = receipt(before.as_bytes());
        let errors = [
            Receipt::read(folder.path()).map(drop).unwrap_err(),
            Receipt::open(folder.path()).map(drop).unwrap_err(),
        ];
        for error in errors {
            let has_cure = error.chain().any(|cause| cause.downcast_ref::<Failure>().is_some());
            assert!(has_cure || words == "another version", "{error:#}");
            assert!(format!("{error:#}").contains(words), "{words}: {error:#}");
        }
        assert_eq!(bytes(folder.path()), before.as_bytes());
    }
}

#[test]
fn only_one_has_it_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Receipt::read(folder.path()).unwrap(), None);
    let first = Receipt::open(folder.path()).unwrap();
    let error = Receipt::open(folder.path()).map(drop).unwrap_err();
    assert!(error.to_string().contains("another installer is at work"), "{error}");
    assert_eq!(Receipt::read(folder.path()).unwrap().unwrap().len(), 1);
    drop(first);
    Receipt::open(folder.path()).unwrap();
}

#[test]
fn a_line_that_the_disk_had_no_room_for_is_no_change_that_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.jsonl");
    let whole = format!("{{\"line\":\"receipt\",\"version\":1}}\n{FINISHED}\n");
    // What a write that failed in its middle leaves.
    fs::write(&path, format!("{whole}{}", &DEED[..30])).unwrap();
    let mut receipt = Receipt::open(folder.path()).unwrap();
    assert!(!interrupted(receipt.lines(), StepName::Swap));
    receipt.add(Line::Finished { step: StepName::Hosts }).unwrap();
    let after = String::from_utf8(bytes(folder.path())).unwrap();
    assert_eq!(after, format!("{whole}{{\"line\":\"finished\",\"step\":\"hosts\"}}\n"));
}

#[test]
fn what_was_taken_back_is_no_deed_any_more() {
    let made = r#"{"did":"made","path":"/a"}"#;
    let wrote = |was: &str| format!(r#"{{"did":"wrote","path":"/b","before":{was},"after":null}}"#);
    let (absent, kept) =
        (wrote(r#"{"was":"absent"}"#), wrote(r#"{"was":"file","kept":"k","mode":420}"#));
    let installed = r#"{"did":"installed","command":["dnf"],"came":["a-1-1.noarch"],"replaced":[{"was":"b-1-1.noarch","is":"b-2-1.noarch"}]}"#;
    let deed = |deed: &str| format!(r#"{{"line":"deed","step":"swap","deed":{deed}}}"#);
    let undone = |deed: &str| format!(r#"{{"line":"undone","deed":{deed}}}"#);
    let lines = [
        r#"{"line":"receipt","version":1}"#.to_owned(),
        deed(made),
        deed(&absent),
        deed(installed),
        deed(made),
        undone(made),
        undone(&absent),
        // A later run finds a file there, which is a site's.
        deed(&kept),
    ];
    let folder = receipt((lines.join("\n") + "\n").as_bytes());
    let lines = Receipt::read(folder.path()).unwrap().unwrap();
    let left: Vec<String> =
        remaining(&lines).into_iter().map(|deed| serde_json::to_string(deed).unwrap()).collect();
    assert_eq!(left, [made, installed, kept.as_str()]);
    let before = first(&lines, Path::new("/b"));
    assert!(matches!(before, Some(Before::File { kept, .. }) if kept == "k"), "{before:?}");
}

#[test]
fn of_steps_that_ran_the_same_command_each_takes_back_its_own() {
    let deed = r#""deed":{"did":"ran","command":["c"],"undo":[["u"]]}"#;
    let line = |head: &str| format!("{{{head},{deed}}}\n");
    let head = "{\"line\":\"receipt\",\"version\":1}\n".to_owned();
    let both =
        head + &line(r#""line":"deed","step":"hosts""#) + &line(r#""line":"deed","step":"swap""#);
    // One of an older version does not say whose it was.
    for (undone, left) in [
        (r#","step":"hosts""#, StepName::Swap),
        (r#","step":"swap""#, StepName::Hosts),
        ("", StepName::Hosts),
    ] {
        let text = format!("{both}{}", line(&format!(r#""line":"undone"{undone}"#)));
        let lines = Receipt::read(receipt(text.as_bytes()).path()).unwrap().unwrap();
        let steps: Vec<StepName> =
            remaining_of_steps(&lines).iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [left], "{undone}");
    }
}

#[test]
fn a_step_of_another_version_is_no_damage() {
    let text = format!("{HEAD}{}\n", FINISHED.replace("swap", "swop"));
    let folder = receipt(text.as_bytes());
    assert_refused(folder.path(), "does not know the step \"swop\"", "use the version");
}

/// Nobody is told to take out what a later version did.
#[test]
fn a_line_of_another_version_is_no_damage() {
    let deed = |deed: &str| format!("{{\"line\":\"deed\",\"step\":\"swap\",\"deed\":{{{deed}}}}}");
    for (line, word) in [
        ("{\"line\":\"paused\"}".to_owned(), "`paused`"),
        (deed("\"did\":\"mounted\",\"path\":\"/a\""), "`mounted`"),
        (
            deed("\"did\":\"ran\",\"command\":[\"a\"],\"undo\":[],\"intention\":{\"to\":\"fly\"}"),
            "`fly`",
        ),
    ] {
        let folder = receipt(format!("{HEAD}{line}\n").as_bytes());
        assert_refused(folder.path(), "does not know what line 2 says", "use the version");
        assert_refused(folder.path(), word, "use the version");
    }
}
