//! A packet, as a line of tcpdump(8) has it: `eth0  Out IP 192.168.77.11.52100 >
//! 192.0.2.1.443: Flags [S], …`. The lines here are of `tcpdump -i any -n -t`.

use std::net::Ipv4Addr;

/// One end of a packet: its port if the protocol has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct End {
    pub(super) address: Ipv4Addr,
    pub(super) port: Option<u16>,
}

/// What a packet is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A DNS question. Its name has no dot at the end.
    Question { id: u16, name: String },
    /// An answer to one.
    Answer { id: u16, is_good: bool },
    /// Anything else, by its protocol.
    Other(&'static str),
}

/// A packet of IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) from: End,
    pub(super) to: End,
    pub(super) content: Content,
}

impl Packet {
    /// The packet that a line describes, if it is an IPv4 packet.
    pub(super) fn of(line: &str) -> Option<Self> {
        let (_, packet) = line.split_once(" IP ")?;
        let (ends, detail) = packet.split_once(": ")?;
        let (from, to) = ends.split_once(" > ")?;
        let (from, to) = (End::of(from)?, End::of(to)?);
        let is_dns = |end: End| end.port == Some(DNS) && !detail.starts_with("Flags [");
        let content = if is_dns(to) {
            question(detail)
        } else if is_dns(from) {
            answer(detail)
        } else {
            None
        };
        Some(Self { from, to, content: content.unwrap_or(Content::Other(protocol(&from, detail))) })
    }
}

/// The port of DNS servers.
const DNS: u16 = 53;

impl End {
    /// Reads `192.0.2.1.443`, or an address alone.
    fn of(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self { address, port: None });
        }
        let (address, port) = text.rsplit_once('.')?;
        Some(Self { address: address.parse().ok()?, port: Some(port.parse().ok()?) })
    }
}

fn protocol(from: &End, detail: &str) -> &'static str {
    match from.port {
        _ if detail.starts_with("ICMP") => "icmp",
        _ if detail.starts_with("Flags [") => "tcp",
        Some(_) => "udp",
        None => "ip",
    }
}

/// `4660+ [1au] A? updates.example.com. (37)`
fn question(detail: &str) -> Option<Content> {
    let mut words = detail.split_ascii_whitespace();
    let id = id(words.next()?)?;
    let kind = words.by_ref().find(|word| word.len() > 1 && word.ends_with('?'))?;
    let name = words.next()?;
    // CoreDNS asks itself a random name of this kind, to find loops (its plugin `loop`).
    if kind == "HINFO?" {
        return None;
    }
    Some(Content::Question { id, name: name.trim_end_matches('.').to_ascii_lowercase() })
}

/// `4660 NXDomain* 0/1/0 (112)`, or `4660* 1/0/0 A 10.96.0.1 (56)`
fn answer(detail: &str) -> Option<Content> {
    let mut words = detail.split_ascii_whitespace();
    let id = id(words.next()?)?;
    // A name without an address of this kind is there all the same.
    let is_good =
        words.next().is_some_and(|word| word.starts_with(|sign: char| sign.is_ascii_digit()));
    Some(Content::Answer { id, is_good })
}

/// The number at the start of a word, which flags may follow.
fn id(word: &str) -> Option<u16> {
    word.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(line: &str) -> Option<(Option<u16>, &'static str)> {
        let packet = Packet::of(line)?;
        match packet.content {
            Content::Other(protocol) => Some((packet.to.port, protocol)),
            _ => None,
        }
    }

    #[test]
    fn connections_are_told_by_their_protocols() {
        for (line, expected) in [
            (
                "eth0  Out IP 192.168.77.11.59648 > 192.0.2.10.8080: Flags [S], seq 4261081153, length 0",
                (Some(8080), "tcp"),
            ),
            (
                "e0    Out IP 192.168.77.11.51864 > 192.0.2.9.123: NTPv4, Client, length 48",
                (Some(123), "udp"),
            ),
            ("cni0  In  IP 10.244.0.5.4000 > 192.0.2.9.9999: UDP, length 5", (Some(9999), "udp")),
            (
                "cni0  In  IP 10.244.0.5 > 192.0.2.9: ICMP echo request, id 1, seq 0, length 64",
                (None, "icmp"),
            ),
            (
                "cni0  In  IP 10.244.0.5.4000 > 8.8.8.8.53: Flags [S], seq 1, length 0",
                (Some(53), "tcp"),
            ),
        ] {
            assert_eq!(other(line), Some(expected), "{line}");
        }
        for line in
            ["", "lo    In  IP6 ::1.2379 > ::1.4000: Flags [.], ack 1", "4 packets captured"]
        {
            assert_eq!(Packet::of(line), None, "{line}");
        }
    }

    #[test]
    fn questions_and_answers_of_dns_are_read() {
        let asked = |detail: &str| {
            let line = format!("veth1 In  IP 10.244.0.5.33616 > 10.96.0.10.53: {detail}");
            Packet::of(&line).unwrap().content
        };
        let answered = |detail: &str| {
            let line = format!("cni0  Out IP 10.96.0.10.53 > 10.244.0.5.33616: {detail}");
            Packet::of(&line).unwrap().content
        };
        let name = "updates.example.com".to_owned();
        for detail in [
            "4660+ A? updates.example.com. (37)",
            "4660+ [1au] AAAA? Updates.Example.com. (48)",
            "4660+ Type65? updates.example.com. (37)",
        ] {
            let question = Content::Question { id: 4660, name: name.clone() };
            assert_eq!(asked(detail), question, "{detail}");
        }
        assert_eq!(asked("4660+ HINFO? 557700.867466. (37)"), Content::Other("udp"));
        for (detail, is_good) in [
            ("4660 NXDomain* 0/1/0 (112)", false),
            ("4660 ServFail 0/0/0 (37)", false),
            ("4660 Refused- 0/0/0 (37)", false),
            ("4660* 1/0/0 A 10.96.0.1 (56)", true),
            ("4660*- 0/1/0 (112)", true),
        ] {
            assert_eq!(answered(detail), Content::Answer { id: 4660, is_good }, "{detail}");
        }
    }
}
