//! Where a page of contacts ended, as an opaque parameter: signed, so that nobody can make one up or alter it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chatledger_application::contacts::Place;
use chatledger_domain::TenantId;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Bytes of the signature.
const SIGNATURE: usize = 32;

/// Makes and reads the parameter `pages` of one tenant's search.
pub(crate) struct PageTokens(Hmac<Sha256>);

impl PageTokens {
    /// Signs with this key, for this list and no other.
    pub(crate) fn new(key: &[u8], tenant: TenantId, search: Option<&str>) -> Self {
        // HMAC takes keys of every length, so the second arm cannot be reached.
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()));
        Self(mac.chain_update(format!("contacts\n{tenant}\n{}\n", search.unwrap_or_default())))
    }

    /// The parameter.
    pub(crate) fn make(&self, places: &[Place]) -> String {
        let json = serde_json::to_vec(places).unwrap_or_default();
        let mut token = self.0.clone().chain_update(&json).finalize().into_bytes().to_vec();
        token.extend_from_slice(&json);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// What the parameter says; `None` when it was not made here, or for another list.
    pub(crate) fn read(&self, token: &str) -> Option<Vec<Place>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signature, json) = bytes.split_at_checked(SIGNATURE)?;
        self.0.clone().chain_update(json).verify_slice(signature).ok()?;
        serde_json::from_slice(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_list_only() {
        let tenant = TenantId::of_slug("acme");
        let tokens = PageTokens::new(b"key", tenant, Some("rui"));
        let places = vec![Place { provider: "crm".into(), after: Some("7".into()), count: None }];
        let token = tokens.make(&places);
        assert_eq!(tokens.read(&token), Some(places));
        assert_eq!(PageTokens::new(b"key", tenant, None).read(&token), None);
        assert_eq!(PageTokens::new(b"key", TenantId::of_slug("other"), Some("rui")).read(&token), None);
        assert_eq!(PageTokens::new(b"other", tenant, Some("rui")).read(&token), None);
        for garbage in ["", "x", "!!", &token[1..], &token[..token.len() - 1]] {
            assert_eq!(tokens.read(garbage), None, "{garbage}");
        }
    }
}
