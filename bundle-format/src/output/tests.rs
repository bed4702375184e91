use std::io::Read;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

fn words<T>(result: io::Result<T>) -> String {
    result.map(drop).unwrap_err().to_string()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_new_or_keeps_what_it_is_no_looser_than_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("join.yaml");
    write(&path, b"token", 0o600).unwrap();
    assert_eq!(mode(&path), 0o600);
    for (old, asked, new) in [
        (0o644, 0o600, 0o600),
        (0o666, 0o600, 0o600),
        (0o400, 0o600, 0o400),
        (0o600, 0o644, 0o600),
        (0o664, 0o644, 0o644),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(old)).unwrap();
        write(&path, b"another", asked).unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (new, b"another".to_vec()));
    }
    assert_eq!(names(folder.path()), ["join.yaml"]);
}

#[test]
fn nobody_else_may_read_a_secret_from_its_first_byte_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("join.yaml");
    for is_there in [false, true] {
        if is_there {
            fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        }
        write_by(&path, 0o600, |out| {
            assert_eq!(out.metadata()?.mode() & 0o7777, 0o600, "{is_there}");
            out.write_all(b"token")
        })
        .unwrap();
    }
}

#[test]
fn links_stay_and_their_target_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::write(at("real/a"), "old").unwrap();
    symlink("real/a", at("a")).unwrap();
    symlink(at("a"), at("further")).unwrap();
    symlink("real/b", at("b")).unwrap();
    for (name, real) in [("a", "real/a"), ("further", "real/a"), ("b", "real/b")] {
        write(&at(name), name.as_bytes(), 0o600).unwrap();
        assert!(at(name).is_symlink(), "{name}");
        assert!(!at(real).is_symlink());
        assert_eq!(fs::read(at(real)).unwrap(), name.as_bytes());
        assert_eq!(mode(&at(real)), 0o600);
    }
    symlink("loop", at("loop")).unwrap();
    assert!(write(&at("loop"), b"", 0o600).is_err());
    symlink("none/x", at("nowhere")).unwrap();
    assert!(write(&at("nowhere"), b"", 0o600).is_err());
}

/// Whether this user can make another's things; says so if not.
fn is_root() -> bool {
    if !geteuid().is_root() {
        eprintln!("skipped: needs root, to make another's link");
    }
    geteuid().is_root()
}

/// A folder that everybody may write to, with and without the sticky bit.
fn shared_folders(folder: &Path) -> [PathBuf; 2] {
    [0o1777, 0o777].map(|mode| {
        let shared = folder.join(format!("shared-{mode:o}"));
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(mode)).unwrap();
        shared
    })
}

fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(1234), Some(1234)).unwrap();
}

#[test]
fn anothers_link_in_a_folder_for_all_is_not_followed() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    for shared in shared_folders(folder.path()) {
        fs::write(&victim, "precious").unwrap();
        let link = shared.join("join.yaml");
        symlink(&victim, &link).unwrap();
        // A folder on the way that is a link.
        let way = shared.join("way");
        symlink(folder.path(), &way).unwrap();
        give_away(&link);
        give_away(&way);
        for path in [&link, &way.join("victim"), &way.join("new")] {
            assert!(words(write(path, b"token", 0o600)).contains("another user's link"));
        }
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert!(!folder.path().join("new").exists());
        std::os::unix::fs::lchown(&link, Some(0), Some(0)).unwrap();
        write(&link, b"token", 0o600).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"token");
    }
}

#[test]
fn ones_own_link_leads_past_no_link_of_another() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [victim, out] = ["victim", "out"].map(|name| folder.path().join(name));
    fs::create_dir(&victim).unwrap();
    for shared in shared_folders(folder.path()) {
        let theirs = shared.join("theirs");
        symlink(&victim, &theirs).unwrap();
        // To the link, below it, and by another link of one's own.
        for to in [theirs.clone(), shared.join("theirs/below")] {
            fs::create_dir_all(victim.join("below")).unwrap();
            std::os::unix::fs::lchown(&theirs, Some(0), Some(0)).unwrap();
            symlink(&to, &out).unwrap();
            symlink("out", folder.path().join("again")).unwrap();
            for name in ["out/file", "again/file"] {
                write(&folder.path().join(name), b"ours", 0o600).unwrap();
            }
            give_away(&theirs);
            for name in ["out/file", "again/file", "again/new"] {
                let refused = write(&folder.path().join(name), b"token", 0o600);
                assert!(words(refused).contains("theirs is another user's link"), "{name}");
            }
            fs::remove_file(&out).unwrap();
            fs::remove_file(folder.path().join("again")).unwrap();
        }
        assert!(!victim.join("new").exists() && !victim.join("below/new").exists());
        // His folder itself is where the operator wants it.
        symlink(&shared, &out).unwrap();
        write(&out.join("file"), b"ours", 0o600).unwrap();
        fs::remove_file(&out).unwrap();
    }
}

