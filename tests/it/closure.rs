//! The closure against what CentOS's own yum and Debian's dnf choose.

use std::fs;
use std::path::PathBuf;

use bundle_format::Architecture;
use bundler::fetch::file::FileFetch;
use bundler::rpm::closure::{self, Installed, Request, Universe};
use bundler::rpm::location;
use bundler::rpm::repository::Repository;
use url::Url;

use crate::support::shared_data;

fn load(folder: &str, id: &str) -> Repository {
    let path: PathBuf = fs::canonicalize(folder).unwrap();
    let url = location::folder(&Url::from_file_path(&path).unwrap());
    let repomd = fs::read(path.join("repodata/repomd.xml")).unwrap();
    let mut repository = Repository::load(&FileFetch, id, &url, 99, &repomd).unwrap();
    repository.load_filelists(&FileFetch, &|_| true).unwrap();
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

/// The versions that people write: the epoch is left out, as in a file's name.
#[test]
fn a_request_without_an_epoch_is_for_any() {
    let Some(data) = shared_data::folder() else { return };
    let base = load(&format!("{}/repodata/centos7/base", data.display()), "base");
    let ol7 = load(&format!("{}/repodata/centos7/ol7", data.display()), "ol7");
    let repositories = [base, ol7];
    let universe = Universe::new(&repositories, Architecture::X86_64, |_, _| false);
    for (request, wanted) in [
        ("libpcap-1.5.3-12.el7.x86_64", Some("libpcap-14:1.5.3-12.el7.x86_64")),
        ("libpcap-1.5.3-12.el7", Some("libpcap-14:1.5.3-12.el7.x86_64")),
        ("libpcap-1.5.3", Some("libpcap-14:1.5.3-12.el7.x86_64")),
        ("libpcap-14:1.5.3", Some("libpcap-14:1.5.3-12.el7.x86_64")),
        ("libpcap-13:1.5.3", None),
        ("libpcap-0:1.5.3-12.el7.x86_64", None),
        ("libpcap-1.5.4", None),
    ] {
        let candidates = Request::parse(request).unwrap().candidates(&universe);
        let found: Vec<String> =
            candidates.iter().map(|id| universe.package(*id).nevra.to_string()).collect();
        assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "{request}");
    }
}

#[test]
fn the_command_line_answers_as_documented() {
    let Some(data) = shared_data::folder() else { return };
    let data = fs::canonicalize(data).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bundler"));
        command.arg("resolve").env("XDG_CACHE_HOME", cache.path());
        for id in ["base", "ol7", "recon"] {
            command.arg("--repo");
            command.arg(format!("{id}=file://{}/repodata/centos7/{id}", data.display()));
        }
        let output = command.args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, empty_root, notices) = run(&["--baseline", "none", "socat"]);
    assert_eq!(status, Some(0));
    assert!(empty_root.contains("socat-1.7.3.2-2.el7.x86_64\n"));
    assert_eq!(notices.matches("is not checked").count(), 3, "{notices}");
    let mut sorted: Vec<&str> = empty_root.lines().collect();
    sorted.sort_unstable();
    assert_eq!(sorted, empty_root.lines().collect::<Vec<_>>());
    // No group `core` here: the default is then the empty node, said so.
    let (_, by_default, notices) = run(&["socat"]);
    assert_eq!(by_default, empty_root);
    assert!(notices.contains("no repository has a group `core`"), "{notices}");
    // A real node lacks just these two.
    let node = format!("{}/closures/centos7-minimal-node.rpm-qa.tsv", data.display());
    let (_, missing, _) = run(&["--baseline", &node, "tcpdump", "socat"]);
    assert_eq!(missing, "libpcap-14:1.5.3-12.el7.x86_64\ntcpdump-14:4.9.2-4.el7_7.1.x86_64\n");

    for request in ["perl-CGI", "nothing-of-the-kind", "socat >= 99"] {
        let (status, stdout, error) = run(&["--baseline", "none", request]);
        assert_eq!((status, stdout.as_str()), (Some(1), ""), "{request}");
        assert!(error.contains("error: "), "{error}");
    }
    let (_, _, error) = run(&["--baseline", "none", "device-mapp*"]);
    assert!(error.contains("patterns are not read"), "{error}");
    assert_eq!(run(&["--repo", "no-url", "socat"]).0, Some(2));
    for repository in [
        "x=u:HUNTER2@a.example.com,gpgkey=k",
        "x=https://u:HUNTER2@a.example.com/,gpgkey=k",
        "x=file:///,gpgkey=https://u:HUNTER2@a.example.com/k",
    ] {
        let (status, _, error) = run(&["--repo", repository, "socat"]);
        assert!(status != Some(0) && !error.contains("HUNTER2"), "{repository}: {error}");
    }
}
