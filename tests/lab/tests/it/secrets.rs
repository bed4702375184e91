//! The secrets of a whole run are nowhere else: in no log, no receipt, no journal, no
//! argument list, no `--json`, and not in what is sent to a supporter.

use std::thread;

use lab::Node;
use lab::cluster::INSTALLER;

use crate::arguments::Watch;

/// Collects a node's true secrets into `/root/secrets`, a line each: the lines of its private
/// keys, keys in kubeconfigs, the tokens and the certificate key of its join files, and the
/// bootstrap tokens of the cluster. A shorter line may be in a text by chance.
const COLLECT: &str = r#"umask 077; cd /root
{
    keys=$(grep -rlIE -e '-----BEGIN ([A-Z]+ )?PRIVATE KEY' /etc/kubernetes /var/lib/kubelet/pki 2>/dev/null)
    for key in $keys; do sed -n '/BEGIN .*PRIVATE KEY/,/END .*PRIVATE KEY/p' "$key" | grep -v -- -----; done
    for config in /etc/kubernetes/*.conf /root/.kube/config /root/*.conf; do
        sed -n 's/.*client-key-data: //p' "$config" | cut -c 100-160
        sed -n 's/.*client-key-data: //p' "$config" | base64 -d | grep -v -- -----
    done
    sed -n 's/^ *\(token\|certificateKey\): //p' /root/join*.yaml /opt/kubernetes/*.yaml
    kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get secrets \
        --field-selector type=bootstrap.kubernetes.io/token \
        -o 'jsonpath={range .items[*]}{.data.token-secret}{"\n"}{end}' |
        while read -r token; do echo "$token"; echo "$token" | base64 -d; echo; done
} 2>/dev/null | awk 'length >= 16' | sort -u >secrets
wc -l <secrets"#;

/// All places where they must not be, as copies in `/root/looked`. Prints those that have one.
/// The receipt's folder `before` has files as the site had them, for root alone; `packages` has
/// the bundle's.
const LOOK: &str = r#"umask 077; rm -rf /root/looked; mkdir /root/looked; cd /root/looked
installer=$1; shift
journalctl --no-pager >journal
cp -r /var/log/kubeferry log
mkdir receipt
find /var/lib/kubeferry -type f ! -path '*/before/*' ! -path '*/packages/*' -exec cp --parents -t receipt {} +
for command in status doctor certs inventory; do "$installer" $command --json >$command.json; done 2>said
"$installer" --dry-run --json "$@" >plan.json 2>>said
for process in /proc/[0-9]*; do tr '\0' ' ' <$process/cmdline; echo; done >arguments 2>/dev/null
"$installer" support --output support.tar.gz 2>>said && tar -xzf support.tar.gz
for file in journal log/install.log receipt/var status.json plan.json arguments support; do
    find $file -maxdepth 0 ! -empty | grep -q . || echo "there is no $file"
done
find /var/lib/kubeferry/before -type f -perm /077
grep -rlFf /root/secrets . || true"#;

/// Collects a node's secrets, and gives how many lines they have.
pub(crate) fn collect(node: &Node) -> usize {
    node.run(["sh", "-c", COLLECT]).unwrap().trim().parse().unwrap()
}

/// No secret of any node is where others read it, on any node, and none was in the arguments of
/// a process while they were watched. Each node comes with the options that made it what it is,
/// a master first.
pub(crate) fn assert_are_nowhere_else(nodes: &[(&Node, &[&str])], watch: Watch) {
    let mut all = String::new();
    for (node, _) in nodes {
        let count = collect(node);
        assert!(count > 2, "{}: {count} secrets were found", node.name);
        all += &node.run(["cat", "/root/secrets"]).unwrap();
    }
    let seen = watch.end();
    assert!(seen.iter().any(|line| line.contains("kubeadm init ")), "{seen:#?}");
    let holds = |line: &&String| all.lines().any(|secret| line.contains(secret));
    assert_eq!(seen.iter().find(holds), None, "these arguments hold a secret");
    thread::scope(|scope| {
        for (node, options) in nodes {
            let all = &all;
            scope.spawn(move || {
                node.write("/root/secrets", all).unwrap();
                let look = [&["sh", "-c", LOOK, "sh", INSTALLER][..], options].concat();
                assert_eq!(node.run(look).unwrap(), "", "{}: these hold a secret", node.name);
            });
        }
    });
    // The same search finds them where they are.
    if let Some((master, _)) = nodes.first() {
        for own in ["/opt/kubernetes/join.yaml", "/etc/kubernetes/pki/ca.key"] {
            master.run(["grep", "-qFf", "/root/secrets", own]).unwrap();
        }
    }
    for (node, _) in nodes {
        node.run(["rm", "-rf", "/root/secrets", "/root/looked"]).unwrap();
    }
}
