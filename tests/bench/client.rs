//! A load generator that costs little: prepared requests over kept connections, answers read as far as needed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What a load came to.
pub struct Outcome {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Each request's time, sorted.
    pub times: Vec<Duration>,
    /// Answers other than 200 and 201.
    pub failed: usize,
}

impl Outcome {
    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// A percentile in milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        let index = ((self.times.len() as f64 - 1.0) * percent / 100.0).round() as usize;
        self.times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// Sends all requests over so many connections; with a rate, no faster than that many a second in all.
pub async fn send(address: &str, requests: Vec<Vec<u8>>, connections: usize, rate: Option<f64>) -> Outcome {
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let since = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (requests, next, address) = (requests.clone(), next.clone(), address.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(&address).await.expect("the server listens");
            stream.set_nodelay(true).expect("a socket");
            let (mut times, mut failed, mut buffer) = (Vec::new(), 0, vec![0; 64 * 1024]);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(index) else { break };
                if let Some(rate) = rate {
                    tokio::time::sleep_until((since + Duration::from_secs_f64(index as f64 / rate)).into()).await;
                }
                let sent = Instant::now();
                stream.write_all(request).await.expect("the server reads");
                let status = answer(&mut stream, &mut buffer).await;
                times.push(sent.elapsed());
                failed += usize::from(!matches!(status, 200 | 201));
            }
            (times, failed)
        }));
    }
    let (mut times, mut failed) = (Vec::new(), 0);
    for task in tasks {
        let (own, own_failed) = task.await.expect("a connection's task ends");
        times.extend(own);
        failed += own_failed;
    }
    let elapsed = since.elapsed();
    times.sort_unstable();
    Outcome { elapsed, times, failed }
}

/// Reads one answer; its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> u16 {
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
        let read = stream.read(&mut buffer[filled..]).await.expect("the server answers");
        assert!(read > 0, "the server hung up");
        filled += read;
        let Some(head) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0);
        let whole = head + 4 + length;
        while filled < whole {
            if filled == buffer.len() {
                buffer.resize(whole, 0);
            }
            filled += stream.read(&mut buffer[filled..]).await.expect("the server answers");
        }
        return text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    }
}

/// A request as bytes.
pub fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         {headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A signed webhook call as bytes.
pub fn webhook(secret: &str, body: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    mac.update(body.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    request("POST", "/api/v1/whatsapp/webhooks", &format!("X-Hub-Signature-256: sha256={signature}\r\n"), body)
}

/// A call with these messages of now: (customer, id) each.
pub fn call(number: &str, messages: &[(String, String)]) -> String {
    call_at(number, chrono::Utc::now().timestamp(), messages)
}

/// A call with messages of a moment, POSIX seconds.
pub fn call_at(number: &str, timestamp: i64, messages: &[(String, String)]) -> String {
    let contacts: Vec<String> = messages
        .iter()
        .map(|(from, _)| format!(r#"{{"profile":{{"name":"Customer {from}"}},"wa_id":"{from}"}}"#))
        .collect();
    let messages: Vec<String> = messages
        .iter()
        .map(|(from, id)| {
            format!(
                r#"{{"from":"{from}","id":"wamid.{id}","timestamp":"{timestamp}","type":"text","text":{{"body":"Is my order {id} ready? I would like to know."}}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"102290129340398","changes":[{{"field":"messages","value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"351210000000","phone_number_id":"{number}"}},"contacts":[{}],"messages":[{}]}}}}]}}]}}"#,
        contacts.join(","),
        messages.join(",")
    )
}

/// A customer's number.
pub fn customer(index: usize) -> String {
    format!("3519{index:08}")
}
