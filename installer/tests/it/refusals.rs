//! What is refused before anything is changed, with its cure.

use installer::engine::run;
use installer::failure::{Failure, cure_of_denial, describe};
use installer::install::Steps;
use installer::intent::Intent;
use installer::node::certificates::certificate::Certificate;
use installer::node::join::{Expiry, JoinFile};
use installer::preflight;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::member::{Authority, config_of};
use crate::node::text::write;
use crate::node::{Fault, Node, kinds};

/// Runs just one of the role's steps; gives the error's text.
fn refused(node: &Node, step: StepName) -> String {
    let mut steps: Steps = order::steps(node.role);
    steps.retain(|one| one.name() == step);
    let before = node.tree();
    let (host, commands) = node.look(None);
    let end = run::apply(&mut host.open().unwrap(), &node.intent(), &steps, &mut |_, _, _| ());
    assert_eq!(commands.made(), [""; 0]);
    assert_eq!(node.tree(), before);
    describe(&end.unwrap_err(), None)
}

/// The node's intention, with a master that refuses at once.
fn intent(node: &Node) -> Intent {
    let mut intent = node.intent();
    if let Some(join) = &mut intent.join {
        join.endpoint = "127.0.0.1:9".to_owned();
    }
    intent
}

/// What preflight says of a kind.
fn problems(node: &Node, intent: &Intent, of: &str) -> Vec<(String, String)> {
    let text = |problem: &Failure| (problem.to_string(), problem.cure().to_owned());
    let problems = preflight::problems(&node.look(None).0, intent);
    problems.iter().map(text).filter(|(what, _)| what.contains(of)).collect()
}

const TRACKING: &str =
    "0A000001,10.0.0.1,11,1700000000.1,OFFSET,0.1,0.1,1.0,0.0,0.1,0.1,0.1,64.2,Normal\n";

#[test]
fn no_node_enters_a_cluster_with_another_time() {
    for (role, step) in [(Role::Master, StepName::ControlPlane), (Role::Worker, StepName::Join)] {
        for (offset, shown) in [("-45.25", "45.2 s"), ("30.1", "30.1 s"), ("86400", "86400.0 s")] {
            let node = kinds::bare(role);
            write(&node, "run/chrony/tracking", &TRACKING.replace("OFFSET", offset));
            let text = refused(&node, step);
            let what = format!(
                "this node's clock is {shown} away from that of its time source 10.0.0.1, and 30 s \
                 are allowed"
            );
            assert!(text.contains(&what) && text.contains("chronyc makestep"), "{text}");
            assert!(problems(&node, &intent(&node), "clock").is_empty(), "chrony will set it");

            node.apply(None).end.unwrap();
            let told = problems(&node, &intent(&node), "clock");
            assert_eq!(told.len(), 1);
            assert_eq!(told[0].0, what);
            write(&node, "etc/kubernetes/kubelet.conf", "");
            assert!(problems(&node, &intent(&node), "clock").is_empty(), "it is in already");
        }
        let node = kinds::bare(role);
        let (host, _) = node.look(None);
        let intent = node.intent();
        for tracking in ["", "Cannot talk to daemon\n", &TRACKING.replace("OFFSET", "-29.9")] {
            write(&node, "run/chrony/tracking", tracking);
            let steps = order::steps(role);
            let step = steps.iter().find(|one| one.name() == step).unwrap();
            let told = step.before(&installer::engine::step::Node { host: &host, intent: &intent });
            // This master's bundle has none of kubeadm's images, which comes later.
            let told = told.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!told.contains("clock"), "{told}");
        }
    }
}

#[test]
fn a_token_that_has_expired_is_told_before_it_is_tried() {
    let node = kinds::bare(Role::Worker);
    let mut old = intent(&node);
    let expired = Expiry::try_from("2020-01-01T00:00:00Z".to_owned()).unwrap();
    old.join.as_mut().unwrap().expires = expired;
    let told = problems(&node, &old, "token");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "the join file's token has expired, at 2020-01-01T00:00:00Z");
    assert!(told[0].1.contains("installer token"), "{}", told[0].1);
    let (host, _) = node.look(None);
    let steps = order::steps(node.role);
    let join = steps.iter().find(|step| step.name() == StepName::Join).unwrap();
    join.before(&installer::engine::step::Node { host: &host, intent: &old }).unwrap_err();

    assert!(problems(&node, &intent(&node), "token").is_empty(), "it holds");
    write(&node, "etc/kubernetes/kubelet.conf", "");
    assert!(problems(&node, &old, "token").is_empty(), "it is in already");
}

