//! The processor's level, by the x86-64 psABI.

use bundle_format::Architecture;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;

/// The flags of level 2, by their names in `/proc/cpuinfo` (psABI,
/// "Micro-Architecture Levels"); `pni` is SSE3.
const SECOND: [&str; 7] = ["cx16", "lahf_lm", "pni", "popcnt", "sse4_1", "sse4_2", "ssse3"];
/// The additional flags of level 3; `abm` is LZCNT.
const THIRD: [&str; 9] = ["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"];

const CURE: &str = "give the virtual machine its host's processor (`host-passthrough`, or a \
                    newer model and EVC mode), or take another machine";

/// el9's packages are built for level 2, el10's for level 3.
pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let family = intent.target.family.as_str();
    let (level, wanted) = match family {
        "el9" => (2, SECOND.to_vec()),
        "el10" => (3, [&SECOND[..], &THIRD].concat()),
        _ => return Ok(Vec::new()),
    };
    let lacks = lacking(host, intent, &wanted)?;
    let problem = |lacks: Vec<&str>| {
        Failure::new(
            format!(
                "packages of {family} are made for x86-64-v{level}, and this processor lacks {}",
                lacks.join(", ")
            ),
            CURE,
        )
    };
    Ok(lacks.map(problem).into_iter().collect())
}

/// Which images are made for it nobody can see before they run: those on Red Hat's UBI
/// 9 are, as newer Calico's.
pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    if matches!(intent.target.family.as_str(), "el9" | "el10") {
        return Ok(Vec::new());
    }
    let lacks = lacking(host, intent, &SECOND)?;
    let warning = |lacks: Vec<&str>| {
        Failure::new(
            format!(
                "this processor is below x86-64-v2, since it lacks {}: containers of images made \
                 for that, such as newer Calico's, end at once",
                lacks.join(", ")
            ),
            CURE,
        )
    };
    Ok(lacks.map(warning).into_iter().collect())
}

/// What the first processor lacks; none where it has all, or says nothing.
fn lacking<'a>(
    host: &Host,
    intent: &Intent,
    wanted: &[&'a str],
) -> anyhow::Result<Option<Vec<&'a str>>> {
    if intent.facts.architecture != Architecture::X86_64 {
        return Ok(None);
    }
    let text = host.read("/proc/cpuinfo")?.unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags")?.split_once(':'));
    let Some((_, flags)) = flags else { return Ok(None) };
    let here: Vec<&str> = flags.split_ascii_whitespace().collect();
    let lacks: Vec<&str> = wanted.iter().copied().filter(|name| !here.contains(name)).collect();
    Ok((!lacks.is_empty()).then_some(lacks))
}