#[test]
fn links_in_a_circle_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink("b/x", at("a")).unwrap();
    symlink("a/../b", at("b")).unwrap();
    for path in ["a/file", "b/file"] {
        assert!(write(&at(path), b"", 0o600).is_err());
        assert!(words(check_folders(&at(path))).contains("too many links"));
    }
}

#[test]
fn what_another_put_into_a_folder_for_all_gets_no_secret() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for shared in shared_folders(folder.path()) {
        let fifo = shared.join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
        give_away(&fifo);
        let _reader = File::options().read(true).write(true).open(&fifo).unwrap();
        assert!(words(write(&fifo, b"token", 0o600)).contains("another user's pipe"));
        // A file that he can read makes way for one that he cannot.
        let file = shared.join("join.yaml");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        give_away(&file);
        let mut opened = File::open(&file).unwrap();
        write(&file, b"token", 0o600).unwrap();
        let found = fs::metadata(&file).unwrap();
        assert_eq!((found.mode() & 0o7777, found.uid()), (0o600, 0));
        assert_eq!(opened.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn what_was_looked_at_is_what_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    fs::write(&one, "").unwrap();
    fs::write(&other, "").unwrap();
    let found = fs::metadata(&one).unwrap();
    stream(&one, &found).unwrap();
    fs::rename(&other, &one).unwrap();
    assert!(words(stream(&one, &found)).contains("something else"));
}

#[test]
fn a_dash_is_standard_output_and_no_file() {
    let dash = Path::new("-");
    assert!(words(file(dash)).contains("standard output is no file"));
    assert!(matches!(Destination::of(dash).unwrap(), Destination::Stream(_)));
    assert!(!dash.exists());
}

#[test]
fn a_folder_that_takes_no_file_is_named_and_no_temporary_file() {
    // Nobody can make a file there, not even root.
    let said = words(write(Path::new("/sys/join.yaml"), b"token", 0o600));
    assert!(said.starts_with("no file can be made in the folder /sys ("), "{said}");
    assert!(!said.contains(".partial"), "{said}");
}

#[test]
fn devices_and_fifos_are_written_to_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink("/dev/null", at("null")).unwrap();
    for path in [Path::new("/dev/null"), &at("null")] {
        write(path, b"token", 0o600).unwrap();
        assert!(fs::metadata(path).unwrap().file_type().is_char_device());
        assert!(words(file(path)).contains("no regular file"));
    }
    assert!(at("null").is_symlink());
    assert!(write(Path::new("/dev/full"), b"token", 0o600).is_err());

    mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert!(words(write(&at("fifo"), b"token", 0o600)).contains("nobody reads"));
    let mut both = File::options().read(true).write(true).open(at("fifo")).unwrap();
    write(&at("fifo"), b"token", 0o600).unwrap();
    let mut said = [0; 5];
    both.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"token");
    assert!(fs::metadata(at("fifo")).unwrap().file_type().is_fifo());

    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    assert!(words(write(&at("socket"), b"token", 0o600)).contains("a socket is refused"));
}

#[test]
fn what_a_shell_has_opened_gets_the_text_at_its_end() {
    use std::os::fd::AsRawFd;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "first\n").unwrap();
    let open = File::options().append(true).open(&path).unwrap();
    for form in ["/dev/fd", "/proc/self/fd"] {
        let through = PathBuf::from(format!("{form}/{}", open.as_raw_fd()));
        write(&through, b"then\n", 0o600).unwrap();
    }
    assert_eq!(fs::read(&path).unwrap(), b"first\nthen\nthen\n");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_folder_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for path in [path.to_owned(), path.join("new/"), path.join("..")] {
        let words = words(write(&path, b"", 0o600));
        assert!(words.contains("it is a folder; name a file in it"), "{words}");
    }
    assert!(names(path).is_empty());
}

#[test]
fn a_folder_that_is_missing_is_named_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere");
    let said = format!("the folder {} does not exist: make it first", missing.display());
    let link = folder.path().join("link");
    symlink(missing.join("x"), &link).unwrap();
    for path in [missing.join("x"), link] {
        let error = write(&path, b"", 0o600).unwrap_err();
        assert!(error.kind() == io::ErrorKind::NotFound, "{error}");
        assert!(error.to_string().starts_with(&said), "{error}");
    }
    assert_eq!(names(folder.path()), ["link"]);
}
