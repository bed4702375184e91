//! rpm's databases: each has the headers of the packages that are installed. There are three
//! forms: SQLite, rpm's own (`ndb`), and Berkeley DB.

mod berkeley;
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
    } else if berkeley::is_one(database) {
        berkeley::blobs(database)?
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

#[cfg(test)]
mod tests {
    use super::packages;

    #[test]
    fn what_is_no_database_is_an_error() {
        for bytes in [&b""[..], &[0xff; 99], b"SQLite format 3\0", b"RpmP"] {
            assert!(packages(bytes).is_err());
        }
    }
}
