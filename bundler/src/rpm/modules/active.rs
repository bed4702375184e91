//! Which builds of streams are active on a node where no module was enabled: those of
//! default streams, and of the streams that these need, if what they need exists
//! (libdnf's `ModulePackageContainer::resolveActiveModulePackages`).

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Requirement, Stream};

/// The pseudo-module that stands for the distribution.
const PLATFORM: &str = "platform";

/// The positions in `streams` of the active builds. `chosen` has the default stream
/// of each module.
///
/// libdnf names a build by its stream and its needs, without the platform. It lets
/// libsolv take the newest build of one of these names. Then every build with that
/// name counts as active.
pub(super) fn active<'a>(
    streams: &'a [Stream],
    chosen: BTreeMap<&'a str, &'a str>,
    platform: Option<&str>,
    arch: &str,
) -> BTreeSet<usize> {
    let runs = |stream: &Stream| {
        let mut of_platform = stream.requires.iter().filter(|need| need.module == PLATFORM);
        of_platform.all(|need| platform.is_none_or(|platform| accepts(need, platform)))
    };
    let builds: Vec<Build<'_>> = streams
        .iter()
        .filter(|stream| stream.arch.as_deref().is_none_or(|own| own == arch || own == "noarch"))
        .map(|stream| Build { stream, runs: runs(stream), name: name(stream) })
        .collect();
    let taken: BTreeSet<String> = taken(&builds, chosen).into_iter().collect();
    let places = streams.iter().enumerate().filter(|(_, stream)| taken.contains(&name(stream)));
    places.map(|(place, _)| place).collect()
}

struct Build<'a> {
    stream: &'a Stream,
    /// Whether it is for the nodes' platform.
    runs: bool,
    name: String,
}

/// libdnf's name for a build (`setSovable` in `ModulePackage.cpp`): its stream, and
/// then its context if that is fixed, or else the modules that it needs.
fn name(stream: &Stream) -> String {
    let rest = match &stream.static_context {
        Some(context) => context.clone(),
        None => {
            needs(stream).map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect()
        }
    };
    format!("{stream}:{rest}")
}

/// The names of the builds that libsolv takes.
fn taken<'a>(builds: &[Build<'a>], defaults: BTreeMap<&'a str, &'a str>) -> Vec<String> {
    let mut chosen = defaults.clone();
    chosen.retain(|module, name| {
        builds.iter().any(|build| build.stream.module == *module && build.stream.name == *name)
    });
    let mut given_up = BTreeSet::new();
    loop {
        let found: Vec<(&str, Option<&Build<'a>>)> = chosen
            .iter()
            .map(|(module, name)| {
                let of_stream = builds.iter().filter(|build| {
                    let stream = build.stream;
                    stream.module == *module
                        && stream.name == *name
                        && (build.runs || defaults.contains_key(module))
                });
                (*module, build_of(of_stream, |need| met(builds, &chosen, need)))
            })
            .collect();
        let without: Vec<&str> =
            found.iter().filter(|(_, build)| build.is_none()).map(|(module, _)| *module).collect();
        given_up.extend(without.iter().filter_map(|module| chosen.remove_entry(module)));
        let taken: Vec<&Build<'a>> = found.iter().filter_map(|(_, build)| *build).collect();
        // An active stream also activates the stream of a module without a
        // default that it needs.
        let needed = taken.iter().flat_map(|build| needs(build.stream)).find_map(|need| {
            builds.iter().find(|build| {
                let Stream { module, name, .. } = build.stream;
                build.runs
                    && fills(build.stream, need)
                    && !chosen.contains_key(module.as_str())
                    && !given_up.contains(&(module.as_str(), name.as_str()))
            })
        });
        match needed {
            Some(build) => drop(chosen.insert(&build.stream.module, &build.stream.name)),
            None if without.is_empty() => {
                return taken.into_iter().map(|build| build.name.clone()).collect();
            }
            None => {}
        }
    }
}

/// The build of a stream that libsolv takes. It goes through the names in
/// alphabetical order, and takes the newest build of the first name whose newest
/// build has what it needs (`prune_to_best_version`).
fn build_of<'a, 'b>(
    of_stream: impl Iterator<Item = &'b Build<'a>>,
    met: impl Fn(&Requirement) -> bool,
) -> Option<&'b Build<'a>>
where
    'a: 'b,
{
    let mut newest: BTreeMap<&str, &Build<'a>> = BTreeMap::new();
    for build in of_stream {
        let known = newest.entry(&build.name).or_insert(build);
        if build.stream.version > known.stream.version {
            *known = build;
        }
    }
    newest.into_values().find(|build| build.runs && needs(build.stream).all(&met))
}

/// Whether what a build needs is active, or can become active.
fn met(builds: &[Build<'_>], chosen: &BTreeMap<&str, &str>, need: &Requirement) -> bool {
    match chosen.get(need.module.as_str()) {
        Some(stream) => accepts(need, stream),
        None => builds.iter().any(|build| build.runs && fills(build.stream, need)),
    }
}

fn needs(stream: &Stream) -> impl Iterator<Item = &Requirement> {
    stream.requires.iter().filter(|need| need.module != PLATFORM)
}

fn accepts(need: &Requirement, stream: &str) -> bool {
    let named = |names: &[String]| names.iter().any(|name| name == stream);
    (need.streams.is_empty() || named(&need.streams)) && !named(&need.refused)
}

fn fills(stream: &Stream, need: &Requirement) -> bool {
    stream.module == need.module && accepts(need, &stream.name)
}
