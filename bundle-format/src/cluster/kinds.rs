//! The kinds of text in a cluster file: an example of each, and its check.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::arguments::Argument;
use super::control_plane::InterfaceName;
use super::endpoint::{self, IPV4_ONLY};
use super::export::ExportPath;
use super::interface::Interface;
use super::labels::{LabelKey, LabelValue, Taint};
use super::mirrors::{MirrorUrl, RegistryHost};
use super::node_name::NodeName;
use super::schedule::BackupFolder;
use crate::yaml::{Kind, quoted};

/// A network, as an example: no default of pods or of Services, with which it would
/// overlap.
const NETWORK: &str = "172.30.0.0/16";

/// All kinds.
pub static KINDS: [Kind; 16] = [
    Kind {
        name: "argument",
        sample: "audit-log-maxage",
        pattern: "^[a-z0-9][a-z0-9-]*$",
        check: argument,
    },
    Kind {
        name: "backup-folder",
        sample: "/var/backups/kubeferry",
        pattern: r"^(/(?!\.\.(/|$))[A-Za-z0-9._-]+)+$",
        check: tries::<BackupFolder>,
    },
    Kind {
        name: "endpoint",
        sample: "k8s-master:6443",
        pattern: "^[A-Za-z0-9][A-Za-z0-9.-]*:[0-9]{1,5}$",
        check: endpoint::check,
    },
    Kind {
        name: "export-path",
        sample: "/srv/share",
        pattern: r"^(/(?!\.\.(/|$))[A-Za-z0-9._-]+)+$",
        check: tries::<ExportPath>,
    },
    Kind {
        name: "go-duration",
        sample: "5m0s",
        pattern: r"^[-+]?(0|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$",
        check: duration,
    },
    Kind {
        name: "host",
        sample: "192.168.1.254",
        pattern: "^([A-Za-z0-9][A-Za-z0-9.-]*|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$",
        check: endpoint::check_host,
    },
    Kind {
        name: "interface",
        sample: "eth1",
        pattern: "^[A-Za-z0-9_.*,][A-Za-z0-9_.*,-]*$",
        check: tries::<Interface>,
    },
    Kind {
        name: "interface-name",
        sample: "eth0",
        pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$",
        check: tries::<InterfaceName>,
    },
    Kind {
        name: "ip",
        sample: "192.168.1.1",
        pattern: r"^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(?!$)|$)){4}$",
        check: address,
    },
    Kind {
        name: "ipv4-network",
        sample: NETWORK,
        pattern: r"^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(?!/)|(?=/))){4}/(3[0-2]|[12]?[0-9])$",
        check: ipv4_network,
    },
    Kind {
        name: "label-key",
        sample: "disk",
        pattern: "^([a-z0-9][a-z0-9.-]{0,252}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
        check: tries::<LabelKey>,
    },
    Kind {
        name: "label-value",
        sample: "ssd",
        pattern: "^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$",
        check: tries::<LabelValue>,
    },
    Kind {
        name: "mirror-url",
        sample: "https://mirror.site:5000",
        pattern: "^https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(/[A-Za-z0-9_./~%-]*)?$",
        check: tries::<MirrorUrl>,
    },
    Kind {
        name: "node-name",
        sample: "k8s-node1",
        pattern: r"^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
        check: tries::<NodeName>,
    },
    Kind {
        name: "registry-host",
        sample: "docker.io",
        pattern: "^(_default|[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?)$",
        check: tries::<RegistryHost>,
    },
    Kind {
        name: "taint",
        sample: "gpu=yes:NoSchedule",
        pattern: "^([a-z0-9][a-z0-9.-]{0,252}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\
                  (=([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?)?\
                  :(NoSchedule|PreferNoSchedule|NoExecute)$",
        check: tries::<Taint>,
    },
];

/// Checks a text by its type. The error repeats the text only as it may be shown.
fn tries<T: TryFrom<String, Error = String>>(text: &str) -> Result<(), String> {
    let shown = |reason: String| reason.replace(&format!("`{text}`"), &quoted(text));
    T::try_from(text.to_owned()).map(|_| ()).map_err(shown)
}

/// kubeadm's files have kubeadm's own fields next to arguments, and other tools write
/// arguments with their dashes. Neither is an argument's name.
fn argument(text: &str) -> Result<(), String> {
    const FIELDS: [&str; 4] = ["certSANs", "extraEnvs", "extraVolumes", "timeoutForControlPlane"];
    if text == "extraArgs" {
        return Err(
            "`extraArgs` is kubeadm's own key: write the arguments that are below it here, \
                    without it"
                .to_owned(),
        );
    }
    if FIELDS.contains(&text) {
        return Err(format!(
            "`{text}` is a field of kubeadm and not an argument, and the installer does not \
             set it: leave it out"
        ));
    }
    let kebab = in_kebab_case(text.trim_start_matches('-'));
    match tries::<Argument>(text) {
        Err(_) if Argument::try_from(kebab.clone()).is_ok() => {
            let dashes = if text.starts_with('-') { ", without dashes before" } else { "" };
            Err(format!("{} is no argument: write `{kebab}`{dashes}", quoted(text)))
        }
        result => result,
    }
}

