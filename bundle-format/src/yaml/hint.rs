//! Suggestions for a key that does not exist.

/// Names that people know from yum, kubeadm or other tools, and our names for the
/// same.
const KNOWN: [(&str, &str, &str); 21] = [
    ("gpgkey", "keys", "`keys`, a list,"),
    ("arch", "architecture", "`architecture`"),
    ("repos", "repositories", "`repositories`"),
    ("excludepkgs", "exclude", "`exclude`, a list,"),
    ("excludepackages", "exclude", "`exclude`, a list,"),
    ("image", "images", "`images`, a list,"),
    ("podsubnet", "podCidr", "`podCidr`"),
    ("podnetworkcidr", "podCidr", "`podCidr`"),
    ("clustercidr", "podCidr", "`podCidr`"),
    ("servicesubnet", "serviceCidr", "`serviceCidr`"),
    ("serviceclusteriprange", "serviceCidr", "`serviceCidr`"),
    ("controlplaneendpoint", "endpoint", "`endpoint`"),
    ("ntp", "ntpServers", "`ntpServers`, a list,"),
    ("timeservers", "ntpServers", "`ntpServers`, a list,"),
    ("hosts", "nodes", "`nodes`, a list,"),
    ("machines", "nodes", "`nodes`, a list,"),
    ("mirrors", "registryMirrors", "`registryMirrors`"),
    ("kubeproxymode", "proxyMode", "`proxyMode`"),
    ("ip", "address", "`address`"),
    ("hostname", "name", "`name`"),
    ("kubeletextraargs", "kubelet", "`kubelet`, with keys of KubeletConfiguration,"),
];

const NO_OBJECT: &str = "leave it out: this file is not an object of Kubernetes";
const WRITTEN: &str = "leave it out: the installer writes it";
const ARGUMENTS: &str =
    "only arguments of apiServer, controllerManager and scheduler can be given: leave it out";
const VERSION: &str = "leave it out: a bundle has one version of Kubernetes";

/// Fields that do not exist here, or are somewhere else; most are of Kubernetes' own
/// configurations (kubeadm's ClusterConfiguration of v1beta2, v1beta3 and v1beta4;
/// `cmd/kubeadm/app/apis/kubeadm/*/types.go` of Kubernetes). Each row has the key
/// next to which people write the field, the field, and what to do.
const ELSEWHERE: [(&str, &str, &str); 24] = [
    ("podCidr", "apiversion", NO_OBJECT),
    ("podCidr", "kind", NO_OBJECT),
    ("podCidr", "kubernetesversion", VERSION),
    ("podCidr", "networking", "write `podCidr` and `serviceCidr` instead"),
    ("maxPods", "apiversion", WRITTEN),
    ("maxPods", "kind", WRITTEN),
    ("controllerManager", "apiversion", WRITTEN),
    ("controllerManager", "kind", WRITTEN),
    ("controllerManager", "kubernetesversion", VERSION),
    (
        "controllerManager",
        "networking",
        "write `podCidr` and `serviceCidr` of the cluster file instead",
    ),
    ("controllerManager", "controlplaneendpoint", "write `endpoint` of the cluster file instead"),
    ("controllerManager", "imagerepository", ARGUMENTS),
    ("controllerManager", "etcd", ARGUMENTS),
    ("controllerManager", "dns", ARGUMENTS),
    ("controllerManager", "proxy", ARGUMENTS),
    ("controllerManager", "certificatesdir", ARGUMENTS),
    ("controllerManager", "clustername", ARGUMENTS),
    ("controllerManager", "featuregates", ARGUMENTS),
    ("controllerManager", "encryptionalgorithm", ARGUMENTS),
    ("controllerManager", "certificatevalidityperiod", ARGUMENTS),
    ("controllerManager", "cacertificatevalidityperiod", ARGUMENTS),
    ("controllerManager", "usehyperkubeimage", ARGUMENTS),
    (
        "controllerManager",
        "extraargs",
        "write arguments below apiServer, controllerManager or scheduler",
    ),
    // A spec's `signatures`.
    ("issuer", "key", "a key's file is the whole value, such as `registry.example.com: team.pub`"),
];

/// The most keys that are listed.
const SOME: usize = 24;

/// The key that was probably meant, and a text that says so.
pub struct Hint<'a> {
    /// The key, if there is one.
    pub meant: Option<&'a str>,
    /// What to write.
    pub words: String,
}

/// Finds which of `keys`, the allowed ones, `key` was meant to be.
pub fn hint<'a>(key: &str, keys: &[&'a str]) -> Hint<'a> {
    let wanted = plain(key);
    if let Some(meant) = keys.iter().find(|name| plain(name) == wanted) {
        return Hint { meant: Some(meant), words: format!("write `{meant}` instead") };
    }
    for (wrong, right, words) in KNOWN {
        if let Some(meant) = keys.iter().find(|name| wrong == wanted && **name == right) {
            return Hint { meant: Some(meant), words: format!("write {words} instead") };
        }
    }
    for (beside, wrong, words) in ELSEWHERE {
        if wrong == wanted && keys.contains(&beside) {
            return Hint { meant: None, words: words.to_owned() };
        }
    }
    match near(key, keys) {
        Some(meant) => Hint { meant: Some(meant), words: format!("did you mean `{meant}`?") },
        None => Hint { meant: None, words: format!("the keys here are {}", some(keys)) },
    }
}

/// The word of `known` that is nearest to `word`, if one is near.
pub fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let wanted = plain(word);
    known
        .iter()
        .map(|name| (strsim::osa_distance(&wanted, &plain(name)), *name))
        .filter(|(distance, _)| *distance <= 2 && distance * 2 < wanted.chars().count().max(3))
        .min()
        .map(|(_, name)| name)
}

/// A word without case and separators, which people write in different ways.
fn plain(text: &str) -> String {
    text.replace(['_', '-'], "").to_lowercase()
}

/// A short list of the keys.
fn some(keys: &[&str]) -> String {
    match keys {
        [] => "none".to_owned(),
        keys if keys.len() <= SOME => keys.join(", "),
        keys => format!("{} and {} more", keys[..SOME].join(", "), keys.len() - SOME),
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn near_misses_and_yums_words() {
        let keys = ["id", "baseUrl", "mirrorList", "keys", "repoGpgcheck", "exclude"];
        for (key, words) in [
            ("baseurl", "write `baseUrl` instead"),
            ("repo_gpgcheck", "write `repoGpgcheck` instead"),
            ("gpgkey", "write `keys`, a list, instead"),
            ("idd", "did you mean `id`?"),
            ("excldue", "did you mean `exclude`?"),
            ("cost", "the keys here are id, baseUrl, mirrorList, keys, repoGpgcheck, exclude"),
        ] {
            assert_eq!(hint(key, &keys).words, words, "{key}");
        }
    }
}
