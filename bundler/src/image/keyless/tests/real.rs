//! The signature of registry.k8s.io/cluster-api/cluster-api-controller:v1.5.0, which Kubernetes'
//! release engineers made on 25 July 2023: entry 28719030 of Sigstore's public log. The
//! documentation of Cluster API prints it ("Verification of CAPI artifacts").

use super::*;

const PAYLOAD: &[u8] = include_bytes!("payload.json");
const SIGNATURE: &str = include_str!("signature");
const CERTIFICATE: &str = include_str!("cert.pem");
const ENTRY: &str = include_str!("bundle.json");
const IMAGE: &str = "sha256:f34016d3a494f9544a16137c9bba49d8756c574a0a1baf96257903409ef82f77";
const WHO: &str = "krel-trust@k8s-releng-prod.iam.gserviceaccount.com";
const ISSUER: &str = "https://accounts.google.com";

fn real() -> IdentitySignature {
    let payload = Payload { kind: None, bytes: PAYLOAD.to_vec() };
    let (certificate, entry) = (certificate(CERTIFICATE).unwrap(), entry(ENTRY).unwrap());
    read(payload, SIGNATURE.trim().to_owned(), certificate, entry, None).unwrap()
}

fn image() -> Digest {
    IMAGE.parse().unwrap()
}

#[test]
fn a_signature_over_an_image_of_kubernetes_counts() {
    let signed = check(&real(), image()).unwrap();
    let words = format!("{WHO}, as {ISSUER} says, logged on 25 Jul 2023");
    assert_eq!(signed.to_string(), words);
    let why = check(&real(), Digest::of(b"another")).unwrap_err().to_string();
    assert_eq!(why, format!("another image was signed: {IMAGE}"));
}

#[test]
fn no_altered_byte_counts() {
    type Text = fn(&mut IdentitySignature) -> &mut String;
    let texts: [Text; 5] = [
        |own| &mut own.payload,
        |own| &mut own.certificate,
        |own| &mut own.signature,
        |own| &mut own.logged.body,
        |own| &mut own.logged.promise,
    ];
    for text in texts {
        let bytes = STANDARD.decode(text(&mut real())).unwrap();
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            let mut own = real();
            *text(&mut own) = STANDARD.encode(altered);
            assert!(check(&own, image()).is_err(), "{place}");
        }
    }
    let whole = real();
    for (index, time) in [(1, 0), (0, 1)] {
        let mut own = whole.clone();
        (own.logged.index, own.logged.time) =
            (whole.logged.index + index, whole.logged.time + time);
        assert!(matches!(check(&own, image()), Err(Refusal::NotTheLogs)));
    }
}

/// The keys of Sigstore's public instance, as its own documents give them: the logs' ids, and
/// the digests of the roots' certificates.
#[test]
fn the_public_root_has_the_keys_of_sigstore() {
    let root = TrustedRoot::public();
    let file = "6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66";
    assert_eq!(root.digest().hex(), file);
    let log = "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d";
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_690_304_684);
    assert!(root.log(log, then).is_ok());
}

/// A `SystemTime` has an end, and a date has four digits for its year.
#[test]
fn a_time_that_is_no_date_is_refused() {
    for time in [253_402_300_800, u64::MAX] {
        let mut own = real();
        own.logged.time = time;
        let why = check(&own, image()).unwrap_err().to_string();
        assert!(why.contains("log's entry"), "{why}");
    }
}
