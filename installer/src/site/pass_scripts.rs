//! What is run on two nodes of which one passes a file on to the other.

use super::script::unmarked;

/// The end of each line of ours in a user's `authorized_keys`.
pub(super) const MARK: &str = "kubeferry-up";

/// Makes the taker's key in the folder `$1`, and prints its public half. Where a rule of the
/// system forbids the first kind (FIPS), it is of the second.
pub(super) const KEY: &str = r#"umask 077; rm -rf -- "$1" && mkdir -- "$1" || exit
for kind in ed25519 ecdsa; do
ssh-keygen -q -t "$kind" -N '' -C '' -f "$1/key" && exec cat "$1/key.pub"; done; exit 1"#;

/// Removes the folder `$1` with the taker's key.
pub(super) const FORGET: &str = r#"rm -rf -- "$1""#;

/// Run as the user, not as root: replaces the lines of ours in its `authorized_keys`, which end
/// in `$1`, by those of standard input, and says how the node is reached. Our line ends by itself
/// after half a day, where sshd knows of that (7.7). The file is never there half written.
pub(super) const AUTHORIZE: &str = r#"umask 077; cd || exit; new=$(cat); keys=.ssh/authorized_keys
if [ -n "$new" ] || grep -qs " $1\$" "$keys"; then
case "$(ssh -V 2>&1)" in OpenSSH_[1-6].* | OpenSSH_7.[0-6]*) ;;
*) [ -z "$new" ] || new="expiry-time=\"$(date -d '12 hours' +%Y%m%d%H%M)\",$new" ;; esac
mkdir -p .ssh && { [ -e "$keys" ] || : >"$keys"; } && file=$(readlink -f "$keys") || exit
cp -p "$file" "$file.kubeferry" || exit
grep -v " $1\$" "$file" >"$file.kubeferry"; [ "$?" -le 1 ] || exit
[ -z "$new" ] || printf '%s\n' "$new" >>"$file.kubeferry" || exit
{ sync "$file.kubeferry" 2>/dev/null || sync; } && mv -f "$file.kubeferry" "$file" || exit
[ -s "$file" ] || rm -f "$file"; fi
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
pub(super) fn line(key: &str, folder: &str) -> anyhow::Result<String> {
    let words = unmarked(GIVE, &[folder]);
    let command = shlex::try_join(words.iter().map(String::as_str))?;
    let command = format!("{command} \"$SSH_ORIGINAL_COMMAND\"").replace('"', "\\\"");
    Ok(format!("restrict,command=\"{command}\" {key} {MARK}\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// What sshd makes of a line: its command, without the quotes' backslashes.
    fn command(line: &str) -> String {
        assert_eq!(line.lines().count(), 1);
        let (_, rest) = line.split_once("command=\"").unwrap();
        let (command, key) = rest.rsplit_once("\" ssh-ed25519 ").unwrap();
        assert_eq!(key, "AAAA kubeferry-up\n");
        command.replace("\\\"", "\"")
    }

    #[test]
    fn a_key_opens_the_files_of_one_folder_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("it's $(ours)");
        fs::create_dir_all(ours.join("b")).unwrap();
        fs::write(ours.join("b.tar"), "abcdef").unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        let line = line("ssh-ed25519 AAAA", ours.to_str().unwrap()).unwrap();
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

    #[test]
    fn a_users_own_keys_stay_as_they_are() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let keys = at(".ssh/authorized_keys");
        let authorize = |new: &str| {
            fs::write(at("new"), new).unwrap();
            let said = Command::new("sh")
                .args(["-c", AUTHORIZE, "sh", MARK])
                .env("HOME", home.path())
                .env("SSH_CONNECTION", "10.0.0.1 5000 10.0.0.2 2222")
                .stdin(fs::File::open(at("new")).unwrap())
                .output()
                .unwrap();
            let text = String::from_utf8(said.stdout).unwrap();
            assert!(said.status.success() && text.contains("\nport 2222\n"), "{text}");
        };
        // Nothing is made where nothing is to be taken away.
        authorize("");
        assert!(!at(".ssh").exists());
        let one = line("ssh-ed25519 AAAA", "/x").unwrap();
        authorize(&one);
        let written = fs::read_to_string(&keys).unwrap();
        assert!(written.starts_with("expiry-time=\"20") && written.ends_with(&one), "{written}");
        authorize("");
        assert!(!keys.exists());
        // A last line without an end, and a link to where the keys are.
        fs::write(at("theirs"), "ssh-rsa BBBB kubeferry-up me").unwrap();
        std::os::unix::fs::symlink(at("theirs"), &keys).unwrap();
        authorize(&one);
        authorize(&one);
        let written = fs::read_to_string(&keys).unwrap();
        assert!(written.starts_with("ssh-rsa BBBB kubeferry-up me\nexpiry-time="), "{written}");
        assert_eq!(written.lines().count(), 2);
        authorize("");
        assert_eq!(fs::read_to_string(at("theirs")).unwrap(), "ssh-rsa BBBB kubeferry-up me\n");
        assert!(keys.is_symlink() && fs::read_dir(at(".ssh")).unwrap().count() == 1);
    }
}
