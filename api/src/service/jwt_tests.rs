//! Which tokens are good.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"a shared secret of more than 32 bytes";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn jwt() -> Jwt {
    Jwt::new(JwtSettings { secret: SECRET.to_vec(), ..JwtSettings::default() })
}

fn claims() -> Value {
    json!({"sub": "7", "exp": 1_700_000_100, "shops": ["*"], "role": "agent"})
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &[u8]) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret).unwrap()).unwrap()
}

fn with(field: &str, value: Value) -> String {
    let mut claims = claims();
    claims[field] = value;
    signed(&claims, Algorithm::HS256, SECRET)
}

#[test]
fn r_jwt_1_a_signed_token_in_its_time_is_good() {
    let read = jwt().read(&signed(&claims(), Algorithm::HS256, SECRET), now()).unwrap();
    assert_eq!((read.sub.as_str(), read.role, read.exp), ("7", TokenRole::Agent, 1_700_000_100));
    let issued = jwt().issue(UserId(9), TenantId::default(), TokenRole::Admin, now()).unwrap();
    let read = jwt().read(&issued, now()).unwrap();
    assert_eq!((read.role, read.exp - now().timestamp()), (TokenRole::Admin, 3_600));
    assert_eq!((read.sub.as_str(), read.user()), ("9", Some(UserId(9))));
    assert!(read.covers(TenantId::default()));
}

#[test]
fn r_jwt_1_without_a_role_a_token_is_a_services() {
    let claims = json!({"sub": "crm", "exp": 1_700_000_100, "shops": []});
    let read = jwt().read(&signed(&claims, Algorithm::HS256, SECRET), now()).unwrap();
    assert_eq!((read.role, read.user()), (TokenRole::Service, None));
    assert!(!read.covers(TenantId::default()));
}

#[test]
fn r_jwt_1_clocks_may_be_a_minute_apart() {
    for (exp, good) in [(-59, true), (-60, false), (-3_600, false)] {
        let token = with("exp", json!(1_700_000_000 + exp));
        assert_eq!(jwt().read(&token, now()).is_some(), good, "{exp}");
    }
    for (nbf, good) in [(60, true), (61, false)] {
        let token = with("nbf", json!(1_700_000_000 + nbf));
        assert_eq!(jwt().read(&token, now()).is_some(), good, "{nbf}");
    }
}

#[test]
fn r_jwt_1_times_may_have_fractions_and_be_as_large_as_they_like() {
    for (field, time, good) in [
        ("exp", json!(1_700_000_100.75), true),
        ("exp", json!(1_699_999_940.9), false),
        ("exp", json!(1_699_999_941.1), true),
        ("exp", json!(1e300), true),
        ("exp", json!(u64::MAX), true),
        ("exp", json!(-1e300), false),
        ("nbf", json!(1_700_000_060.9), true),
        ("nbf", json!(1_700_000_061.0), false),
        ("nbf", json!(1e300), false),
        ("nbf", json!(null), true),
        ("iat", json!(1_700_000_000.5), true),
        ("iat", json!("now"), false),
    ] {
        assert_eq!(jwt().read(&with(field, time.clone()), now()).is_some(), good, "{field} {time}");
    }
    assert_eq!(jwt().read(&with("exp", json!(1_700_000_100.75)), now()).unwrap().exp, 1_700_000_100);
}

#[test]
fn r_lim_5_a_sub_is_a_name_that_can_be_counted_by() {
    assert!(jwt().read(&with("sub", json!("ü".repeat(255))), now()).is_some());
    for sub in ["x".repeat(256), " ".to_owned(), "crm\0".to_owned(), "c\nrm".to_owned(), "\u{85}".to_owned()] {
        assert!(jwt().read(&with("sub", json!(sub)), now()).is_none(), "{sub:?}");
    }
}

