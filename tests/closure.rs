//! The closure against what CentOS's own yum and Debian's dnf choose.
#![allow(clippy::unwrap_used, reason = "a test ends where it finds something unexpected")]

use std::fs;
use std::path::PathBuf;

use bundle_format::Architecture;
use bundler::fetch::file::FileFetch;
use bundler::rpm::closure::{self, Installed, Request, Universe};
use bundler::rpm::repository::{self, Repository};
use url::Url;

#[path = "support/shared_data.rs"]
mod shared_data;

fn load(folder: &str, id: &str) -> Repository {
    let path: PathBuf = fs::canonicalize(folder).unwrap();
    let url = repository::folder(&Url::from_file_path(&path).unwrap());
    let repomd = fs::read(path.join("repodata/repomd.xml")).unwrap();
    let mut repository = Repository::load(&FileFetch, id, &url, 99, &repomd).unwrap();
    repository.load_filelists(&FileFetch).unwrap();
    repository
}

/// The answer in the table's words.
fn solve(universe: &Universe, request: &str) -> String {
    let requests: Vec<Request> =
        request.split(' ').map(|text| Request::parse(text).unwrap()).collect();
    match closure::solve(universe, &requests, &Installed::default()) {
        Ok(solution) => {
            let packages: Vec<String> = solution
                .packages
                .iter()
                .map(|id| universe.package(*id).nevra.to_string())
                .collect();
            packages.join(" ")
        }
        Err(_) => "unsolvable".to_owned(),
    }
}

#[test]
fn equals_yum_and_dnf_on_centos_7() {
    let Some(data) = shared_data::folder() else { return };
    let repositories: Vec<Repository> = ["base", "ol7", "recon"]
        .iter()
        .map(|id| load(&format!("{}/repodata/centos7/{id}", data.display()), id))
        .collect();
    let universe = Universe::new(&repositories, Architecture::X86_64, |_, _| false);
    let table = std::env::var("KUBEFERRY_CLOSURES")
        .unwrap_or_else(|_| format!("{}/closures/centos7-yum.tsv", data.display()));
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in fs::read_to_string(table).unwrap().lines() {
        let (request, wanted) = line.split_once('\t').unwrap();
        let found = solve(&universe, request);
        count += 1;
        let mut wanted: Vec<&str> = wanted.split(' ').collect();
        let mut found: Vec<&str> = found.split(' ').collect();
        wanted.sort_unstable();
        found.sort_unstable();
        if wanted != found {
            let missing: Vec<_> = wanted.iter().filter(|name| !found.contains(name)).collect();
            let surplus: Vec<_> = found.iter().filter(|name| !wanted.contains(name)).collect();
            wrong.push(format!("{request}: missing {missing:?}, surplus {surplus:?}"));
        }
    }
    assert!(count >= 63);
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
