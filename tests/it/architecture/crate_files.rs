//! The files of a crate, and which of them need which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::source::{Import, Module, Source};

/// What each needs of others: their names, and which things of them.
pub(super) type Needs = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The files that are compiled when it is no test.
pub(super) struct CrateFiles {
    files: BTreeMap<Module, File>,
}

struct File {
    /// Its path below `src`.
    path: String,
    lines: usize,
    source: Source,
}

impl CrateFiles {
    /// Those of a crate of this workspace.
    pub(super) fn read(name: &str) -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        let mut texts = Vec::new();
        walk(&src, &src, &mut texts);
        Self::parse(&texts)
    }

    /// Those that `mod` leads to from `lib.rs`; each has its path below `src`, and its
    /// text.
    pub(super) fn parse(texts: &[(String, String)]) -> Self {
        let all: BTreeMap<Module, &(String, String)> =
            texts.iter().map(|one| (module(&one.0), one)).collect();
        let mut files = BTreeMap::new();
        let mut next = vec![Module::new()];
        while let Some(module) = next.pop() {
            let (path, text) = all.get(&module).unwrap_or_else(|| panic!("no file of {module:?}"));
            let source = Source::parse(&module, text).unwrap_or_else(|error| {
                panic!("{path}:{}: {error}", error.span().start().line);
            });
            next.extend(source.children.iter().cloned());
            files.insert(module, File { path: path.clone(), lines: text.lines().count(), source });
        }
        Self { files }
    }

    /// What each file needs of the others. A thing that a file re-exports is of that
    /// file for those who take it from there.
    pub(super) fn needs(&self) -> Needs {
        let mut needs = Needs::new();
        for (module, file) in &self.files {
            let own = needs.entry(file.path.clone()).or_default();
            for (target, name) in self.needed(module, file) {
                own.entry(target).or_default().insert(name);
            }
        }
        needs
    }

    /// What the folders and files right below `src` need of one another.
    pub(super) fn rooms(&self) -> Needs {
        let room = |path: &str| match path.split_once('/') {
            Some((folder, _)) => folder.to_owned(),
            None => path.trim_end_matches(".rs").to_owned(),
        };
        let mut rooms = Needs::new();
        for (from, targets) in self.needs() {
            let from = room(&from);
            let own = rooms.entry(from.clone()).or_default();
            let targets = targets.into_iter().map(|(to, names)| (room(&to), names));
            for (to, names) in targets.filter(|(to, _)| *to != from) {
                own.entry(to).or_default().extend(names);
            }
        }
        rooms
    }

    /// Paths with their number of lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, usize)> {
        self.files.values().map(|file| (file.path.as_str(), file.lines))
    }

    /// Functions with their files and their number of lines.
    pub(super) fn functions(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        self.files.values().flat_map(|file| {
            let functions = file.source.functions.iter();
            functions.map(|(name, lines)| (file.path.as_str(), name.as_str(), *lines))
        })
    }

    /// Files and things of theirs.
    fn needed(&self, own: &Module, file: &File) -> Vec<(String, String)> {
        let mut needed = Vec::new();
        let mut add = |path: &[String]| {
            let (module, rest) = self.split(path);
            if module != own.as_slice() {
                let name = rest.first().map_or("*", String::as_str);
                needed.push((self.files[module].path.clone(), name.to_owned()));
            }
        };
        for import in &file.source.imports {
            if let Some(path) = self.absolute(file, &import.module, &import.path, 0)
                // A module that is imported is needed for what is used of it.
                && !(import.is_private && self.files.contains_key(&path))
            {
                add(&path);
            }
        }
        for (module, path) in &file.source.paths {
            if let Some(path) = self.absolute(file, module, path, 0) {
                add(&path);
            }
        }
        needed
    }

    /// The longest part of a path that is a file's module, and what comes behind it.
    fn split<'a>(&self, path: &'a [String]) -> (&'a [String], &'a [String]) {
        let is_file = |length: &usize| self.files.contains_key(&path[..*length]);
        path.split_at((0..=path.len()).rev().find(is_file).unwrap_or_default())
    }

    /// A path from the crate's root, where it is one of this crate.
    fn absolute(
        &self,
        file: &File,
        module: &Module,
        path: &[String],
        depth: usize,
    ) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let below = |base: &[String]| Some([base, rest].concat());
        match first.as_str() {
            "crate" => return below(&[]),
            "self" => return below(module),
            "super" => {
                let parent = module.split_last()?.1.to_vec();
                if rest.first().is_some_and(|next| next == "super") {
                    return self.absolute(file, &parent, rest, depth);
                }
                return below(&parent);
            }
            _ => {}
        }
        let child = [module.as_slice(), std::slice::from_ref(first)].concat();
        if self.files.contains_key(&child) {
            return below(&child);
        }
        // `use a::b;` makes `b::c` a path; an import may stand on another.
        let is_it = |import: &&Import| {
            import.module == *module && import.name == *first && import.path != path
        };
        let import = file.source.imports.iter().find(is_it).filter(|_| depth < 8)?;
        below(&self.absolute(file, module, &import.path, depth + 1)?)
    }
}

/// Those that need each other, each with what ties it to the others.
pub(super) fn circles(needs: &Needs) -> Vec<String> {
    let mut graph = DiGraph::<&str, ()>::new();
    let nodes: BTreeMap<&str, _> =
        needs.keys().map(|name| (name.as_str(), graph.add_node(name))).collect();
    for (from, targets) in needs {
        for to in targets.keys() {
            graph.add_edge(nodes[from.as_str()], nodes[to.as_str()], ());
        }
    }
    let mut circles: Vec<BTreeSet<&str>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|circle| circle.len() > 1)
        .map(|circle| circle.into_iter().map(|node| graph[node]).collect())
        .collect();
    circles.sort_by_key(|circle| (circle.len(), circle.first().copied()));
    circles.iter().map(|circle| told(needs, circle)).collect()
}

fn told(needs: &Needs, circle: &BTreeSet<&str>) -> String {
    let mut told = format!("{} need each other:\n", circle.len());
    for from in circle {
        let ties = needs[*from].iter().filter(|(to, _)| circle.contains(to.as_str()));
        for (to, names) in ties {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            told += &format!("  {from} -> {to}: {}\n", names.join(", "));
        }
    }
    told
}

/// `a/mod.rs` and `a.rs` are the module `a`, `lib.rs` the crate's root.
fn module(path: &str) -> Module {
    let mut module: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    module
}

fn walk(root: &Path, folder: &Path, texts: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, texts);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            texts.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}
