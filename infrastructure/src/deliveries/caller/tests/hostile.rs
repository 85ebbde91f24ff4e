//! R-OUT-3: answers that are slow, endless or nonsense cost a bounded time and a bounded number of bytes.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{super::*, world::*};

/// A receiver that, asked once, writes `head`, then `chunk` again and again with a pause; and how many bytes were taken
/// from it.
async fn hostile(head: Vec<u8>, chunk: Vec<u8>, pause: Duration) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (head, chunk, counter) = (head.clone(), chunk.clone(), counter.clone());
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let mut next = &head;
                while stream.write_all(next).await.is_ok() {
                    counter.fetch_add(next.len(), Ordering::SeqCst);
                    next = &chunk;
                    tokio::time::sleep(pause).await;
                }
            });
        }
    });
    (url, taken)
}

/// Calls, within 15 s by our own clock whatever comes back.
async fn call(url: &str) -> Outcome {
    let start = Instant::now();
    let outcome = caller(allow(&["127.0.0.0/8"]), &Names::default()).hit(url).await;
    assert!(start.elapsed() < Duration::from_secs(13), "{outcome:?}");
    assert!(outcome.answer.len() <= 1024, "{} bytes are handed on", outcome.answer.len());
    outcome
}

#[tokio::test]
async fn r_out_3_an_answer_that_does_not_begin_fails_after_ten_seconds() {
    // Silent; a head of a byte a second; a head that never ends; interim answers without end.
    let (silent, _) = hostile(Vec::new(), Vec::new(), Duration::from_secs(60)).await;
    let (slow, _) = hostile(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x".to_vec(), Duration::from_secs(1)).await;
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec();
    let (interim, _) = hostile(interim.clone(), interim, Duration::from_millis(100)).await;
    let outcomes = tokio::join!(call(&silent), call(&slow), call(&interim));
    for outcome in [outcomes.0, outcomes.1, outcomes.2] {
        assert_eq!((outcome.status, outcome.error.as_deref()), (None, Some("no answer in time")));
        assert!(outcome.took >= Duration::from_secs(10), "{outcome:?}");
    }
}

#[tokio::test]
async fn r_out_3_a_2xx_counts_whatever_follows_and_at_most_16_kib_are_read() {
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\n{more}\r\n").into_bytes();
    let long = "content-length: 1000000000000\r\n";
    let (drip, _) = hostile(head(long), b"x".to_vec(), Duration::from_secs(1)).await;
    let (endless, taken) = hostile(head(long), vec![b'x'; 1 << 16], Duration::ZERO).await;
    // A gzip bomb is bytes like others: nothing unpacks it.
    let (bomb, packed) =
        hostile(head(&format!("content-encoding: gzip\r\n{long}")), vec![0x1f; 1 << 16], Duration::ZERO).await;
    let (dripped, flooded, bombed) = tokio::join!(call(&drip), call(&endless), call(&bomb));
    for outcome in [&dripped, &flooded, &bombed] {
        assert!(outcome.is_success() && !outcome.is_whole && outcome.error.is_none(), "{outcome:?}");
    }
    assert!(dripped.took < Duration::from_secs(4), "{dripped:?}");
    assert_eq!(flooded.answer, "x".repeat(1024));
    assert!(bombed.answer.starts_with('\u{1f}'));
    tokio::time::sleep(Duration::from_millis(300)).await;
    // What is above are the buffers of the two kernels' ends.
    for taken in [taken, packed] {
        let taken = taken.load(Ordering::SeqCst);
        assert!(taken < 16 << 20, "{taken} bytes were taken");
    }
}

#[tokio::test]
async fn r_out_3_what_is_no_proper_answer_is_a_failure_told_in_fixed_words() {
    let garbage = b"\x16\x03\x09\xff\xff\x00?\n\x00\xfe s3cr3t".to_vec();
    let many = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-a: b\r\n".repeat(10_000), b"\r\n".to_vec()].concat();
    let huge = [b"HTTP/1.1 200 OK\r\nx-a: ".to_vec(), vec![b'b'; 4 << 20], b"\r\n\r\n".to_vec()].concat();
    for bytes in [garbage, many, huge, b"HTTP/1.1 2000 OK\r\n\r\n".to_vec(), b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()] {
        let (url, taken) = hostile(bytes, Vec::new(), Duration::from_secs(60)).await;
        let outcome = call(&url).await;
        assert_eq!(outcome.status, None, "{outcome:?}");
        let told = outcome.error.expect("an error");
        assert!(["no proper HTTP answer", "the connection was closed before an answer"].contains(&&*told), "{told}");
        assert!(taken.load(Ordering::SeqCst) <= 4 << 20);
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    assert_eq!(call(&format!("http://{closed}/?auth=s3cr3t")).await.error.unwrap(), "the connection was refused");
}

#[tokio::test]
async fn r_out_3_only_2xx_is_success_and_retry_after_is_understood() {
    for (head, success, wait) in [
        ("200 OK", true, None),
        ("204 No Content", true, None),
        ("299 Fine", true, None),
        ("304 Not Modified", false, None),
        ("410 Gone", false, None),
        ("429 Slow\r\nretry-after: 120", false, Some(120)),
        ("503 Down\r\nretry-after: 999999", false, Some(36_000)),
        ("503 Down\r\nretry-after: Tue, 06 Jan 2026 10:01:00 GMT", false, Some(60)),
        ("503 Down\r\nretry-after: Tue, 06 Jan 2015 10:01:00 GMT", false, None),
        ("503 Down\r\nretry-after: soon", false, None),
    ] {
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n");
        let listener = Listener::answering("127.0.0.1", answer.leak().as_bytes()).await;
        let outcome = call(&format!("http://127.0.0.1:{}/", listener.port)).await;
        assert_eq!(outcome.is_success(), success, "{head}");
        assert_eq!(outcome.is_gone(), head.starts_with("410"));
        assert_eq!(outcome.retry_after, wait.map(Duration::from_secs), "{head}");
    }
}
