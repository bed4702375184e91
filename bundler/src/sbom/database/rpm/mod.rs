//! rpm's databases: each has the headers of the packages that are installed. SQLite's and
//! SUSE's own form (`ndb`) are read. Berkeley DB, which rpm had up to el8, is not: there is
//! no kept crate for it, and none reads any of these from memory.

mod damage;
mod header;
mod ndb;
mod sqlite;

use std::io;

use super::package::{Package, add};

/// The packages in a database, whichever its form is.
pub(super) fn packages(database: &[u8]) -> io::Result<Vec<Package>> {
    let headers = if database.starts_with(sqlite::MAGIC) {
        sqlite::blobs(database, "Packages")?
    } else if database.starts_with(ndb::MAGIC) {
        ndb::blobs(database)?
    } else if is_berkeley(database) {
        return Err(io::Error::other("it is a Berkeley DB, which is not read"));
    } else {
        return Err(io::Error::other("it is no database that rpm uses"));
    };
    let mut packages = Vec::new();
    for header in headers {
        if let Some(package) = header::package(&header)? {
            add(&mut packages, package)?;
        }
    }
    Ok(packages)
}

/// Berkeley DB's hash tables have this number in their first page (its `db_page.h`), in
/// either order of bytes.
fn is_berkeley(database: &[u8]) -> bool {
    const HASH: [u8; 4] = 0x0006_1561_u32.to_le_bytes();
    let magic = database.get(12..16).unwrap_or_default();
    magic == HASH || magic.iter().rev().eq(&HASH)
}

#[cfg(test)]
mod tests {
    use super::packages;

    #[test]
    fn other_databases_are_named() {
        let mut berkeley = vec![0; 512];
        berkeley[12..16].copy_from_slice(&[0x61, 0x15, 6, 0]);
        assert!(packages(&berkeley).unwrap_err().to_string().contains("Berkeley"));
        assert!(packages(b"").is_err() && packages(&[0xff; 99]).is_err());
    }
}
