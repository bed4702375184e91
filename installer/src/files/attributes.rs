//! What a file has besides its text: who may read it, and what the system has noted
//! on it. A file that is edited keeps all of it.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::{XattrFlags, fgetxattr, fremovexattr, fsetxattr, getxattr, listxattr};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// The access control list (acl(5)), which the folder may have given a new file.
const ACL: &str = "system.posix_acl_access";
/// The kernel's own, of the file's bytes: of others they are wrong.
const OF_THE_BYTES: [&str; 2] = ["security.ima", "security.evm"];
/// The most bytes of the names of attributes, and of the value of one (xattr(7)).
const LARGEST: usize = 64 << 10;

/// A file's permission bits, owner and extended attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attributes {
    /// Its permission bits.
    pub mode: u32,
    /// Its owner and group; none where they do not matter, or nobody has noted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<(u32, u32)>,
    /// Its extended attributes (xattr(7)) in base64: access control list, SELinux
    /// label, capabilities, notes of users; none as for the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended: Option<BTreeMap<String, String>>,
}

impl Attributes {
    /// Those of a new file: the rest is as its folder has it for new files.
    pub(crate) fn new(mode: u32) -> Self {
        Self { mode, owner: None, extended: None }
    }

    /// Those of the file at `path`; none where there is no file.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Self {
            mode: found.mode() & 0o7777,
            owner: Some((found.uid(), found.gid())),
            extended: Some(extended(path)?),
        }))
    }

    /// Those that a file gets which is to have these permission bits. One that is
    /// there keeps its own, but for one's own eyes, which becomes ours alone.
    pub(crate) fn for_text(path: &Path, mode: u32) -> io::Result<Self> {
        let Some(mut own) = Self::of(path)? else { return Ok(Self::new(mode)) };
        if mode & 0o077 == 0 {
            own.mode = mode;
            own.owner = None;
            own.extended.iter_mut().for_each(|all| drop(all.remove(ACL)));
        }
        Ok(own)
    }

    /// With what an earlier version's receipt did not note as it is now.
    pub(crate) fn completed_by(mut self, now: Option<Self>) -> Self {
        let (owner, extended) = now.map_or((None, None), |now| (now.owner, now.extended));
        self.owner = self.owner.or(owner);
        self.extended = self.extended.or(extended);
        self
    }

    /// Gives them to a file that only its owner may read until then.
    pub(crate) fn give(&self, file: &File) -> io::Result<()> {
        if let Some((user, group)) = self.owner {
            let now = file.metadata()?;
            if (now.uid(), now.gid()) != (user, group) {
                fchown(file, Some(user), Some(group))?;
            }
        }
        // After the owner, with whom capabilities would go.
        if let Some(all) = &self.extended {
            if !all.contains_key(ACL) {
                match fremovexattr(file, ACL) {
                    Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            for (name, value) in all {
                set(file, name, value)?;
            }
        }
        file.set_permissions(Permissions::from_mode(self.mode))
    }
}

fn extended(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut buffer = vec![0; LARGEST];
    let names = match listxattr(path, &mut buffer[..]) {
        Ok(length) => buffer.get(..length).unwrap_or_default(),
        Err(Errno::OPNOTSUPP) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let mut value = vec![0; LARGEST];
    let mut all = BTreeMap::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = std::ffi::OsStr::from_bytes(name);
        let Some(text) = name.to_str().filter(|name| !OF_THE_BYTES.contains(name)) else {
            continue;
        };
        match getxattr(path, name, &mut value[..]) {
            Ok(length) => {
                let bytes = value.get(..length).unwrap_or_default();
                all.insert(text.to_owned(), STANDARD.encode(bytes));
            }
            // It has gone meanwhile, or is for others' eyes.
            Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

fn set(file: &File, name: &str, value: &str) -> io::Result<()> {
    let fail = |words: String| io::Error::other(format!("keeping its attribute {name}: {words}"));
    let value = STANDARD.decode(value).map_err(|error| fail(error.to_string()))?;
    let mut now = vec![0; LARGEST];
    // The kernel lets nobody write some that a new file has already.
    if fgetxattr(file, name, &mut now[..]).is_ok_and(|length| now.get(..length) == Some(&value)) {
        return Ok(());
    }
    fsetxattr(file, name, &value, XattrFlags::empty())
        .map_err(|error| fail(io::Error::from(error).to_string()))
}
