//! A server that answers every request with the same bytes, and remembers the requests' first lines.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A running stub. It ends with the test's runtime.
pub struct Stub {
    /// Where it is reached, without a slash at the end.
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// One that answers with this HTTP status, extra headers (each ended by `\r\n`) and body.
    pub async fn http(status: &str, headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        Self::answering([head.as_bytes(), body].concat()).await
    }

    /// One that takes requests and never answers.
    pub async fn silent() -> Self {
        Self::answering(Vec::new()).await
    }

    async fn answering(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move {
                    let mut request = vec![0; 64 * 1024];
                    let read = stream.read(&mut request).await.unwrap_or_default();
                    let request = String::from_utf8_lossy(&request[..read]).into_owned();
                    seen.lock().unwrap().push(request.lines().next().unwrap_or_default().to_owned());
                    if answer.is_empty() {
                        return std::future::pending().await;
                    }
                    let _ = stream.write_all(&answer).await;
                });
            }
        });
        Self { url, asked }
    }

    /// The first lines of the requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
