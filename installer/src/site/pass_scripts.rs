//! What is run on two nodes of which one passes a file on to the other.

use std::net::IpAddr;

use super::script::unmarked;

/// The end of a giver's line of ours in a user's `authorized_keys`. Several givers may have
/// one home.
pub(super) fn mark(giver: IpAddr) -> String {
    format!("kubeferry-up-{giver}")
}

/// Makes the taker's key in the folder `$1`, and prints its public half. Where a rule of the
/// system forbids the first kind (FIPS), it is of the second.
pub(super) const KEY: &str = r#"umask 077; rm -rf -- "$1" && mkdir -- "$1" || exit
for kind in ed25519 ecdsa; do
ssh-keygen -q -t "$kind" -N '' -C '' -f "$1/key" && exec cat "$1/key.pub"; done; exit 1"#;

/// Removes the folder `$1` with the taker's key.
pub(super) const FORGET: &str = r#"rm -rf -- "$1""#;

/// Run as the user, not as root: replaces the line of ours in its `authorized_keys`, which ends
/// in `$1`, by that of standard input, and says how the node is reached. Our line ends by itself
/// after half a day, where sshd knows of that (7.7). The file is never there half written, and
/// its folder is locked, because several nodes may have one home.
pub(super) const AUTHORIZE: &str = r#"umask 077; cd || exit; new=$(cat); keys=.ssh/authorized_keys
ours="^(expiry-time=\"[0-9]*\",)?restrict,command=.* $1\$"
if [ -n "$new" ] || grep -Eqs "$ours" "$keys"; then
case "$(ssh -V 2>&1)" in OpenSSH_[1-6].* | OpenSSH_7.[0-6]*) ;;
*) [ -z "$new" ] || new="expiry-time=\"$(env -u TZ date -d '12 hours' +%Y%m%d%H%M)\",$new" ;; esac
mkdir -p .ssh && exec 8<.ssh && flock -w 60 8 || exit
[ -e "$keys" ] || : >"$keys"; file=$(readlink -f "$keys") && next=$(mktemp "$file.XXXXXX") || exit
trap 'rm -f "$next"' EXIT; cp -p "$file" "$next" || exit
grep -Ev "$ours" "$file" >"$next"; [ "$?" -le 1 ] || exit
[ -z "$new" ] || printf '%s\n' "$new" >>"$next" || exit
{ sync "$next" 2>/dev/null || sync; } && mv -f "$next" "$file" || exit
[ -s "$file" ] || [ -L "$keys" ] || rm -f "$file"; exec 8<&-; fi
echo "user $(id -un)"; echo "port ${SSH_CONNECTION##* }"
for one in /etc/ssh/ssh_host_*_key.pub; do [ ! -r "$one" ] || echo "key $(cat "$one")"; done"#;

/// What the giver runs when the taker comes: it prints a file of the folder `$1` from a byte on.
/// `$2` says which byte, counted from 1, and which file. One line, without backslashes, because
/// it stands in `authorized_keys`.
const GIVE: &str = r#"cd "$1" || exit; at=${2%% *}; name=${2#* }; case "$at" in "" | *[!0-9]*) exit 1 ;; esac; case "$name" in "" | */* | .*) exit 1 ;; esac; exec tail -c "+$at" "./$name""#;

/// Takes the file `$1` of `$2` bytes from the giver, after what has come of it. Our folder `$3` is
/// locked; the key is in the folder `$4`; the giver is at the address `$5`, port `$6`, its user is
/// `$7` and its host keys are `$8`. It says how many bytes have come, and ends if nobody hears that.
pub(super) const TAKE_FROM: &str = r#"umask 077; mkdir -p "$3" "${1%/*}" && exec 9<"$3" || exit
flock -n 9 || { echo 'another run copies to this node' >&2; exit 1; }
printf '%s\n' "$8" >"$4/known" && : >>"$1.part" && have=$(stat -c %s "$1.part") || exit
[ "$have" -le "$2" ] || { have=0; : >"$1.part"; } || exit
ssh -F /dev/null -T -x -a -i "$4/key" -p "$6" -l "$7" -o IdentitiesOnly=yes -o BatchMode=yes \
-o IdentityAgent=none -o PreferredAuthentications=publickey -o StrictHostKeyChecking=yes \
-o HostKeyAlias=giver -o UserKnownHostsFile="$4/known" -o GlobalKnownHostsFile=/dev/null \
-o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=4 -o LogLevel=ERROR \
-- "$5" "$((have + 1)) ${1##*/}" </dev/null 2>"$4/said" 9<&- | head -c "$(($2 - have))" >>"$1.part" 9<&- &
trap '' PIPE
while kill -0 "$!" 2>/dev/null; do
echo "at $(stat -c %s "$1.part")" >&2 || { kill "$!"; rm -rf -- "$4"; exit 1; }; sleep 0.3; done
[ "$(stat -c %s "$1.part")" = "$2" ] || { tail -n 3 "$4/said" >&2; exit 1; }"#;

