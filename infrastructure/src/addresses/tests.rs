//! Every known way to write a forbidden address, and the ordinary ones that must pass (S4).

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use proptest::prelude::*;

use super::{forbidden::FORBIDDEN, *};

/// A name service that knows these names.
fn names(known: &'static [(&'static str, &'static [&'static str])]) -> Resolve {
    Arc::new(move |host| {
        let host = host.trim_end_matches('.').to_owned();
        Box::pin(async move {
            let found = known.iter().find(|(name, _)| *name == host);
            let found = found.ok_or_else(|| io::Error::other("no such name"))?;
            Ok(found.1.iter().map(|ip| ip.parse().expect("an address")).collect())
        })
    })
}

const KNOWN: &[(&str, &[&str])] = &[
    ("crm.acme.example", &["93.184.216.34", "2606:2800:220:1::1"]),
    ("private.example", &["10.1.2.3"]),
    ("mixed.example", &["93.184.216.34", "127.0.0.1"]),
    ("mixed6.example", &["93.184.216.34", "::ffff:169.254.169.254"]),
    ("localhost", &["127.0.0.1", "::1"]),
    ("own.example", &["93.184.216.40"]),
    ("erp.internal", &["10.1.2.3"]),
    ("xn--bcher-kva.example", &["93.184.216.34"]),
];

fn guard(rules: Rules) -> AddressGuard {
    AddressGuard::with_resolver(rules, names(KNOWN))
}

async fn vet(rules: &Rules, address: &str) -> Result<Vetted, AddressError> {
    guard(rules.clone()).vet(address).await
}

#[tokio::test]
async fn s4_no_notation_of_a_forbidden_place_passes() {
    for (expected, addresses) in FORBIDDEN {
        for address in *addresses {
            assert_eq!(vet(&Rules::default(), address).await, Err(*expected), "{address:?}");
        }
    }
    let long = format!("https://crm.acme.example/{}", "a".repeat(MAX_LEN));
    assert_eq!(vet(&Rules::default(), &long).await, Err(AddressError::Malformed));
    assert_eq!(vet(&Rules::default(), "https://unknown.example/").await, Err(AddressError::Unresolved));
}

#[tokio::test]
async fn public_addresses_pass_and_are_pinned() {
    let vetted = vet(&Rules::default(), "https://crm.acme.example/hook?auth=s3cr3t#part").await.unwrap();
    assert_eq!(vetted.url, "https://crm.acme.example/hook?auth=s3cr3t");
    assert_eq!(vetted.origin, "https://crm.acme.example");
    assert_eq!(vetted.addresses, ["93.184.216.34:443", "[2606:2800:220:1::1]:443"].map(|a| a.parse().unwrap()));
    for address in [
        "https://crm.acme.example",
        "https://CRM.acme.example:8443/a/b",
        "https://crm.acme.example./",
        "https://bücher.example/",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1::1]/",
        "https://[64:ff9b::93.184.216.34]/",
        "https://100.63.255.255/",
        "https://172.32.0.1/",
    ] {
        assert!(vet(&Rules::default(), address).await.is_ok(), "{address}");
    }
}

#[tokio::test]
async fn what_the_operator_allows_passes_and_nothing_else() {
    let rules = Rules {
        allow_http: true,
        allow_nets: vec!["127.0.0.0/8".parse().unwrap()],
        allow_hosts: vec!["erp.internal".to_owned()],
        ..Rules::default()
    };
    for address in
        ["http://127.0.0.1:8080/", "https://2130706433/", "https://[::ffff:127.0.0.1]/", "http://ERP.internal./"]
    {
        assert!(vet(&rules, address).await.is_ok(), "{address}");
    }
    // The name has an IPv6 answer as well, which nobody allowed.
    for address in ["https://10.1.2.3/", "https://[::1]/", "https://localhost/", "https://private.example/"] {
        assert_eq!(vet(&rules, address).await, Err(AddressError::Place), "{address}");
    }
    assert_eq!(vet(&rules, "http://127.0.0.1:5432/").await, Err(AddressError::Port));
}

#[tokio::test]
async fn this_server_is_never_called_even_where_its_network_is_allowed() {
    let own = |text: &str| text.parse().unwrap();
    let rules = Rules {
        allow_http: true,
        allow_nets: vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
        own_addresses: vec![own("127.0.0.1:8080"), own("0.0.0.0:8081"), own("10.9.9.9:8082")],
        own_hosts: vec!["own.example".to_owned()],
        ..Rules::default()
    };
    for address in [
        "http://127.0.0.1:8080/",
        "http://[::ffff:127.0.0.1]:8080/",
        "http://127.0.0.7:8081/",
        "http://10.9.9.9:8082/",
        "https://own.example/",
        "https://OWN.example./hook",
    ] {
        assert_eq!(vet(&rules, address).await, Err(AddressError::Place), "{address}");
    }
    assert!(vet(&rules, "http://127.0.0.1:8082/").await.is_ok());
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_by_the_time_of_the_call_gains_nothing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let resolve: Resolve = Arc::new(move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        let ip = if first { Ipv4Addr::new(93, 184, 216, 34) } else { Ipv4Addr::LOCALHOST };
        Box::pin(async move { Ok(vec![ip.into()]) })
    });
    let guard = AddressGuard::with_resolver(Rules::default(), resolve);
    let vetted = guard.vet("https://rebind.example/").await.unwrap();
    assert_eq!(vetted.addresses, ["93.184.216.34:443".parse().unwrap()], "who calls is given these");
    assert_eq!(guard.vet("https://rebind.example/").await, Err(AddressError::Place), "vetted anew at every call");
}

proptest! {
    /// However a private IPv4 address is written or wrapped, it is refused.
    #[test]
    fn every_private_address_is_refused_in_every_notation(
        net in prop::sample::select(vec![(10u32 << 24, 8), (127 << 24, 8), (0xa9fe_0000, 16), (0xac10_0000, 12),
            (0xc0a8_0000, 16), (0x6440_0000, 10), (0xc612_0000, 15), (0xf000_0000, 4), (0, 8)]),
        host in any::<u32>(),
    ) {
        let (base, length) = net;
        let ip = Ipv4Addr::from(base | (host & (u32::MAX >> length)));
        let n = u32::from(ip);
        let [a, b, c, d] = ip.octets();
        let v6 = [
            ip.to_ipv6_mapped().to_string(),
            format!("64:ff9b::{:x}:{:x}", n >> 16, n & 0xffff),
            format!("2002:{:x}:{:x}::1", n >> 16, n & 0xffff),
            format!("::{:x}:{:x}", n >> 16, n & 0xffff),
        ];
        let mut forms = vec![
            ip.to_string(), n.to_string(), format!("{n:#x}"), format!("0{n:o}"), format!("{a}.{}", n & 0xff_ffff),
            format!("{a}.{b}.{}", n & 0xffff), format!("{a:#x}.{b:#o}.{c}.{d}").replace("0o", "0"), format!("{ip}."),
        ];
        forms.extend(v6.iter().map(|v6| format!("[{v6}]")));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for form in forms {
            let vetted = runtime.block_on(vet(&Rules::default(), &format!("https://{form}/")));
            prop_assert_eq!(vetted, Err(AddressError::Place), "{}", form);
        }
    }

    /// Nothing makes it panic, and what passes is public.
    #[test]
    fn whatever_is_given_only_public_places_pass(text in "(https://)?[ -~]{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if let Ok(vetted) = runtime.block_on(vet(&Rules::default(), &text)) {
            prop_assert!(vetted.addresses.iter().all(|address| is_public(address.ip())));
        }
    }
}