#[test]
fn a_worker_is_made_as_its_cluster_is() {
    let node = kinds::bare(Role::Worker);
    let mut other = intent(&node);
    other.cluster.pod_cidr = "10.9.0.0/16".parse().unwrap();
    other.cluster.ntp_servers = vec!["ntp.site".to_owned()];
    let told = problems(&node, &other, "by its join file");
    assert_eq!(told.len(), 1, "{told:?}");
    let what =
        "podCidr is 10.244.0.0/16 in the cluster, by its join file, and 10.9.0.0/16 is asked for";
    assert_eq!(told[0].0, what);
    assert!(told[0].1.contains("leave out --config"), "{}", told[0].1);
    assert!(problems(&node, &intent(&node), "by its join file").is_empty());
}

#[test]
fn a_failed_command_is_told_with_what_to_do() {
    let command = "systemctl start containerd";
    let made = kinds::bare(Role::Worker).apply(None).commands.made();
    let nth = made.iter().position(|one| one == command).unwrap();
    let end = kinds::bare(Role::Worker).apply(Some(Fault::Refused(nth))).end;
    let text = describe(&end.unwrap_err(), None);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("error: step ") && lines[0].ends_with("` failed"), "{text}");
    assert!(lines[1].contains(command), "{text}");
    assert!(lines.last().unwrap().starts_with("hint: `journalctl -u containerd`"), "{text}");
}

#[test]
fn a_worker_needs_a_master_that_answers() {
    let node = kinds::bare(Role::Worker);
    let told = |endpoint: String| {
        let mut intent = node.intent();
        intent.join.as_mut().unwrap().endpoint = endpoint;
        problems(&node, &intent, "does not answer")
    };
    let master = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = master.local_addr().unwrap().to_string();
    assert_eq!(told(endpoint.clone()), []);
    drop(master);
    let refused = told(endpoint.clone());
    assert_eq!(refused[0].0, format!("the master's API server at {endpoint} does not answer"));
    assert!(refused[0].1.contains("firewall"));
}

#[test]
fn a_kubeconfig_is_of_the_workers_cluster_and_in_date() {
    let (own, other) = (Authority::new(), Authority::new());
    let key = Certificate::all_of(&own.pem).unwrap()[0].key_digest;
    let node = kinds::bare(Role::Worker);
    let told = |text: &str| {
        let mut intent = intent(&node);
        intent.join.as_mut().unwrap().ca_cert_hash = key;
        intent.kubeconfig = Some(kinds::brought(text));
        problems(&node, &intent, "jane.conf")
    };
    let with = |by: &Authority, from, until| {
        config_of(&own.pem, "10.0.0.1:6443", Some(&by.issue("jane", from, until)))
    };
    assert_eq!(told(&with(&own, 2020, 2090)), []);
    let foreign = told(&config_of(&other.pem, "10.0.0.1:6443", None));
    let words: Vec<&str> = foreign.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(
        words,
        [
            "jane.conf is of another cluster: its authority is not that of the join file",
            "jane.conf has no client's certificate in it"
        ]
    );
    assert!(foreign[0].1.contains("`installer kubeconfig --user NAME`"), "{foreign:?}");
    for (from, until) in [(2020, 2021), (2090, 2091)] {
        let late = told(&with(&own, from, until));
        assert_eq!(late.len(), 1);
        let dates = format!("is valid from {from}-01-02T00:00:00Z to {until}-01-02T00:00:00Z");
        assert!(late[0].0.ends_with(&dates), "{late:?}");
    }
}

/// A join file that somebody has edited: the mistakes' lines, and what to do.
fn told_of_join(text: &str) -> String {
    let error = JoinFile::parse(text, "join.yaml".as_ref()).map(drop).unwrap_err();
    describe(&error, None)
}

