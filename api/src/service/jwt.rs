//! JSON Web Tokens: which ones are accepted, what they say, how ours are made (R-JWT-*).

use std::sync::Arc;

use chatledger_domain::{Role, TenantId, UserId};
use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
    jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// How far clocks may be apart, in seconds (R-JWT-1).
const SKEW: u64 = 60;
/// How long our own tokens count, in seconds (R-JWT-4).
pub const LIFETIME: i64 = 3_600;
/// Longer tokens are nobody's and are not looked at, in bytes.
const MAX_TOKEN: usize = 8_192;
/// The longest `sub`, in characters: counters and users are named after it.
const MAX_SUB: usize = 255;

/// What a caller may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenRole {
    /// An admin of the inbox; unrestricted.
    Admin,
    /// A person: acts as the user `sub`, with what that user may do.
    Agent,
    /// A program; unrestricted.
    #[default]
    Service,
    /// Whoever runs the shops: may connect a shop that does not exist yet.
    Platform,
}

impl From<Role> for TokenRole {
    /// R-JWT-4.
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::User => Self::Agent,
            Role::App => Self::Service,
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// A user's id, or a service's name.
    pub sub: String,
    /// POSIX seconds.
    #[serde(deserialize_with = "seconds")]
    pub exp: i64,
    /// POSIX seconds.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_seconds")]
    pub iat: Option<i64>,
    /// Ids of shops, or `*`.
    pub shops: Vec<String>,
    /// What the caller is.
    #[serde(default)]
    pub role: TokenRole,
    /// Whether `sub` is the id of a user, whatever the role: so in tokens of ours, for others' services may be called by
    /// a number. The name is one that nobody else gives a claim.
    #[serde(default, rename = "chatledger_user", skip_serializing_if = "std::ops::Not::not")]
    pub is_user: bool,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<serde_json::Value>,
}

impl Claims {
    /// Whether the token is good for a shop (R-JWT-2).
    #[must_use]
    pub fn covers(&self, shop: TenantId) -> bool {
        self.shops.iter().any(|id| id == "*" || id.parse::<Uuid>().is_ok_and(|id| id == shop.0))
    }

    /// The user that the token acts as, if it is a user's: an agent's and each of ours. No user has the id 0.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        (self.is_user || self.role == TokenRole::Agent).then(|| UserId(self.sub.parse().unwrap_or_default()))
    }

    /// Whether its `sub` can be counted by and be somebody's name.
    fn has_name(&self) -> bool {
        let sub = &self.sub;
        !sub.trim().is_empty() && sub.chars().count() <= MAX_SUB && !sub.contains(char::is_control)
    }

    /// The one shop it is good for, where it is one.
    #[must_use]
    pub fn single_shop(&self) -> Option<TenantId> {
        match self.shops.as_slice() {
            [one] => one.parse().ok().map(TenantId),
            _ => None,
        }
    }
}

/// What an operator says about tokens. Not to be printed: it holds the secret.
#[derive(Clone, Default)]
pub struct JwtSettings {
    /// The shared secret of HS256; what signs our own tokens.
    pub secret: Vec<u8>,
    /// Public keys of RS256, as a JWKS document.
    pub jwks: Option<Arc<JwkSet>>,
    /// Where set, what `iss` must be.
    pub issuer: Option<String>,
    /// Where set, what `aud` must name.
    pub audience: Option<String>,
}

/// Checks tokens, and makes ours.
pub struct Jwt {
    settings: JwtSettings,
}

impl Jwt {
    /// With these settings.
    #[must_use]
    pub fn new(settings: JwtSettings) -> Self {
        Self { settings }
    }

