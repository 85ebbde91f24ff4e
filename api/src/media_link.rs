//! Signed links to media, which need no credential (R-MSG-15).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chatledger_domain::TenantId;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

const DAY: i64 = 86_400;

/// Signs media links, and checks them.
#[derive(Clone)]
pub struct MediaLinks {
    mac: Hmac<Sha256>,
}

impl MediaLinks {
    /// Signs with this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        // HMAC takes keys of every length, so the second arm cannot be reached.
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()));
        Self { mac }
    }

    /// The link to a medium, good for 24 to 48 hours: the same all day, so that clients can cache.
    #[must_use]
    pub fn link(&self, base_url: &str, tenant: TenantId, media_id: &str, now: i64) -> String {
        let id: String = url::form_urlencoded::byte_serialize(media_id.as_bytes()).collect();
        let expiry = (now.div_euclid(DAY) + 2) * DAY;
        // The signature carries the tenant, because nothing else in an unauthenticated request does.
        let mut signature = tenant.0.as_bytes().to_vec();
        signature.extend_from_slice(&self.signed(tenant, media_id, expiry).finalize().into_bytes());
        format!("{base_url}/api/v1/media/{id}/?exp={expiry}&sig={}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The tenant whose medium a link opens now; `None` when the link is expired or was not signed here.
    #[must_use]
    pub fn open(&self, media_id: &str, expiry: i64, signature: &str, now: i64) -> Option<TenantId> {
        let bytes = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let (tenant, mac) = bytes.split_at_checked(16)?;
        let tenant = TenantId(Uuid::from_slice(tenant).ok()?);
        self.signed(tenant, media_id, expiry).verify_slice(mac).ok()?;
        (now < expiry).then_some(tenant)
    }

    fn signed(&self, tenant: TenantId, media_id: &str, expiry: i64) -> Hmac<Sha256> {
        let path = format!("{}\n/api/v1/media/{media_id}/\n{expiry}", tenant.0);
        self.mac.clone().chain_update(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(link: &str) -> (i64, String) {
        let query = link.split_once("?exp=").map_or("", |(_, query)| query);
        let (expiry, signature) = query.split_once("&sig=").unwrap_or_default();
        (expiry.parse().unwrap_or_default(), signature.to_owned())
    }

    #[test]
    fn r_msg_15_a_link_opens_its_medium_for_a_day_and_nothing_else() {
        let (links, tenant, now) = (MediaLinks::new(b"key"), TenantId::of_slug("acme"), 1_767_693_600);
        let (expiry, signature) = parts(&links.link("https://a.example", tenant, "0190f3a2", now));
        assert!(expiry >= now + DAY);
        assert_eq!(links.open("0190f3a2", expiry, &signature, now + DAY), Some(tenant));
        assert_eq!(links.open("0190f3a2", expiry, &signature, expiry), None);
        assert_eq!(links.open("0190f3a3", expiry, &signature, now), None);
        assert_eq!(links.open("0190f3a2", expiry + 1, &signature, now), None);
        assert_eq!(MediaLinks::new(b"other").open("0190f3a2", expiry, &signature, now), None);
    }
}
