//! A program that receives webhooks: a real HTTP server that remembers every call and can be told to misbehave.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A call that came, whole.
#[derive(Clone, Debug)]
pub struct Call {
    pub at: Instant,
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub raw: Vec<u8>,
    pub body: Value,
}

impl Call {
    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// How a receiver answers.
#[derive(Clone, Debug)]
pub enum Manner {
    /// With a status, extra headers (each ended by `\r\n`) and a body.
    Answer(u16, &'static str, String),
    /// 200 after a while.
    Slow(Duration),
    /// Reads the call and says nothing.
    Silent,
    /// 200, then a body of one byte a second.
    Drip,
    /// 200, then a body without end, as fast as it is taken.
    Endless,
    /// 200 with a gzip body of a gigabyte of zeroes.
    Bomb,
    /// Closes the connection with a reset once the call is read.
    Reset,
    /// Bytes that are neither HTTP nor TLS.
    Garbage,
}

impl Manner {
    /// With a status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, "", String::new())
    }
}

type Answering = Arc<dyn Fn(&Call) -> Manner + Send + Sync>;

struct Shared {
    calls: Mutex<Vec<Call>>,
    answering: Mutex<Answering>,
    /// Calls that wait for their answers, and the most that did at once.
    open: AtomicUsize,
    most: AtomicUsize,
}

/// A running receiver. It ends with the test's runtime.
#[derive(Clone)]
pub struct Receiver {
    /// Where it is reached, with a path and a query.
    pub url: String,
    shared: Arc<Shared>,
}

impl Receiver {
    /// One that answers 200.
    pub async fn start() -> Self {
        Self::with(Manner::status(200)).await
    }

    /// One with a manner.
    pub async fn with(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook?auth=s3cr3t", listener.local_addr().expect("an address"));
        let answering: Answering = Arc::new(move |_| manner.clone());
        let (open, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let shared = Arc::new(Shared { calls: Mutex::default(), answering: Mutex::new(answering), open, most });
        let server = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, server.clone()));
            }
        });
        Self { url, shared }
    }

    /// From now on answers so.
    pub fn behave(&self, manner: Manner) {
        self.answer(move |_| manner.clone());
    }

    /// From now on answers each call as `answer` says.
    pub fn answer(&self, answer: impl Fn(&Call) -> Manner + Send + Sync + 'static) {
        *self.shared.answering.lock().unwrap() = Arc::new(answer);
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// How many calls came.
    pub fn count(&self) -> usize {
        self.shared.calls.lock().unwrap().len()
    }

    /// The most calls that waited for an answer at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }

    /// The bodies so far that have a key.
    pub fn bodies_with(&self, key: &str) -> Vec<Value> {
        self.calls().into_iter().map(|call| call.body).filter(|body| body.get(key).is_some()).collect()
    }

    /// Waits for so many calls in all; the calls.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> impl Future<Output = Vec<Call>> {
        let (this, caller) = (self.clone(), std::panic::Location::caller());
        async move {
            for _ in 0..2_000 {
                if this.count() >= count {
                    return this.calls();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            panic!("{caller}: {} of {count} calls within 10 s", this.count());
        }
    }

    /// Waits for so many bodies with a key; those bodies.
    #[track_caller]
    pub fn wait_for_bodies(&self, key: &str, count: usize) -> impl Future<Output = Vec<Value>> {
        let (this, key, caller) = (self.clone(), key.to_owned(), std::panic::Location::caller());
        async move {
            for _ in 0..2_000 {
                let bodies = this.bodies_with(&key);
                if bodies.len() >= count {
                    return bodies;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            panic!("{caller}: {} of {count} bodies with {key} within 10 s", this.bodies_with(&key).len());
        }
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    while let Some(call) = receive(&mut read).await {
        let answering = shared.answering.lock().unwrap().clone();
        let manner = answering(&call);
        shared.calls.lock().unwrap().push(call);
        shared.most.fetch_max(shared.open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let answered = answer(&mut write, manner).await;
        shared.open.fetch_sub(1, Ordering::SeqCst);
        if answered.is_none() {
            return;
        }
    }
}

async fn receive(read: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Call> {
    let mut line = String::new();
    read.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        read.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut raw = vec![0; length];
    read.read_exact(&mut raw).await.ok()?;
    let body = serde_json::from_slice(&raw).unwrap_or_default();
    Some(Call { at: Instant::now(), path, headers, raw, body })
}

/// `None` when the connection is over.
async fn answer(write: &mut tokio::net::tcp::WriteHalf<'_>, manner: Manner) -> Option<()> {
    match manner {
        Manner::Answer(status, headers, body) => {
            let head = format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\n\r\n", body.len());
            write.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.ok()
        }
        Manner::Slow(pause) => {
            tokio::time::sleep(pause).await;
            write.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok()
        }
        Manner::Silent => std::future::pending().await,
        Manner::Drip => {
            write.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await.ok()?;
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                write.write_all(b"x").await.ok()?;
            }
        }
        Manner::Endless => {
            write.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.ok()?;
            let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
            loop {
                write.write_all(&chunk).await.ok()?;
            }
        }
        Manner::Bomb => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n";
            write.write_all(head).await.ok()?;
            let packed = bomb();
            let chunk = [format!("{:x}\r\n", packed.len()).as_bytes(), &packed, b"\r\n"].concat();
            for _ in 0..1_024 {
                write.write_all(&chunk).await.ok()?;
            }
            write.write_all(b"0\r\n\r\n").await.ok()
        }
        Manner::Reset => {
            let _ = write.as_ref().set_zero_linger();
            None
        }
        Manner::Garbage => {
            write.write_all(&[0x16, 0x03, 0x09, 0xff, 0xff, 0x00, b'?', b'\n', 0x00, 0xfe]).await.ok()?;
            None
        }
    }
}

/// A gzip member: a megabyte of zeroes in about a kilobyte. A gzip stream may hold any number of members.
fn bomb() -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![0; 1 << 20]).expect("memory takes it");
    packed.finish().expect("memory takes it")
}
