//! One node gives its files to the next one, over the same ssh.
//!
//! The taker makes a key for this one time, and fetches with it. The giver lets that key in for
//! as long as it takes, to print files of our folder, and for nothing else. So no key leaves the
//! node that it was made on, and nobody can write anything on a node that gives.

use std::net::IpAddr;

use anyhow::{Context, anyhow, bail};

use super::content::Content;
use super::met::Met;
use super::pass_scripts::{AUTHORIZE, FORGET, KEY, TAKE_FROM, line, mark};

/// The folder of a taker's key, in memory.
const KEYS: &str = "/run/kubeferry-up";

/// How a giver is reached by another node.
#[derive(Debug, PartialEq, Eq)]
struct Door {
    user: String,
    port: String,
    /// Its host keys, as lines of a `known_hosts`.
    known: String,
}

/// Has `taker` fetch what it lacks of these files, which lie in one folder of both.
pub(super) fn pass(
    giver: &Met<'_>,
    taker: &Met<'_>,
    files: &[Content],
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let passed = open(giver, taker, files).and_then(|door| {
        let address: IpAddr = giver.machine.address;
        let address = address.to_string();
        let way = [KEYS, &address, &door.port, &door.user, &door.known];
        files.iter().try_for_each(|file| file.take(&taker.connection, TAKE_FROM, &way, tell))
    });
    // What is not taken away now, the next run takes away, or the line ends by itself.
    let closed = close(giver).and(forget(taker));
    passed.and(closed)
}

/// Lets the taker's new key in.
fn open(giver: &Met<'_>, taker: &Met<'_>, files: &[Content]) -> anyhow::Result<Door> {
    let key = taker.connection.answer(KEY, &[KEYS]).context("making a key for it")?;
    let key = public_key(&key)?;
    let first = files.first().context("there is nothing to give")?;
    let folder = first.to.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mark = mark(giver.machine.address);
    let said = giver.connection.as_user(AUTHORIZE, &[&mark], &line(&key, folder, &mark)?)?;
    door(&said)
}

/// Lets no key of ours in any more.
pub(super) fn close(node: &Met<'_>) -> anyhow::Result<()> {
    let mark = mark(node.machine.address);
    node.connection.as_user(AUTHORIZE, &[&mark], "").map(drop)
}

/// Removes the key of a taker.
pub(super) fn forget(node: &Met<'_>) -> anyhow::Result<()> {
    node.connection.answer(FORGET, &[KEYS]).map(drop)
}

/// A public key that a node says is its own, which gets into another node's `authorized_keys`.
fn public_key(said: &str) -> anyhow::Result<String> {
    let words: Vec<&str> = said.split_ascii_whitespace().collect();
    match words.as_slice() {
        [kind, key] if is_kind(kind) && is_base64(key) => Ok(format!("{kind} {key}")),
        _ => bail!("what `ssh-keygen` made there is not a key"),
    }
}

fn is_kind(word: &str) -> bool {
    let is_one = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    !word.is_empty() && word.chars().all(|letter| is_one(letter) || letter == '-')
}

fn is_base64(word: &str) -> bool {
    let is_one = |letter: char| letter.is_ascii_alphanumeric() || "+/=".contains(letter);
    !word.is_empty() && word.chars().all(is_one)
}

/// What a giver says of how it is reached. `sshd` there was reached by us at that port.
fn door(said: &str) -> anyhow::Result<Door> {
    let of = |word| said.lines().find_map(|line: &str| line.strip_prefix(word));
    let user = of("user ").filter(|user| !user.is_empty() && !user.starts_with('-'));
    let port = of("port ").filter(|port| port.parse::<u16>().is_ok());
    let keys = said.lines().filter_map(|line| line.strip_prefix("key "));
    let known = keys.filter_map(|key| {
        let mut words = key.split_ascii_whitespace();
        let (kind, key) = (words.next()?, words.next()?);
        (is_kind(kind) && is_base64(key)).then(|| format!("giver {kind} {key}\n"))
    });
    let known: String = known.collect();
    match (user, port) {
        (Some(user), Some(port)) if !known.is_empty() => {
            Ok(Door { user: user.to_owned(), port: port.to_owned(), known })
        }
        _ => Err(anyhow!("it does not say how another node reaches it by ssh")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_key_gets_into_authorized_keys() {
        assert_eq!(public_key("ssh-ed25519 AAAAC3+/= \n").unwrap(), "ssh-ed25519 AAAAC3+/=");
        for bad in
            ["", "ssh-ed25519", "a b c", "ssh-ed25519 A\nssh-rsa B", "command=\"x\" A", "a A,b"]
        {
            assert!(public_key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_door_has_a_user_a_port_and_host_keys() {
        let said = "user op\nport 2222\nkey ssh-ed25519 AA root@m\nkey @cert-authority * x\n";
        let known = "giver ssh-ed25519 AA\n".to_owned();
        let whole = Door { user: "op".to_owned(), port: "2222".to_owned(), known };
        assert_eq!(door(said).unwrap(), whole);
        for bad in ["", "user -x\nport 1\nkey a A", "user x\nport \nkey a A", "user x\nport 1\n"] {
            assert!(door(bad).is_err(), "{bad}");
        }
    }
}
