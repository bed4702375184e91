//! Whose bundles this node takes.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::day::day;
use bundle_format::signature::TrustedKeys;
use bundle_format::{built_in, input};

use crate::failure::Failure;
use crate::host::below;
use crate::receipt::{Line, Signing};

/// The public keys that a site has put on its node. Once it is there, only signed bundles
/// count.
pub const SITE_KEYS: &str = "/etc/kubeferry/trusted.pub";

/// All keys whose signatures count: those that were named, the site's, and those in this
/// program's own file. If there is none, bundles need no signature. `root` is the folder with
/// the files of another node, if that one is meant.
pub fn keys(named: &[PathBuf], root: Option<&Path>) -> anyhow::Result<TrustedKeys> {
    let mut keys = TrustedKeys::read(named)?;
    keys.add(built_in()?);
    let own = Path::new(SITE_KEYS);
    keys.add(match root.map(|root| below(root, SITE_KEYS)) {
        Some(other) => of_both(own, &other, !keys.is_empty())?,
        None => of_site(own)?,
    });
    Ok(keys)
}

/// The keys of this machine's site and of another node's. Where both have keys, only those
/// count that both have: the other node would take no other bundle, and nobody who can write
/// to its folder can have this machine take one. Where only the other node has keys, they count if
/// there are no others. None in common is an error, if no other key counts, because it must not
/// switch the check off.
fn of_both(own: &Path, other: &Path, has_others: bool) -> anyhow::Result<TrustedKeys> {
    let (keys, of_other) = (of_site(own)?, of_site(other)?);
    if keys.is_empty() && !has_others {
        return Ok(of_other);
    }
    if keys.is_empty() || of_other.is_empty() {
        return Ok(keys);
    }
    let common = keys.common(&of_other);
    if common.is_empty() && !has_others {
        return Err(Failure::new(
            format!("{} and {} have no key in common", own.display(), other.display()),
            "name the key that counts with --trusted-key",
        )
        .into());
    }
    Ok(common)
}

/// The keys in a site's file. None if there is no such file; an error if there is one without
/// a key, or a link to one that is gone, because neither must switch the check off.
fn of_site(site: &Path) -> anyhow::Result<TrustedKeys> {
    let text = match input::file_text(site, input::WRITTEN_BY_HAND) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let is_link = |path: &&Path| path.symlink_metadata().is_ok_and(|it| it.is_symlink());
            let Some(link) = site.ancestors().take(2).find(is_link) else {
                return Ok(TrustedKeys::default());
            };
            return Err(Failure::new(
                format!("{} is a link, and the keys are not where it leads", link.display()),
                "bring back what it leads to, such as a disk; or remove the link",
            )
            .into());
        }
        text => text,
    };
    let reading = || format!("reading the trusted keys in {}", site.display());
    let keys = TrustedKeys::parse(&text.with_context(reading)?).with_context(reading)?;
    if keys.is_empty() {
        return Err(Failure::new(
            format!("{} has no key", site.display()),
            "put the public key of whoever signs bundles into it, or remove it",
        )
        .into());
    }
    Ok(keys)
}

/// What helps if the keys in this program's own file are damaged.
const COPY_AGAIN: &str = "copy the installer again, and compare its checksum";

/// The keys in this program's own file.
pub fn built_in() -> anyhow::Result<TrustedKeys> {
    // By this name the file is found also if it was moved or replaced.
    let reading = "reading the trusted keys in this program's own file";
    let text = built_in::keys_of(Path::new("/proc/self/exe"))
        .map_err(|error| Failure::new(reading, COPY_AGAIN).because(error.into()));
    let Some(text) = text? else { return Ok(TrustedKeys::default()) };
    let keys = TrustedKeys::parse(&text).context(reading)?;
    // Damage must not switch the check off.
    if keys.is_empty() {
        let what = "this program was made with trusted keys, and none is left at its end";
        return Err(Failure::new(what, COPY_AGAIN).into());
    }
    Ok(keys)
}

/// What the receipt notes of a signed bundle; none if its signature was not asked for or
/// has no date.
pub(crate) fn signing(bundle: &Bundle) -> Option<Signing> {
    let at = bundle.signed()?.at?;
    Some(Signing { name: bundle.lock().name.clone(), at })
}