    /// What a token says; `None` for one that is not good now. The algorithm is that of the key, never the token's own
    /// wish: HS256 by the secret, RS256 by a public key of this id.
    #[must_use]
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Option<Claims> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let header = decode_header(token).ok()?;
        let key = match header.alg {
            Algorithm::HS256 if !self.settings.secret.is_empty() => {
                DecodingKey::from_secret(&self.settings.secret).ok()?
            }
            Algorithm::RS256 => self.public_key(header.kid.as_deref())?,
            _ => return None,
        };
        let mut validation = Validation::new(header.alg);
        // Times are checked below, by the clock that everything else goes by.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        // `sub` and `exp` are required by the form of our claims.
        validation.required_spec_claims.clear();
        match &self.settings.issuer {
            Some(issuer) => validation.set_issuer(&[issuer]),
            None => validation.iss = None,
        }
        match &self.settings.audience {
            Some(audience) => validation.set_audience(&[audience]),
            None => validation.validate_aud = false,
        }
        if self.settings.issuer.is_some() {
            validation.required_spec_claims.insert("iss".to_owned());
        }
        if self.settings.audience.is_some() {
            validation.required_spec_claims.insert("aud".to_owned());
        }
        let Timed { not_before, claims } = decode(token, &key, &validation).ok()?.claims;
        let (now, skew) = (now.timestamp(), i64::try_from(SKEW).unwrap_or_default());
        let good = now < claims.exp.saturating_add(skew)
            && not_before.is_none_or(|from| from <= now.saturating_add(skew))
            && claims.has_name();
        good.then_some(claims)
    }

    fn public_key(&self, id: Option<&str>) -> Option<DecodingKey> {
        let keys = &self.settings.jwks.as_ref()?.keys;
        let key = match id {
            Some(id) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(id))?,
            // Without an id there is no choice among several.
            None if keys.len() == 1 => keys.first()?,
            None => return None,
        };
        DecodingKey::from_jwk(key).ok()
    }

    /// A token of ours for a user; `None` when it cannot be made.
    #[must_use]
    pub fn issue(&self, user: UserId, shop: TenantId, role: TokenRole, now: DateTime<Utc>) -> Option<String> {
        let now = now.timestamp();
        let claims = Claims {
            sub: user.to_string(),
            exp: now + LIFETIME,
            iat: Some(now),
            shops: vec![shop.to_string()],
            role,
            is_user: true,
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone().map(Into::into),
        };
        let key = EncodingKey::from_secret(&self.settings.secret).ok()?;
        encode(&Header::new(Algorithm::HS256), &claims, &key).ok()
    }
}

/// The keys of a JWKS document by which RS256 is checked. Those for something else, which providers list as well, are
/// left out.
///
/// # Errors
/// Why it is none, or what is wrong with every one of its keys.
pub fn parse_jwks(text: &str) -> Result<JwkSet, String> {
    let given: JwkSet = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let (mut keys, mut problems) = (Vec::new(), vec!["no key in it is for RS256".to_owned()]);
    for key in given.keys {
        match check_key(&key) {
            Ok(()) => keys.push(key),
            Err(problem) => {
                let name = key.common.key_id.as_deref().unwrap_or("without a kid");
                problems.push(format!("the key {name} {problem}"));
            }
        }
    }
    if keys.is_empty() { Err(problems.join("; ")) } else { Ok(JwkSet { keys }) }
}

/// What would otherwise be told by nothing but refused tokens.
fn check_key(key: &Jwk) -> Result<(), String> {
    if !matches!(key.algorithm, AlgorithmParameters::RSA(_)) {
        return Err("is no RSA key".to_owned());
    }
    if key.common.public_key_use == Some(PublicKeyUse::Encryption) {
        return Err("is for encryption".to_owned());
    }
    if key.common.key_algorithm.is_some_and(|algorithm| algorithm != KeyAlgorithm::RS256) {
        return Err("is for another algorithm than RS256".to_owned());
    }
    DecodingKey::from_jwk(key).map(drop).map_err(|error| format!("cannot be used: {error}"))
}

/// Claims with the time before which they do not count.
#[derive(Deserialize)]
struct Timed {
    #[serde(default, rename = "nbf", deserialize_with = "optional_seconds")]
    not_before: Option<i64>,
    #[serde(flatten)]
    claims: Claims,
}

/// Whole seconds of a time, which may have a fraction (RFC 7519, NumericDate); the nearest that can be counted.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    Ok(number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or_default().floor() as i64))
}

fn optional_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Seconds(#[serde(deserialize_with = "seconds")] i64);
    Ok(Option::<Seconds>::deserialize(from)?.map(|seconds| seconds.0))
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