/// `auditLogMaxage` becomes `audit-log-maxage`.
fn in_kebab_case(text: &str) -> String {
    let mut kebab = String::new();
    for letter in text.chars() {
        match letter {
            '_' => kebab.push('-'),
            letter if letter.is_ascii_uppercase() => {
                kebab.extend(['-', letter.to_ascii_lowercase()]);
            }
            letter => kebab.push(letter),
        }
    }
    kebab
}

fn address(text: &str) -> Result<(), String> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => of_a_machine(address),
        Ok(IpAddr::V6(_)) => Err(format!(
            "{} is an IPv6 address, and {IPV4_ONLY}: write the machine's IPv4 address",
            quoted(text)
        )),
        Err(_) if text.contains('/') => {
            Err(format!("{} is no address: leave out what begins at `/`", quoted(text)))
        }
        Err(_) => Err(format!("{} is no address: write one such as 192.168.1.1", quoted(text))),
    }
}

/// Refuses an address by which no other machine can reach this one.
fn of_a_machine(address: Ipv4Addr) -> Result<(), String> {
    let what = match address {
        _ if address.is_loopback() => "a loopback address, which every machine has",
        _ if address.is_unspecified() => "not the address of a machine",
        _ if address.is_multicast() || address.is_broadcast() => "an address of many machines",
        _ => return Ok(()),
    };
    Err(format!("`{address}` is {what}: write the one at which other machines reach this machine"))
}

fn ipv4_network(text: &str) -> Result<(), String> {
    let shown = quoted(text);
    if let Ok(network) = text.parse::<Ipv4Net>() {
        return match network.trunc() == network {
            true => Ok(()),
            false => Err(format!("{shown} is an address in a network: write {}", network.trunc())),
        };
    }
    let trimmed = text.trim();
    if trimmed != text && trimmed.parse::<Ipv4Net>().is_ok() {
        return Err(format!("{shown} has a blank too many: write {trimmed}"));
    }
    let Some((address, bits)) = text.split_once('/') else {
        return Err(match text.parse::<Ipv4Addr>() {
            Ok(_) => format!("{shown} is no network: write its size after it, as in {text}/16"),
            Err(_) => format!("{shown} is no network: write one such as {NETWORK}"),
        });
    };
    if text.contains(',') {
        let first = text.split(',').find(|one| one.trim().parse::<Ipv4Net>().is_ok());
        let first = first.map_or(NETWORK, str::trim);
        return Err(format!(
            "{shown} is a list, and {IPV4_ONLY}: write one network, as in {first}"
        ));
    }
    if text.contains(':') {
        return Err(format!(
            "{shown} is an IPv6 network, and {IPV4_ONLY}: write one such as {NETWORK}"
        ));
    }
    Err(match (address.parse::<Ipv4Addr>(), bits.parse::<u32>()) {
        (Ok(_), Ok(_)) => {
            format!("{shown} is no network: the number after `/` is 32 at most, as in {address}/16")
        }
        (Ok(_), Err(_)) if bits.contains('.') => {
            format!("{shown} has a mask: write the number of its bits, as in {address}/16")
        }
        (Ok(_), Err(_)) => {
            format!("{shown} is no network: a number is missing after `/`, as in {address}/16")
        }
        (Err(_), _) => format!(
            "{shown} is no network: write four numbers up to 255 before `/`, as in {NETWORK}"
        ),
    })
}

/// Checks that Go's `time.ParseDuration` can read the text.
fn duration(text: &str) -> Result<(), String> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut fits = !rest.is_empty();
    while fits && !rest.is_empty() && rest != "0" {
        let whole = digits(rest);
        let mut unit = &rest[whole..];
        if let Some(fraction) = unit.strip_prefix('.') {
            unit = &fraction[digits(fraction)..];
        }
        let after = ["ns", "us", "µs", "ms", "s", "m", "h"]
            .iter()
            .filter_map(|one| unit.strip_prefix(one))
            .min_by_key(|after| after.len());
        fits = whole > 0 && after.is_some();
        rest = after.unwrap_or_default();
    }
    if fits { Ok(()) } else { Err(format!("{} is no time: write it like 5m0s", quoted(text))) }
}
