//! Where a request came from and to: scheme, host, client address; proxy headers only when they are believed.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::{HttpRequest, http::header, web};

use crate::app::AppState;

fn believed<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let trusted = request.app_data::<web::Data<AppState>>().is_some_and(|state| state.settings.trust_forwarded);
    // The last value is the one that our own proxy has written.
    let value = request.headers().get_all(name).last().filter(|_| trusted)?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

/// Whether the client speaks https, as far as we know.
pub(crate) fn is_https(request: &HttpRequest) -> bool {
    believed(request, "x-forwarded-proto")
        .map_or_else(|| request.app_config().secure(), |scheme| scheme.eq_ignore_ascii_case("https"))
}

/// The host and port that the client asked; `localhost` where it named none that a URL could hold.
pub(crate) fn authority(request: &HttpRequest) -> &str {
    let named = believed(request, "x-forwarded-host")
        .or_else(|| request.headers().get(header::HOST).and_then(|host| host.to_str().ok()))
        .or_else(|| request.uri().authority().map(actix_web::http::uri::Authority::as_str))
        .unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    if named.is_empty() || !named.bytes().all(plain) { "localhost" } else { named }
}

/// The host that the client asked, lower-case, without port.
pub(crate) fn host(request: &HttpRequest) -> String {
    let authority = authority(request);
    let end = match authority.rfind(']') {
        Some(end) => end + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    authority[..end].to_ascii_lowercase()
}

/// Scheme and host for absolute links (R-GEN-8), without a final slash.
pub(crate) fn base_url(request: &HttpRequest) -> String {
    let scheme = if is_https(request) { "https" } else { "http" };
    format!("{scheme}://{}", authority(request))
}

/// The client's address for counting; of IPv6 the network, because one client owns all of it.
pub(crate) fn client(request: &HttpRequest) -> Option<IpAddr> {
    let told = believed(request, "x-forwarded-for").and_then(|address| address.parse().ok());
    match told.or_else(|| request.peer_addr().map(|peer| peer.ip()))? {
        IpAddr::V6(address) => Some(match address.to_ipv4_mapped() {
            Some(address) => address.into(),
            None => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        }),
        address => Some(address),
    }
}