#[test]
fn mistakes_in_a_join_file_have_their_place_and_no_token() {
    let cluster = serde_saphyr::from_str("podCidr: 10.9.0.0/16").unwrap();
    let mut join = JoinFile::sample(cluster).unwrap();
    let token = "abcdef.0123456789abcdef";
    join.token = token.to_owned();
    let text = join.text().unwrap();
    assert!(JoinFile::parse(&text, "join.yaml".as_ref()).is_ok());
    let lines: Vec<&str> = text.lines().collect();
    let line_of = |key: &str| lines.iter().position(|one| one.trim().starts_with(key)).unwrap() + 1;
    for (old, new, key, words) in [
        ("podCidr: 10.9.0.0/16", "podCidr: 10.9.0.0/33", "podCidr", "10.9.0.0/33"),
        ("caCertHash: ", "caCertHsh: ", "caCertHash", "did you mean `caCertHash`"),
        ("masterAddress: \"192.0.2.1\"", "masterAddress: 192.0.2", "masterAddress", ""),
        ("expires: \"2", "expires: \"soon 2", "expires", "is no date and time like"),
        ("endpoint: 192.0.2.1:6443", "endpoint: 192.0.2.1", "endpoint", "has no port"),
        ("token: ", "tokn: ", "token", "did you mean `token`"),
        ("token: ", "token: [", "token", ""),
        ("token: abcdef.", "token: {abcdef: ", "token", ""),
        ("token: abcdef.0123456789abcdef", "token: 'abcdef.0123456789abcdef", "token", ""),
        ("endpoint: 192.0.2.1:6443", "endpoint: abcdef.0123456789abcdef", "endpoint", ""),
        ("proxyMode: iptables", "proxyMode: abcdef.0123456789abcdef", "proxyMode", ""),
    ] {
        assert!(text.contains(old), "{old}: {text}");
        let told = told_of_join(&text.replace(old, new));
        let place = format!("error: join.yaml:{}:", line_of(key));
        let is_no_yaml = new.contains(['[', '{', '\'']);
        let is_placed = told.starts_with(&place) || is_no_yaml;
        assert!(is_placed && told.contains(words), "{new}: {told}");
        assert!(told.starts_with("error: join.yaml:"), "{new}: {told}");
        assert!(!told.contains("0123456789abcdef") && !told.contains("abcdef"), "{new}: {told}");
        assert!(told.contains("hint: make one on a master with `installer token`"), "{told}");
    }
    // All at once.
    let both = text.replace("10.9.0.0/16", "10.9.0.0/33").replace("caCertHash", "caHash");
    assert!(told_of_join(&both).matches("error: join.yaml:").count() >= 2);
    // What is no join file is named as what it is.
    assert!(told_of_join("podCidr: 10.9.0.0/16\n").contains("is a cluster file, not a join"));
    assert!(told_of_join("hello\n").contains("join.yaml is not a join file"));
}

#[test]
fn what_is_denied_says_who_may() {
    let inner = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let error = anyhow::Error::from(inner).context("reading /etc/kubernetes/admin.conf");
    let told = describe(&error, None);
    // By its own words, as of a command.
    let command = anyhow::anyhow!("`rpm -qa`: Permission denied");
    // Tests run as root, or not.
    let words = match rustix::process::geteuid().is_root() {
        true => "hint: root is refused as well: look at `ls -lZ`",
        false => "hint: run this as root, such as with `sudo`",
    };
    assert!(told.contains(words), "{told}");
    assert!(describe(&command, None).contains(words));
    assert!(Failure::of(&error).cure().contains(&words[6..]), "{}", Failure::of(&error).cure());
    // `io::Error` has these words of the C library, and as of a kind these.
    for (text, is) in [
        ("reading /root/.kube/config: Permission denied (os error 13)", true),
        ("reading /root/.kube/config: permission denied", true),
        ("reading /root/.kube/config: No such file or directory (os error 2)", false),
    ] {
        assert_eq!(cure_of_denial(text).is_some(), is, "{text}");
    }
    // Who has another cure keeps it.
    let own = Failure::new("it failed", "do this").because(error);
    let told = describe(&own.into(), None);
    assert!(told.ends_with("hint: do this\n") && told.matches("hint").count() == 1, "{told}");
}
