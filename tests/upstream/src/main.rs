//! `upstream`: serves the embedded upstream until its standard input ends.

use std::io;

use anyhow::{Context, Result};
use clap::Parser;
use upstream::Upstream;

/// Serve yum repositories, a registry and manifests on loopback. Prints the
/// base URL as one line, then serves until standard input is closed.
#[derive(Parser)]
struct Arguments {
    /// Also offer the image `large:latest` of so many MiB.
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    large_image: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let upstream = Upstream::start_with_large_image(arguments.large_image)?;
    println!("{}", upstream.url());
    io::copy(&mut io::stdin().lock(), &mut io::sink()).context("waiting for the end of input")?;
    Ok(())
}
