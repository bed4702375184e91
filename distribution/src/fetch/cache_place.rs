//! Where a user's cache may be: as ssh does with its files, no folder is used that another user
//! can exchange.

use std::fs::{self, Metadata};
use std::io::{self, Error};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use bundle_format::output::check_folders;
use rustix::process::geteuid;

/// The permission bits by which everybody may write to a folder, and nobody removes what is
/// another's there.
const OPEN: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// What helps.
const CURE: &str = "set XDG_CACHE_HOME to a folder of your own";

/// Fails if the cache in `folder`, whose parent the user may have named, could be another user's:
/// by a link that he has made, or because everybody may write there. A folder that is not there
/// yet will be the user's own.
pub(super) fn check(folder: &Path) -> io::Result<()> {
    let own = geteuid().as_raw();
    for link in folder.ancestors() {
        let Ok(found) = fs::symlink_metadata(link) else { continue };
        // The system's own links are root's: `/home` may be one.
        if found.is_symlink() && ![own, 0].contains(&found.uid()) {
            return Err(Error::other(format!(
                "{} is a link that user {} made, who can let it lead elsewhere: {CURE}",
                link.display(),
                found.uid()
            )));
        }
    }
    let parent = folder.parent().unwrap_or(folder);
    let mut shared = None;
    for folder in [parent, folder] {
        let Ok(found) = fs::metadata(folder) else { break };
        let is_open = found.mode() & OPEN != 0;
        if is_open && found.mode() & STICKY == 0 {
            return Err(Error::other(format!(
                "everybody may write to {}, and replace what is in it: type `chmod o-w {0}`, or \
                 {CURE}",
                folder.display()
            )));
        }
        if shared.is_some_and(|above: Metadata| ![own, above.uid()].contains(&found.uid())) {
            return Err(Error::other(format!(
                "{} is user {}'s, in a folder that everybody may write to: {CURE}",
                folder.display(),
                found.uid()
            )));
        }
        shared = Some(found).filter(|_| is_open);
    }
    // The same for what the links lead to.
    check_folders(&folder.join("blobs"))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    use super::*;

    fn said(folder: &Path) -> String {
        check(folder).map_err(|error| error.to_string()).err().unwrap_or_default()
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_that_everybody_may_write_to_is_no_place_for_a_cache() {
        let base = tempfile::tempdir().unwrap();
        let cache = base.path().join("kubeferry");
        assert_eq!(said(&cache), "", "it is not there yet");
        fs::create_dir(&cache).unwrap();
        assert_eq!(said(&cache), "");
        let open = |folder: &Path| {
            let words = format!("everybody may write to {}, and", folder.display());
            said(&cache).starts_with(&words) && said(&cache).contains("XDG_CACHE_HOME")
        };
        for folder in [base.path(), &cache] {
            set(folder, 0o777);
            assert!(open(folder), "{}", said(&cache));
            // As `/tmp` is.
            set(folder, 0o1777);
            assert_eq!(said(&cache), "");
            set(folder, 0o755);
        }
        set(base.path(), 0o777);
        assert!(open(base.path()), "{}", said(&cache));
    }

    #[test]
    fn what_another_user_made_is_no_place_for_a_cache() {
        if !geteuid().is_root() {
            eprintln!("skipped: needs root, to make another's link");
            return;
        }
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        fs::create_dir(at("real")).unwrap();
        symlink("real", at("link")).unwrap();
        assert_eq!(said(&at("link/kubeferry")), "", "the user's own link");
        lchown(at("link"), Some(1234), None).unwrap();
        let words = format!("{} is a link that user 1234 made", at("link").display());
        for cache in ["link/kubeferry", "link/below/kubeferry", "link"] {
            assert!(said(&at(cache)).starts_with(&words), "{cache}: {}", said(&at(cache)));
        }
        // Whoever was first in a folder like `/tmp`.
        set(&at("real"), 0o1777);
        fs::create_dir(at("real/kubeferry")).unwrap();
        assert_eq!(said(&at("real/kubeferry")), "");
        lchown(at("real/kubeferry"), Some(1234), None).unwrap();
        let words = format!("{} is user 1234's, in a folder", at("real/kubeferry").display());
        assert!(said(&at("real/kubeferry")).starts_with(&words));
    }
}
