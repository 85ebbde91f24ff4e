//! The guard of outgoing calls, with what this very server is reached at.

use std::net::{SocketAddr, ToSocketAddrs};

use chatledger_infrastructure::{
    addresses::{AddressGuard, Rules},
    config::Config,
};
use url::{Host, Url};

/// The guard by the configuration; `local` is where this process listens.
pub(super) fn guard(config: &Config, database_url: &str, local: Option<SocketAddr>) -> AddressGuard {
    let mut own_addresses: Vec<SocketAddr> = local.into_iter().collect();
    let mut own_hosts = Vec::new();
    own_addresses.extend(config.listen.to_socket_addrs().into_iter().flatten().filter(|address| address.port() != 0));
    let database = Url::parse(database_url).ok().and_then(|url| Some((url.host_str()?.to_owned(), url.port()?)));
    own_addresses.extend(database.into_iter().filter_map(|place| place.to_socket_addrs().ok()).flatten());
    let public = config.public_url.as_deref().and_then(|url| Url::parse(url).ok());
    match public.as_ref().and_then(|url| Some((url.host()?, url.port_or_known_default()?))) {
        Some((Host::Domain(name), _)) => own_hosts.push(name.to_lowercase()),
        Some((Host::Ipv4(ip), port)) => own_addresses.push(SocketAddr::new(ip.into(), port)),
        Some((Host::Ipv6(ip), port)) => own_addresses.push(SocketAddr::new(ip.into(), port)),
        None => {}
    }
    AddressGuard::new(Rules {
        allow_http: config.allow_http,
        allow_nets: config.allow_nets.clone(),
        allow_hosts: config.allow_hosts.clone(),
        own_addresses,
        own_hosts,
    })
}
