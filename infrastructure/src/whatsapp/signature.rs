//! `X-Hub-Signature-256`: whether a webhook call comes from who knows the app secret (R-IN-1).

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Whether the header is the HMAC-SHA256 of the raw body under any of the secrets.
///
/// Several secrets allow a change of the secret without a gap. Only the form that Meta sends is taken: `sha256=` and
/// 64 lower-case hexadecimal digits.
#[must_use]
pub fn verify<S: AsRef<[u8]>>(secrets: &[S], header: Option<&str>, body: &[u8]) -> bool {
    let Some(expected) = header.and_then(digest) else { return false };
    // No early end: the time must not tell which secret fits.
    secrets
        .iter()
        .filter(|secret| !secret.as_ref().is_empty())
        .filter_map(|secret| mac(secret.as_ref(), body))
        .fold(false, |known, mac| mac.verify_slice(&expected).is_ok() | known)
}

/// The header's value for a body, as WhatsApp makes it.
#[must_use]
pub fn sign(secret: impl AsRef<[u8]>, body: &[u8]) -> String {
    let digest = mac(secret.as_ref(), body).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    format!("sha256={}", hex::encode(digest))
}

fn mac(secret: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length, so this is never `None`.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(body);
    Some(mac)
}

fn digest(header: &str) -> Option<[u8; 32]> {
    let digits = header.strip_prefix("sha256=")?;
    if digits.len() != 64 || digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return None;
    }
    let mut digest = [0; 32];
    hex::decode_to_slice(digits, &mut digest).ok()?;
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;

    #[test]
    fn r_in_1_a_signature_of_any_of_the_secrets_is_taken() {
        let header = sign("new", BODY);
        assert!(verify(&["new"], Some(&header), BODY));
        assert!(verify(&["old", "new"], Some(&header), BODY));
        assert!(verify(&["new", "old"], Some(&header), BODY));
        assert!(!verify(&["old"], Some(&header), BODY));
        assert!(!verify::<&str>(&[], Some(&header), BODY));
    }

    #[test]
    fn r_in_1_the_digest_is_the_published_one() {
        // RFC 4231, test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign("Jefe", b"what do ya want for nothing?"), expected);
    }

    #[test]
    fn s5_every_other_form_is_refused() {
        let good = sign("secret", BODY);
        let digits = &good["sha256=".len()..];
        let bad = [
            String::new(),
            "sha256=".to_owned(),
            digits.to_owned(),
            good[..good.len() - 1].to_owned(),
            good[..good.len() - 2].to_owned(),
            format!("{good}00"),
            format!("{good} "),
            format!("sha1={digits}"),
            format!("SHA256={digits}"),
            format!("sha256={}", digits.to_uppercase()),
            format!("sha256={}", "g".repeat(64)),
        ];
        assert!(!verify(&["secret"], None, BODY));
        for header in bad {
            assert!(!verify(&["secret"], Some(&header), BODY), "{header}");
        }
    }

    #[test]
    fn s5_one_altered_bit_of_the_body_is_seen() {
        let header = sign("secret", BODY);
        for bit in 0..BODY.len() * 8 {
            let mut altered = BODY.to_vec();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify(&["secret"], Some(&header), &altered));
        }
    }

    #[test]
    fn s5_an_empty_secret_opens_nothing() {
        assert!(!verify(&[""], Some(&sign("", BODY)), BODY));
    }
}
