//! `fuzz`: one target for as long as one likes.
#![allow(clippy::disallowed_methods, reason = "it shows only its own words and escaped bytes")]

use std::path::{Path, PathBuf};
use std::process::{ExitCode, exit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, thread};

use anyhow::Context;
use clap::Parser;
use fuzz::run::{LIMIT, Run};
use fuzz::targets::{SKIPPED, TARGETS};
use fuzz::{grammar, seeds};

/// Try a parser on broken inputs
#[derive(Parser)]
#[command(name = "fuzz", version)]
struct Arguments {
    /// The parser
    #[arg(value_parser = TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>())]
    target: String,
    /// For how long, in seconds; 0 tries only the seeds and the files
    seconds: u64,
    /// More inputs to begin with, such as one that a run has written
    files: Vec<PathBuf>,
    /// The beginning of the random numbers [default: another one each time]
    #[arg(long, value_name = "NUMBER")]
    numbers: Option<u64>,
}

/// When the current input was begun, in milliseconds from the start.
static BEGUN: AtomicU64 = AtomicU64::new(0);

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let name = arguments.target.as_str();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let numbers = arguments.numbers.unwrap_or(now.map_or(0, |time| time.as_secs()));
    let found = TARGETS.iter().find(|(other, _)| *other == name);
    let (_, target) = found.context("there is no such target")?;
    let file = std::env::temp_dir().join(format!("fuzz-{name}-{}", std::process::id()));
    println!("{name}: numbers {numbers}; if this ends in the middle, {} did it", file.display());

    let start = Instant::now();
    watch(start, file.clone());
    let mut run = Run::new(*target, grammar::of(name), numbers);
    let more = arguments.files.iter().map(fs::read);
    for input in seeds::of(name).into_iter().map(Ok).chain(more) {
        let input = input.context("reading a file")?;
        begin(start, &file, &input)?;
        match run.seed(&input) {
            Ok(outcome) if outcome.starts_with(SKIPPED) => anyhow::bail!(outcome),
            Ok(_) => {}
            Err(crash) => return Ok(crashed(&crash.to_string(), name, &file)),
        }
    }
    while start.elapsed() < Duration::from_secs(arguments.seconds) {
        let input = run.broken();
        begin(start, &file, &input)?;
        if let Err(crash) = run.take(input) {
            return Ok(crashed(&crash.to_string(), name, &file));
        }
    }
    let (tried, outcomes, taken) = (run.tried(), run.outcomes(), start.elapsed().as_secs());
    println!("{name}: {tried} inputs in {taken} s, {outcomes} kinds of outcomes, no crash");
    fs::remove_file(&file).context("removing the last input")?;
    Ok(ExitCode::SUCCESS)
}

/// Writes an input to a file before it is tried: a stack that overflows ends all.
fn begin(start: Instant, file: &Path, input: &[u8]) -> anyhow::Result<()> {
    fs::write(file, input).with_context(|| format!("writing {}", file.display()))?;
    let now = u64::try_from(start.elapsed().as_millis())?;
    BEGUN.store(now, Ordering::Relaxed);
    Ok(())
}

fn crashed(reason: &str, name: &str, file: &Path) -> ExitCode {
    println!("{reason}\nagain: cargo run -p fuzz {name} 0 {}", file.display());
    ExitCode::FAILURE
}

/// Ends the program if an input takes for ever.
fn watch(start: Instant, file: PathBuf) {
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_secs(1));
            let begun = Duration::from_millis(BEGUN.load(Ordering::Relaxed));
            if start.elapsed().saturating_sub(begun) > LIMIT * 3 {
                println!("an input takes for ever; it is in {}", file.display());
                exit(1);
            }
        }
    });
}
