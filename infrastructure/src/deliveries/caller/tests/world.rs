//! What the tests of calls share: a caller that may call this machine, a name service to steer, listeners.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use chatledger_application::ports::directory::{Holder, TenantEntry};
use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::super::*;
use crate::addresses::{AddressGuard, Resolve, Rules};

/// When the tests take place.
pub(super) const NOW: i64 = 1_767_693_600;

struct Then;

impl Clock for Then {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(NOW, 0).expect("a time")
    }
}

/// Knows one tenant's host: `inbox.example`.
struct Tenants;

#[async_trait]
impl Directory for Tenants {
    async fn all(&self) -> Result<Arc<[TenantEntry]>, Unavailable> {
        Ok(Arc::default())
    }
    async fn by_id(&self, _: TenantId) -> Result<Option<TenantEntry>, Unavailable> {
        Ok(None)
    }
    async fn by_slug(&self, _: &str) -> Result<Option<TenantEntry>, Unavailable> {
        Ok(None)
    }
    async fn by_host(&self, host: &str) -> Result<Option<TenantEntry>, Unavailable> {
        let entry = || TenantEntry {
            id: TenantId(Uuid::from_u128(1)),
            slug: "acme".to_owned(),
            name: "Acme".to_owned(),
            hosts: vec!["inbox.example".to_owned()],
            settings: chatledger_domain::tenant::Settings::default(),
            number: None,
        };
        Ok((host == "inbox.example").then(entry))
    }
    async fn by_phone_number_id(&self, _: &str) -> Result<Option<TenantEntry>, Unavailable> {
        Ok(None)
    }
    async fn holder(&self, _: &str) -> Result<Holder, Unavailable> {
        Ok(Holder::Nobody)
    }
    async fn by_tag(&self, _: &str) -> Result<Vec<TenantId>, Unavailable> {
        Ok(Vec::new())
    }
}

/// A name service whose answers can be changed.
#[derive(Clone, Default)]
pub(super) struct Names {
    known: Arc<Mutex<HashMap<String, Vec<IpAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Names {
    /// From now on a name leads there.
    pub(super) fn lead(&self, name: &str, to: &[&str]) {
        let to = to.iter().map(|ip| ip.parse().expect("an address")).collect();
        self.known.lock().unwrap().insert(name.to_owned(), to);
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn resolve(&self) -> Resolve {
        let names = self.clone();
        Arc::new(move |host| {
            names.asked.fetch_add(1, Ordering::SeqCst);
            let found = names.known.lock().unwrap().get(host.trim_end_matches('.')).cloned();
            Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
        })
    }
}

/// A caller with these rules and names.
pub(super) fn caller(rules: Rules, names: &Names) -> Caller {
    caller_asking(rules, names.resolve())
}

/// A caller with these rules and this name service.
pub(super) fn caller_asking(rules: Rules, resolve: Resolve) -> Caller {
    let guard = AddressGuard::with_resolver(rules, resolve);
    Caller::new(Arc::new(guard), Arc::new(Tenants), Arc::new(Then)).expect("TLS")
}

/// Rules that let these networks be called, with plain `http`.
pub(super) fn allow(nets: &[&str]) -> Rules {
    let allow_nets = nets.iter().map(|net| net.parse().expect("a network")).collect();
    Rules { allow_http: true, allow_nets, ..Rules::default() }
}

/// A target without headers and secrets.
pub(super) fn target(url: impl Into<String>) -> CallTarget {
    CallTarget { url: url.into(), ..CallTarget::default() }
}

impl Caller {
    /// Calls an address with a short body.
    pub(super) async fn hit(&self, url: impl Into<String>) -> Outcome {
        self.call(&target(url), Uuid::from_u128(7), 1, r#"{"messages":[]}"#.into()).await
    }
}

/// A listener that answers every request with the same bytes.
pub(super) struct Listener {
    pub(super) port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    /// One that answers 200 and keeps connections open.
    pub(super) async fn start(ip: &str) -> Self {
        Self::answering(ip, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await
    }

    /// One that answers with these bytes.
    pub(super) async fn answering(ip: &str, answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        Self::on(listener, port, answer)
    }

    /// One at a certain port.
    pub(super) async fn at(ip: &str, port: u16) -> Self {
        let listener = TcpListener::bind((ip, port)).await.expect("the port");
        Self::on(listener, port, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    }

    fn on(listener: TcpListener, port: u16, answer: &'static [u8]) -> Self {
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let this = Self { port, connections: connections.clone(), requests: Arc::clone(&requests) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, requests.clone(), answer));
            }
        });
        this
    }

    /// How many connections came.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests, whole, as they came.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, requests: Arc<Mutex<Vec<String>>>, answer: &'static [u8]) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let mut request = Vec::new();
        while !is_whole(&request) {
            match stream.read(&mut buffer).await {
                Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
                _ => return,
            }
        }
        requests.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
