//! What is run on a node: short scripts for any `sh`, whose arguments are never a part of
//! their text.

/// Runs `sh -c` with its arguments as root.
const AS_ROOT: &str =
    r#"if [ "$(id -u)" -eq 0 ]; then exec sh -c "$@"; else exec sudo -n sh -c "$@"; fi"#;

/// What a node is, before it has an installer of ours.
pub(super) const FACTS: &str = r#"echo "arch $(uname -m)"
echo "date $(date +%s)"
echo "room $(df -Pk /var/lib | tail -n 1)"
[ ! -e /opt/kubernetes/kubeadm-joined.yaml ] || echo joined"#;

/// Says `busy` if an installer is at work there, which has the receipt `$1` locked.
pub(super) const BUSY: &str = r#"[ ! -e "$1" ] || flock -n "$1" true || echo busy"#;

/// Waits until no installer is at work there, for an hour at most.
pub(super) const WAIT: &str = r#"flock -w 3600 "$1" true"#;

/// Says `whole` if the file `$1` is there with `$2` bytes and the digest `$3`, or else how
/// many bytes of it have come. The digest `-` stands for any, because the folder of the file
/// is named by it.
pub(super) const HAVE: &str = r#"if [ -f "$1" ] && [ "$(stat -c %s "$1")" = "$2" ]; then
if [ "$3" = - ] || [ "$(sha256sum <"$1")" = "$3  -" ]; then echo whole; exit; fi; fi
stat -c %s "$1.part" 2>/dev/null || echo 0"#;

/// What the next scripts say of another run, and fail.
pub(super) const ANOTHER: &str = "another run copies to this node";

/// Appends standard input to what has come of `$1`, which must be `$2` bytes. Our folder `$3`
/// is locked, by the shell alone, so that a list of processes shows a run that was lost.
pub(super) const SEND: &str = r#"umask 077; mkdir -p "$3" "${1%/*}" && exec 9<"$3" || exit
flock -n 9 || { echo 'another run copies to this node' >&2; exit 1; }
if [ "$2" = 0 ]; then : >"$1.part" || exit; fi
[ "$(stat -c %s "$1.part")" = "$2" ] || { echo 'another run copies to this node' >&2; exit 1; }
cat >>"$1.part" 9<&-"#;

/// Gives what has come of `$1` its name, if it has the digest `$2`, and says `taken`. `$3` is
/// its mode; `$4` is our folder, which is locked.
pub(super) const TAKE: &str = r#"exec 9<"$4" || exit
flock -n 9 || { echo 'another run copies to this node' >&2; exit 1; }
if [ "$(sha256sum <"$1.part")" != "$2  -" ]; then rm -f "$1.part"; echo damaged; exit; fi
chmod "$3" "$1.part" && { sync "$1.part" 2>/dev/null || sync; } && mv -f "$1.part" "$1" || exit
echo taken"#;

/// Removes what is in our folder `$1`, but for the names that follow. It locks the folder first.
pub(super) const CLEAR: &str = r#"cd "$1" 2>/dev/null && exec 9<. || exit 0; shift
flock -n 9 || { echo 'another run copies to this node' >&2; exit 1; }
for one in *; do for kept in "$@"; do [ "$one" != "$kept" ] || continue 2; done
rm -rf -- "./$one"; done"#;

/// Writes standard input to the file `$1`, for root only.
pub(super) const WRITE: &str =
    r#"umask 077; mkdir -p "${1%/*}" && cat >"$1.new" && mv -f "$1.new" "$1""#;

/// Runs the command that its arguments are, with standard input in a pipe, as an installer
/// reads a join file. `sshd` may give a socket, which has no name to open. The folder is the one
/// of a console: `cp --parents` of coreutils 9.1 looks for folders in the working one.
pub(super) const RUN: &str = r#"cd / && cat | "$@""#;

/// Removes our folder `$1`.
pub(super) const LEAVE: &str = r#"rm -rf -- "$1""#;

/// The line before each answer. What comes before is of the node's own shell, whose start
/// may print something.
pub(super) const MARK: &str = "kubeferry answers\n";

/// Runs `sh -c` with its arguments as whoever comes.
const AS_USER: &str = r#"exec sh -c "$@""#;

