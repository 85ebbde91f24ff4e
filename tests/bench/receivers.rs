//! Many receivers of webhooks in one process that cost little: each call is read whole, its time and first message id
//! remembered, and answered 200.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Running receivers.
pub struct Receivers {
    /// Their addresses.
    pub urls: Vec<String>,
    arrived: Arc<Arrivals>,
}

#[derive(Default)]
struct Arrivals {
    count: AtomicUsize,
    /// When each message came to each receiver.
    times: Mutex<HashMap<(usize, String), Instant>>,
}

impl Receivers {
    /// Starts so many.
    pub async fn start(count: usize) -> Self {
        let arrived = Arc::new(Arrivals::default());
        let mut urls = Vec::new();
        for receiver in 0..count {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            urls.push(format!("http://{}/hook", listener.local_addr().expect("an address")));
            let arrived = arrived.clone();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(serve(stream, receiver, arrived.clone()));
                }
            });
        }
        Self { urls, arrived }
    }

    /// How many calls came.
    pub fn count(&self) -> usize {
        self.arrived.count.load(Ordering::SeqCst)
    }

    /// Waits for so many calls in all; whether they came in time.
    pub async fn wait_for(&self, count: usize, at_most: Duration) -> bool {
        let since = Instant::now();
        while self.count() < count {
            if since.elapsed() > at_most {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        true
    }

    /// How long each message of `sent` took to each receiver, sorted.
    pub fn delays(&self, sent: &HashMap<String, Instant>) -> Vec<Duration> {
        let times = self.arrived.times.lock().expect("no panic holds it");
        let delay = |((_, id), at): (&(usize, String), &Instant)| Some(at.saturating_duration_since(*sent.get(id)?));
        let mut delays: Vec<Duration> = times.iter().filter_map(delay).collect();
        delays.sort_unstable();
        delays
    }

    /// Forgets what came.
    pub fn forget(&self) {
        self.arrived.times.lock().expect("no panic holds it").clear();
        self.arrived.count.store(0, Ordering::SeqCst);
    }
}

async fn serve(mut stream: TcpStream, receiver: usize, arrived: Arc<Arrivals>) {
    let mut buffer: Vec<u8> = Vec::with_capacity(16 * 1024);
    loop {
        let Some(end) = read_request(&mut stream, &mut buffer).await else { return };
        if let Some(id) = first_id(&buffer[..end]) {
            arrived.times.lock().expect("no panic holds it").entry((receiver, id)).or_insert_with(Instant::now);
        }
        arrived.count.fetch_add(1, Ordering::SeqCst);
        buffer.drain(..end);
        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

/// Where the first request in the buffer ends, once it is there.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let end = head + 4 + length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
            if buffer.len() >= end {
                return Some(end);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// WhatsApp's id of the first message in a body, without its `wamid.`.
fn first_id(body: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"\"wamid.";
    let at = body.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let id = body[at..].iter().take_while(|byte| **byte != b'"').copied().collect();
    String::from_utf8(id).ok()
}
