//! Lists the crates that are linked into the program. The list goes into the program, where
//! `bundler` finds it for a bundle's bill of materials (`docs/bundle-format.md`).

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    for file in ["Cargo.toml", "../Cargo.toml", "../Cargo.lock", "../bundle-format/Cargo.toml"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let variable = |name: &str| env::var_os(name).ok_or_else(|| format!("cargo sets no {name}"));
    let output = Command::new(variable("CARGO")?)
        .args(["tree", "--offline", "--locked", "--package", "installer", "--target"])
        .arg(variable("TARGET")?)
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}\t{l}"])
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let mut lines = BTreeSet::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        // `serde v1.0.0\tMIT`; a crate of ours has its folder behind its version, and one
        // that was listed before has `(*)` at the end.
        let Some((name, licence)) = line.split_once('\t') else { continue };
        let mut words = name.split(' ');
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let licence = licence.trim_end_matches(" (*)");
            lines.insert(format!("{name}\t{}\t{licence}\n", version.trim_start_matches('v')));
        }
    }
    let list: String = lines.into_iter().collect();
    let path = PathBuf::from(variable("OUT_DIR")?).join("crates.txt");
    fs::write(path, format!("kubeferry-crates 1\n{list}\0"))?;
    Ok(())
}