/// The line of `authorized_keys` with which a key opens nothing but a folder's files.
pub(super) fn line(key: &str, folder: &str, mark: &str) -> anyhow::Result<String> {
    let words = unmarked(GIVE, &[folder]);
    let command = shlex::try_join(words.iter().map(String::as_str))?;
    let command = format!("{command} \"$SSH_ORIGINAL_COMMAND\"").replace('"', "\\\"");
    Ok(format!("restrict,command=\"{command}\" {key} {mark}\n"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::{fs, thread};

    use super::*;

    /// What sshd makes of a line: its command, without the quotes' backslashes.
    fn command(line: &str) -> String {
        assert_eq!(line.lines().count(), 1);
        let (_, rest) = line.split_once("command=\"").unwrap();
        let (command, key) = rest.rsplit_once("\" ssh-ed25519 ").unwrap();
        assert_eq!(key, format!("AAAA {MARK}\n"));
        command.replace("\\\"", "\"")
    }

    #[test]
    fn a_key_opens_the_files_of_one_folder_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("it's $(ours)");
        fs::create_dir_all(ours.join("b")).unwrap();
        fs::write(ours.join("b.tar"), "abcdef").unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        let line = line("ssh-ed25519 AAAA", ours.to_str().unwrap(), MARK).unwrap();
        let command = command(&line);
        let asked = |request: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &command]).env("SSH_ORIGINAL_COMMAND", request);
            String::from_utf8(shell.output().unwrap().stdout).unwrap()
        };
        assert_eq!(asked("1 b.tar"), "abcdef");
        assert_eq!(asked("4 b.tar"), "def");
        assert_eq!(asked("7 b.tar"), "");
        for bad in ["", "1", "x b.tar", "1 ../secret", "1 ..", "-1 b.tar", "1 b.tar; cat ../secret"]
        {
            assert_eq!(asked(bad), "", "{bad}");
        }
    }

    const MARK: &str = "kubeferry-up-10.0.0.2";

    /// Puts a line into the `authorized_keys` below `home`, or takes it out.
    fn authorize(home: &Path, mark: &str, new: &str) -> String {
        let mut shell = Command::new("sh")
            .args(["-c", AUTHORIZE, "sh", mark])
            .env("HOME", home)
            .env("SSH_CONNECTION", "10.0.0.1 5000 10.0.0.2 2222")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(new.as_bytes()).unwrap();
        let said = shell.wait_with_output().unwrap();
        assert!(said.status.success());
        String::from_utf8(said.stdout).unwrap()
    }

    #[test]
    fn a_users_own_keys_stay_as_they_are() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let keys = at(".ssh/authorized_keys");
        let authorize = |new: &str| {
            let said = authorize(home.path(), MARK, new);
            assert!(said.contains("\nport 2222\n"), "{said}");
        };
        // Nothing is made where nothing is to be taken away.
        authorize("");
        assert!(!at(".ssh").exists());
        let one = line("ssh-ed25519 AAAA", "/x", MARK).unwrap();
        authorize(&one);
        let written = fs::read_to_string(&keys).unwrap();
        assert!(written.starts_with("expiry-time=\"20") && written.ends_with(&one), "{written}");
        authorize("");
        assert!(!keys.exists());
        // A key that is called as ours are, a last line without an end, and a link to where
        // the keys are.
        let own = format!("ssh-rsa BBBB {MARK}\nssh-rsa CCCC me");
        fs::write(at("theirs"), &own).unwrap();
        std::os::unix::fs::symlink(at("theirs"), &keys).unwrap();
        authorize(&one);
        authorize(&one);
        let written = fs::read_to_string(&keys).unwrap();
        assert!(written.starts_with(&format!("{own}\nexpiry-time=")), "{written}");
        assert_eq!(written.lines().count(), 3);
        authorize("");
        assert_eq!(fs::read_to_string(at("theirs")).unwrap(), format!("{own}\n"));
        assert!(keys.is_symlink() && fs::read_dir(at(".ssh")).unwrap().count() == 1);
    }

    #[test]
    fn givers_with_one_home_lose_no_key() {
        let home = tempfile::tempdir().unwrap();
        let keys = home.path().join(".ssh/authorized_keys");
        fs::create_dir(home.path().join(".ssh")).unwrap();
        fs::write(&keys, "ssh-rsa BBBB me\n").unwrap();
        thread::scope(|scope| {
            for number in 0..4 {
                let (home, keys) = (home.path(), &keys);
                scope.spawn(move || {
                    let mark = mark(format!("10.0.0.{number}").parse().unwrap());
                    let one = line("ssh-ed25519 AAAA", "/x", &mark).unwrap();
                    for _ in 0..10 {
                        authorize(home, &mark, &one);
                        let written = fs::read_to_string(keys).unwrap();
                        assert!(written.contains(&one) && written.contains("BBBB me"), "{written}");
                        authorize(home, &mark, "");
                    }
                });
            }
        });
        assert_eq!(fs::read_to_string(&keys).unwrap(), "ssh-rsa BBBB me\n");
    }
}