/// The failure if this node has had a bundle of this name that was signed later: somebody
/// may want it to take back what was mended since.
pub fn older(lines: &[Line], bundle: &Bundle) -> Option<Failure> {
    let (signed, name) = (bundle.signed()?, &bundle.lock().name);
    let newest = newest(lines, name)?;
    let on = |at| day(UNIX_EPOCH + Duration::from_secs(at));
    let Some(at) = signed.at else {
        return Some(Failure::new(
            format!(
                "the signature of this bundle {name} has no date, and this node has had one that was \
                 signed on {}: nobody knows which is newer",
                on(newest)
            ),
            "have it signed with `bundler sign`, which writes the date; or give --allow-older",
        ));
    };
    (at < newest).then(|| {
        Failure::new(
            format!(
                "this bundle {name} was signed on {}, and this node has had one that was signed \
                 later, on {}",
                on(at),
                on(newest)
            ),
            "take the newer bundle; if the older one is really wanted, give --allow-older",
        )
    })
}

/// When the newest bundle of this name was signed that this node has had.
fn newest(lines: &[Line], name: &str) -> Option<u64> {
    let signed = lines.iter().filter_map(|line| match line {
        Line::Begun { signed: Some(signed), .. } if signed.name == name => Some(signed.at),
        _ => None,
    });
    signed.max()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use bundle_format::Digest;

    use super::*;

    const OTHER: &str = "RWRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
    const KEY: &str = include_str!("../../bundle-format/src/signature/key.pub");

    #[test]
    fn a_sites_file_is_gone_only_if_nothing_is_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("kubeferry/trusted.pub");
        let said = || of_site(&site).map(|keys| keys.ids().count()).map_err(|e| e.to_string());
        assert_eq!(said(), Ok(0), "no folder");
        fs::create_dir(folder.path().join("kubeferry")).unwrap();
        assert_eq!(said(), Ok(0), "no file");
        fs::write(&site, KEY).unwrap();
        assert_eq!(said(), Ok(1));
        fs::write(&site, "untrusted comment: nothing else\n").unwrap();
        assert!(said().unwrap_err().ends_with("trusted.pub has no key"));
        // A disk that is not mounted: of the file, then of its folder.
        fs::remove_file(&site).unwrap();
        symlink(folder.path().join("disk/trusted.pub"), &site).unwrap();
        assert!(said().unwrap_err().contains("trusted.pub is a link, and the keys are not where"));
        fs::remove_dir_all(folder.path().join("kubeferry")).unwrap();
        symlink(folder.path().join("disk"), folder.path().join("kubeferry")).unwrap();
        assert!(said().unwrap_err().contains("/kubeferry is a link, and the keys are not where"));
        fs::create_dir(folder.path().join("disk")).unwrap();
        assert!(said().is_err(), "the link leads somewhere, and the keys are not there");
        fs::write(folder.path().join("disk/trusted.pub"), KEY).unwrap();
        assert_eq!(said(), Ok(1));
    }

    #[test]
    fn another_nodes_keys_only_narrow_what_counts_here() {
        let folder = tempfile::tempdir().unwrap();
        let [own, other] = ["own.pub", "other.pub"].map(|name| folder.path().join(name));
        let count = |has_others| {
            of_both(&own, &other, has_others)
                .map(|keys| keys.ids().count())
                .map_err(|error| error.to_string())
        };
        assert_eq!(count(false), Ok(0), "no keys anywhere");
        fs::write(&other, format!("{KEY}{OTHER}\n")).unwrap();
        assert_eq!(count(false), Ok(2), "the other node's");
        assert_eq!(count(true), Ok(0), "the folder adds none to those that were named");
        fs::write(&own, KEY).unwrap();
        assert_eq!(count(false), Ok(1), "what both have");
        fs::write(&other, OTHER).unwrap();
        assert!(count(false).unwrap_err().contains("have no key in common"));
        assert_eq!(count(true), Ok(0), "only those that were named");
        fs::remove_file(&other).unwrap();
        assert_eq!(count(false), Ok(1), "this machine's");
    }

    #[test]
    fn the_newest_of_a_name_counts() {
        let begun = |signed: Option<(&str, u64)>| Line::Begun {
            role: "master".to_owned(),
            bundle: Digest::of(b""),
            at: None,
            signed: signed.map(|(name, at)| Signing { name: name.to_owned(), at }),
        };
        let lines =
            [begun(Some(("a", 7))), begun(None), begun(Some(("b", 9))), begun(Some(("a", 5)))];
        assert_eq!(newest(&lines, "a"), Some(7));
        assert_eq!(newest(&lines, "c"), None);
    }
}
