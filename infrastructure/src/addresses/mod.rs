//! The guard of outgoing calls: which addresses given by tenants may be called.
//!
//! An address is read as a browser reads it (so that every notation of an IP address is seen through), its name is
//! resolved, and one forbidden answer among many refuses it. Who calls ([`crate::deliveries::caller`]) connects to what
//! was vetted, so that a name which leads elsewhere a moment later gains nothing.

#[cfg(test)]
pub(crate) mod forbidden;
mod names;
mod nets;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use chatledger_application::ports::addresses::{AddressError, Addresses, Vetted};
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use url::{Host, Url};

pub use self::names::remembered;
use self::nets::{is_public, plain};

/// The longest address, in bytes.
const MAX_LEN: usize = 2_000;
/// How long the name service may take.
const RESOLVE: Duration = Duration::from_secs(5);
/// How long an answer of the name service is taken as it was.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Ports of 1024 and above where databases, caches and consoles listen. Below, only 80 and 443 are allowed.
const OTHER_SERVICES: &[u16] = &[
    1433, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5433, 5671, 5672, 5900, 5984, 6379, 6380,
    6443, 6667, 8500, 9042, 9092, 9200, 9300, 10250, 10255, 11211, 15672, 26257, 27017, 27018,
];

/// Asks the name service.
pub type Resolve = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// What is allowed besides public addresses, and what is not even then.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Plain `http` as well as `https`.
    pub allow_http: bool,
    /// Networks that may be called although they are not public.
    pub allow_nets: Vec<IpNet>,
    /// Names, lower-case, that may be called wherever they lead.
    pub allow_hosts: Vec<String>,
    /// Where this server and its database listen: never called.
    pub own_addresses: Vec<SocketAddr>,
    /// Names, lower-case, under which this server is reached: never called.
    pub own_hosts: Vec<String>,
}

/// Vets addresses by rules and the name service.
#[derive(Clone)]
pub struct AddressGuard {
    rules: Arc<Rules>,
    resolve: Resolve,
}

impl AddressGuard {
    /// With this machine's name service, whose answers are remembered for 5 s. The rules are applied every time.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let resolve: Resolve = Arc::new(|host| {
            Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect()) })
        });
        Self::with_resolver(rules, remembered(resolve, REMEMBERED))
    }

    /// With another name service, for tests.
    #[must_use]
    pub fn with_resolver(rules: Rules, resolve: Resolve) -> Self {
        Self { rules: Arc::new(rules), resolve }
    }

    /// What an address says by itself, before any name is resolved.
    fn read(&self, address: &str) -> Result<(Url, Host<String>, u16), AddressError> {
        // Browsers drop or turn these; people and logs read something else.
        let tricks = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if address.len() > MAX_LEN || address.contains(tricks) {
            return Err(AddressError::Malformed);
        }
        let mut url = Url::parse(address).map_err(|_| AddressError::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.rules.allow_http => {}
            _ => return Err(AddressError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() || authority(address).contains('@') {
            return Err(AddressError::UserInfo);
        }
        url.set_fragment(None);
        let host = url.host().ok_or(AddressError::Malformed)?.to_owned();
        let port = url.port_or_known_default().ok_or(AddressError::Malformed)?;
        if (port < 1024 && !matches!(port, 80 | 443)) || OTHER_SERVICES.contains(&port) {
            return Err(AddressError::Port);
        }
        Ok((url, host, port))
    }

    async fn resolved(&self, name: &str) -> Result<Vec<IpAddr>, AddressError> {
        let asked = tokio::time::timeout(RESOLVE, (self.resolve)(name.to_owned()));
        let found = asked.await.ok().and_then(Result::ok).unwrap_or_default();
        if found.is_empty() { Err(AddressError::Unresolved) } else { Ok(found) }
    }

    fn is_own(&self, ip: IpAddr, port: u16) -> bool {
        self.rules.own_addresses.iter().any(|own| {
            // A server that listens everywhere is reached at every address of this machine that we may call at all.
            let here = own.ip().is_unspecified() && (ip.is_loopback() || ip.is_unspecified());
            own.port() == port && (here || plain(own.ip()) == plain(ip))
        })
    }

    fn is_allowed(&self, ip: IpAddr) -> bool {
        let ip = plain(ip);
        is_public(ip) || self.rules.allow_nets.iter().any(|net| net.contains(&ip))
    }
}

#[async_trait]
impl Addresses for AddressGuard {
    async fn vet(&self, address: &str) -> Result<Vetted, AddressError> {
        let (url, host, port) = self.read(address)?;
        let (host, found, anywhere) = match host {
            Host::Ipv4(ip) => (ip.to_string(), vec![ip.into()], false),
            Host::Ipv6(ip) => (ip.to_string(), vec![ip.into()], false),
            Host::Domain(name) => {
                let bare = name.trim_end_matches('.').to_lowercase();
                if self.rules.own_hosts.contains(&bare) {
                    return Err(AddressError::Place);
                }
                let found = self.resolved(&name).await?;
                (name, found, self.rules.allow_hosts.contains(&bare))
            }
        };
        if found.iter().any(|ip| self.is_own(*ip, port) || !(anywhere || self.is_allowed(*ip))) {
            return Err(AddressError::Place);
        }
        let origin = url.origin().ascii_serialization();
        let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Ok(Vetted { url: url.into(), origin, host, addresses })
    }
}

/// What stands between the scheme and the path.
fn authority(address: &str) -> &str {
    let rest = address.split_once(':').map_or("", |(_, rest)| rest).trim_start_matches('/');
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}
