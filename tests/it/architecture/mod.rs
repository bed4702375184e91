//! How the sources are laid out: no two files of a crate and no two top folders need each
//! other, and nothing is too long to be read in one go.
//!
//! A file needs another where it imports something of it, or names something of it by a
//! path, in a macro's call as well. `mod x;` is no need, and tests are left out.
//!
//! `cargo modules dependencies --acyclic` (0.27) does something else. It draws a graph of
//! items: `mod x;` is a need there, and a method that returns its own type is a circle.
//! It does not look into functions, stops at the first circle, and compiles 280 crates,
//! rust-analyzer among them. Parsing with `syn` takes about a second.

mod crate_files;
mod examples;
mod source;

use self::crate_files::{CrateFiles, circles};

/// The most lines of a file.
const FILE: usize = 500;
/// The most lines of a function.
const FUNCTION: usize = 60;

fn assert_no_circle(name: &str) {
    let circles = circles(&CrateFiles::read(name).needs());
    assert!(circles.is_empty(), "{} circles of {name}:\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn no_two_files_of_bundle_format_need_each_other() {
    assert_no_circle("bundle-format");
}

#[test]
fn no_two_files_of_distribution_need_each_other() {
    assert_no_circle("distribution");
}

#[test]
fn no_two_files_of_bundler_need_each_other() {
    assert_no_circle("bundler");
}

#[test]
fn no_two_files_of_installer_need_each_other() {
    assert_no_circle("installer");
}

#[test]
fn no_two_rooms_of_a_program_need_each_other() {
    let mut found = Vec::new();
    for name in ["bundler", "distribution", "installer"] {
        let rooms = CrateFiles::read(name).rooms();
        for (room, needed) in &rooms {
            let needed: Vec<&str> = needed.keys().map(String::as_str).collect();
            println!("{name} {room} -> {}", needed.join(" "));
        }
        found.extend(circles(&rooms).into_iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_and_no_function_is_too_long() {
    let mut found = Vec::new();
    for name in ["bundle-format", "bundler", "distribution", "installer"] {
        let files = CrateFiles::read(name);
        let long = files.lines().filter(|(_, lines)| *lines > FILE);
        found.extend(long.map(|(path, lines)| format!("{name}/src/{path}: {lines} lines")));
        let long = files.functions().filter(|(.., lines)| *lines > FUNCTION);
        found.extend(long.map(|(path, function, lines)| {
            format!("{name}/src/{path}: `{function}` has {lines} lines")
        }));
    }
    assert!(found.is_empty(), "longer than {FILE} or {FUNCTION} lines:\n{}", found.join("\n"));
}