#[test]
fn r_jwt_1_bad_tokens_are_no_tokens() {
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    let unsigned = |header: &str| format!("{}.{body}.", URL_SAFE_NO_PAD.encode(header));
    let good = signed(&claims(), Algorithm::HS256, SECRET);
    let (signed_part, _) = good.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        "a.b.c".to_owned(),
        unsigned(r#"{"alg":"none","typ":"JWT"}"#),
        unsigned(r#"{"alg":"None"}"#),
        unsigned(r#"{"alg":"HS256"}"#),
        format!("{signed_part}."),
        format!("{good}x"),
        signed(&claims(), Algorithm::HS256, b"another secret of more than 32 bytes"),
        signed(&claims(), Algorithm::HS384, SECRET),
        signed(&claims(), Algorithm::HS512, SECRET),
        with("role", json!("root")),
        with("shops", json!("*")),
        with("sub", json!("")),
        with("sub", json!(null)),
        with("exp", json!("tomorrow")),
        "x".repeat(10_000),
    ] {
        assert!(jwt().read(&bad, now()).is_none(), "{bad}");
    }
}

#[test]
fn r_jwt_1_issuer_and_audience_count_where_they_are_set() {
    let issuer = Some("https://id.example".to_owned());
    let set = Jwt::new(JwtSettings {
        secret: SECRET.to_vec(),
        issuer: issuer.clone(),
        audience: Some("chatledger".to_owned()),
        ..JwtSettings::default()
    });
    let token = |iss: Value, aud: Value| {
        let mut claims = claims();
        (claims["iss"], claims["aud"]) = (iss, aud);
        signed(&claims, Algorithm::HS256, SECRET)
    };
    assert!(set.read(&token(json!(issuer), json!("chatledger")), now()).is_some());
    assert!(set.read(&token(json!(issuer), json!(["x", "chatledger"])), now()).is_some());
    for bad in
        [token(json!("x"), json!("chatledger")), token(json!(issuer), json!("x")), with("aud", json!("chatledger"))]
    {
        assert!(set.read(&bad, now()).is_none());
    }
    assert!(set.read(&signed(&claims(), Algorithm::HS256, SECRET), now()).is_none());
    let issued = set.issue(UserId(7), TenantId::default(), TokenRole::Agent, now()).unwrap();
    assert!(set.read(&issued, now()).is_some());
    assert!(jwt().read(&issued, now()).is_some(), "they are not looked at where they are not set");
}

/// A key pair made for this test alone.
const PRIVATE: &str = include_str!("../../tests/keys/rs256.pem");
const JWKS: &str = include_str!("../../tests/keys/jwks.json");

fn rs256(kid: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &EncodingKey::from_rsa_pem(PRIVATE.as_bytes()).unwrap()).unwrap()
}

#[test]
fn r_jwt_1_rs256_goes_by_a_public_key_of_the_file() {
    let jwks = Arc::new(parse_jwks(JWKS).unwrap());
    let jwt = Jwt::new(JwtSettings { secret: SECRET.to_vec(), jwks: Some(jwks), ..JwtSettings::default() });
    assert!(jwt.read(&rs256(Some("one"), &claims()), now()).is_some());
    assert!(jwt.read(&rs256(None, &claims()), now()).is_some(), "there is only one");
    assert!(jwt.read(&rs256(Some("two"), &claims()), now()).is_none());
    // The public key is no secret: it must not count as one for HS256.
    let public: Value = serde_json::from_str(JWKS).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(public["keys"][0]["n"].as_str().unwrap()).unwrap();
    for secret in [JWKS.as_bytes(), &modulus] {
        assert!(jwt.read(&signed(&claims(), Algorithm::HS256, secret), now()).is_none());
    }
    assert!(super::tests::jwt().read(&rs256(Some("one"), &claims()), now()).is_none(), "without a file");
    assert!(parse_jwks(r#"{"keys":[]}"#).is_err());
}

#[test]
fn r_jwt_1_of_a_files_keys_those_for_rs256_are_used() {
    let good: Value = serde_json::from_str(JWKS).unwrap();
    let good = &good["keys"][0];
    let with = |field: &str, value: Value| {
        let mut key = good.clone();
        key[field] = value;
        key
    };
    let read = |keys: &[Value]| parse_jwks(&json!({ "keys": keys }).to_string()).map(|read| read.keys.len());
    let secret = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET)});
    let curve = json!({"kty": "EC", "kid": "two", "crv": "P-256", "x": "AA", "y": "AA"});
    let (longer, sealing) = (with("alg", json!("RS512")), with("use", json!("enc")));
    assert_eq!(
        read(&[secret.clone(), curve.clone(), with("alg", json!("RS256")), longer.clone(), sealing.clone()]),
        Ok(1)
    );
    let wrong = read(&[secret, curve, longer, sealing]).unwrap_err();
    for said in [
        "no key in it is for RS256",
        "without a kid is no RSA key",
        "two is no RSA key",
        "another algorithm",
        "for encryption",
    ] {
        assert!(wrong.contains(said), "{wrong}");
    }
}