/// The words that run a script as root.
pub(super) fn as_root(script: &str, arguments: &[&str]) -> Vec<String> {
    words(AS_ROOT, &marked(script), arguments)
}

/// The same as the user that `ssh` comes as.
pub(super) fn as_user(script: &str, arguments: &[&str]) -> Vec<String> {
    words(AS_USER, &marked(script), arguments)
}

/// The words that run a script as root whose output is nothing but its own.
pub(super) fn unmarked(script: &str, arguments: &[&str]) -> Vec<String> {
    words(AS_ROOT, script, arguments)
}

fn marked(script: &str) -> String {
    format!("echo {}\n{script}", MARK.trim_end())
}

fn words(who: &str, script: &str, arguments: &[&str]) -> Vec<String> {
    let words = ["sh", "-c", who, "sh", script, "sh"];
    words.iter().chain(arguments).map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use bundle_format::Digest;

    use super::*;

    /// What a script prints.
    fn run(script: &str, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new("sh")
            .args(["-c", script, "sh"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn a_file_comes_in_pieces_and_is_named_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b/it's $(x)");
        let file = path.to_str().unwrap();
        let (ours, digest) = (folder.path().to_str().unwrap(), Digest::of(b"abcdef").hex());
        assert_eq!(run(HAVE, &[file, "6", &digest], ""), "0\n");
        run(SEND, &[file, "0", ours], "abc");
        assert_eq!(run(HAVE, &[file, "6", &digest], ""), "3\n");
        // Of two that copy, the second one is late.
        run(SEND, &[file, "2", ours], "xyz");
        assert_eq!(run(HAVE, &[file, "6", &digest], ""), "3\n");
        run(SEND, &[file, "3", ours], "def");
        assert!(!path.exists());
        assert_eq!(run(TAKE, &[file, &digest, "700", ours], ""), "taken\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "abcdef");
        assert_eq!(run(HAVE, &[file, "6", &digest], ""), "whole\n");
        assert_eq!(run(HAVE, &[file, "6", "-"], ""), "whole\n");
        fs::write(&path, "abcdeX").unwrap();
        assert_eq!(run(HAVE, &[file, "6", &digest], ""), "0\n");
        run(SEND, &[file, "0", ours], "abcdeX");
        assert_eq!(run(TAKE, &[file, &digest, "700", ours], ""), "damaged\n");
        assert_eq!(run(HAVE, &[file, "6", &digest], ""), "0\n");
    }

    #[test]
    fn while_a_run_copies_another_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().to_str().unwrap();
        let file = format!("{ours}/x/b.tar");
        let digest = Digest::of(b"abc").hex();
        let mut first = Command::new("sh")
            .args(["-c", SEND, "sh", &file, "0", ours])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = first.stdin.take().unwrap();
        pipe.write_all(b"ab").unwrap();
        let part = format!("{file}.part");
        while fs::read(&part).unwrap_or_default() != b"ab" {
            std::thread::yield_now();
        }
        for (script, arguments) in [
            (SEND, [file.as_str(), "0", ours].as_slice()),
            (TAKE, &[&file, &digest, "600", ours]),
            (CLEAR, &[ours, "y"]),
        ] {
            let said = Command::new("sh").args(["-c", script, "sh"]).args(arguments).output();
            let said = said.unwrap();
            assert_eq!(String::from_utf8_lossy(&said.stderr), format!("{ANOTHER}\n"));
            assert!(!said.status.success() && said.stdout.is_empty());
        }
        pipe.write_all(b"c").unwrap();
        drop(pipe);
        assert!(first.wait().unwrap().success());
        assert_eq!(run(TAKE, &[&file, &digest, "600", ours], ""), "taken\n");
        assert_eq!(fs::read(&file).unwrap(), b"abc");
    }

    #[test]
    fn only_what_is_kept_stays() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["old", "new", "-rf"] {
            fs::create_dir_all(folder.path().join(name).join("x")).unwrap();
        }
        run(CLEAR, &[folder.path().to_str().unwrap(), "new", "none"], "");
        let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["new"]);
        assert!(!Path::new("/nowhere").exists());
        run(CLEAR, &["/nowhere", "x"], "");
    }
}
