//! `installer certs`, `installer certs renew`.

use std::io::{self, Write};
use std::time::SystemTime;

use anyhow::bail;
use bundle_format::text::{indented, plain_json, printable, stderr, stdout};
use clap::Subcommand;
use serde_json::{Value, json};

use super::ended::{self, Ended, carried_out, confirmed, tell};
use super::node;
use crate::credentials::renewal::{self, Renewal};
use crate::engine::run;
use crate::failure::cure_of_denial;
use crate::host::{Host, LOG};
use crate::node::certificates::kept::{Keeper, Kept, Standing};
use crate::node::certificates::pki;

/// What is done with certificates besides listing them.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Renews the control plane's certificates; runs on a master, without a network
    Renew {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Lists all certificates of the node. Fails if a person must do something about one.
pub(crate) fn list(json: bool) -> anyhow::Result<()> {
    let now = SystemTime::now();
    let (all, unread) = pki::all(&node::host(None)?);
    let mut out = stdout();
    if json {
        let listed: Vec<Value> = all.iter().map(|one| as_json(one, now)).collect();
        let object = json!({"certificates": listed, "unknown": unread});
        writeln!(out, "{}", plain_json(&format!("{object:#}")))?;
    } else {
        show(&mut out, &all, now)?;
        for place in &unread {
            writeln!(out, "could not look: {}", indented(place))?;
            if let Some(cure) = cure_of_denial(place) {
                writeln!(out, "  cure: {cure}")?;
            }
        }
        if all.is_empty() && unread.is_empty() {
            writeln!(stderr(), "this node has no certificates of a cluster")?;
        }
    }
    judge(&all, &unread, now)
}

/// Fails where a certificate needs somebody's hand. Nobody checks kubelet's own for
/// its clients, and what others have put there is their matter.
fn judge(all: &[Kept], unread: &[String], now: SystemTime) -> anyhow::Result<()> {
    let counts = |one: &&Kept| !matches!(one.keeper, Keeper::Unchecked | Keeper::Other);
    let bad = all.iter().filter(counts).filter(|one| one.standing(now) != Standing::Good).count();
    match (bad, unread.len()) {
        (0, 0) => Ok(()),
        (0, _) => bail!("not all certificates could be read"),
        (1, _) => bail!(
            "1 certificate has expired, expires soon or is not valid yet; see `installer doctor`"
        ),
        (many, _) => {
            bail!(
                "{many} certificates have expired, expire soon or are not valid yet; see \
                `installer doctor`"
            )
        }
    }
}

/// Renews those of the control plane.
pub(crate) fn renew(yes: bool) -> Ended {
    carried_out(agreed(yes), carry_out)
}

/// Looks, shows, asks; none where the answer is no.
fn agreed(yes: bool) -> anyhow::Result<Option<Host>> {
    let host = node::host(None)?;
    if let Some(failure) = renewal::refusal(&host)? {
        return Err(failure.into());
    }
    let mut out = stdout();
    writeln!(out, "new certificates for this node's control plane, which then restarts\n")?;
    ended::show(&run::plan(&host, &Renewal::default(), &renewal::STEPS)?)?;
    if !(yes || confirmed("Do this?")?) {
        return Ok(None);
    }
    node::begin(host).map(Some)
}

fn carry_out(host: &mut Host) -> anyhow::Result<()> {
    run::apply(host, &Renewal::default(), &renewal::STEPS, &mut tell::<Renewal>)?;
    let mut out = stdout();
    show(&mut out, &pki::of_control_plane(host)?, SystemTime::now())?;
    writeln!(out, "log:   {LOG}")?;
    Ok(())
}

/// A line for each, in columns.
fn show(out: &mut impl Write, all: &[Kept], now: SystemTime) -> io::Result<()> {
    let path = |one: &Kept| one.path.len();
    let issuer = |one: &Kept| printable(one.certificate.issuer.as_deref().unwrap_or("-"));
    let wide = all.iter().map(path).max().unwrap_or(0);
    let signed = all.iter().map(|one| issuer(one).len()).max().unwrap_or(0).max(4);
    if !all.is_empty() {
        writeln!(out, "{:20}  {:>8}  {:signed$}  {:wide$}  FOR", "UNTIL", "LEFT", "BY", "FILE")?;
    }
    for one in all {
        let left = match one.standing(now) {
            Standing::Expired => "expired".to_owned(),
            Standing::Early => "not yet".to_owned(),
            _ => format!("{} d", one.certificate.days_left(now)),
        };
        let (until, by) = (one.certificate.until.to_string(), issuer(one));
        writeln!(out, "{until:20}  {left:>8}  {by:signed$}  {:wide$}  {}", one.path, one.purpose)?;
    }
    Ok(())
}

fn as_json(one: &Kept, now: SystemTime) -> Value {
    let certificate = &one.certificate;
    json!({
        "path": one.path,
        "purpose": one.purpose,
        "name": certificate.common_name,
        "authority": certificate.issuer,
        "from": certificate.from.to_string(),
        "until": certificate.until.to_string(),
        "daysLeft": certificate.days_left(now),
        "standing": one.standing(now),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;
    use crate::node::certificates::certificate::Certificate;

    /// One that was made 10 days ago, and holds for as many days more.
    fn kept(keeper: Keeper, days: i64) -> Kept {
        let day = Duration::from_secs(24 * 60 * 60);
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "me");
        params.not_before = (SystemTime::now() - day * 10).into();
        let hours = day * u32::try_from(days.abs()).unwrap() + day / 2;
        let end = if days < 0 { SystemTime::now() - hours } else { SystemTime::now() + hours };
        params.not_after = end.into();
        let pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        let certificate = Certificate::all_of(&pem).unwrap().remove(0);
        Kept { path: "/pki/a.crt".to_owned(), purpose: "a test", keeper, certificate }
    }

    #[test]
    fn what_needs_a_hand_is_a_failure() {
        let judged = |keeper, days: &[i64]| {
            let all: Vec<Kept> = days.iter().map(|days| kept(keeper, *days)).collect();
            judge(&all, &[], SystemTime::now()).map_err(|error| error.to_string())
        };
        assert_eq!(judged(Keeper::ControlPlane, &[30, 300]), Ok(()));
        for days in [-1, 0, 29] {
            let one = judged(Keeper::Kubelet, &[days, 300]).unwrap_err();
            assert!(one.starts_with("1 certificate has expired, expires soon"), "{days}: {one}");
            assert_eq!(judged(Keeper::Unchecked, &[days]), Ok(()));
            assert_eq!(judged(Keeper::Other, &[days]), Ok(()));
        }
        assert!(
            judged(Keeper::Root, &[1, -5]).unwrap_err().starts_with("2 certificates have expired")
        );
        let unread = judge(&[], &["x".to_owned()], SystemTime::now()).unwrap_err().to_string();
        assert_eq!(unread, "not all certificates could be read");
    }

    #[test]
    fn each_has_a_line_and_a_program_reads_the_same() {
        let now = SystemTime::now();
        let all = [kept(Keeper::ControlPlane, 200), kept(Keeper::ControlPlane, -2)];
        let mut out = Vec::new();
        show(&mut out, &all, now).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("UNTIL                     LEFT  BY    FILE        FOR"),
            "{text}"
        );
        assert!(lines[1].ends_with("     200 d  me    /pki/a.crt  a test"), "{text}");
        assert!(lines[2].ends_with("   expired  me    /pki/a.crt  a test"), "{text}");
        let json = as_json(&all[1], now);
        assert_eq!((&json["daysLeft"], &json["standing"]), (&(-3).into(), &"expired".into()));
        assert_eq!((&json["path"], &json["authority"]), (&"/pki/a.crt".into(), &"me".into()));
        let mut none = Vec::new();
        show(&mut none, &[], now).unwrap();
        assert!(none.is_empty());
    }
}
