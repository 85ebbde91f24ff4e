//! The sample engine of the source document, run as it stands: its Python program, with the libraries it names.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use super::*;

/// A running sample program. Ends with the test.
struct Sample(Child);

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(command: &mut Command, what: &str) -> Output {
    let advice = "the sample engine of the source document needs Python 3 with venv (Debian: python3-venv) and PyPI";
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}; {advice}"));
    assert!(output.status.success(), "{what}: {}; {advice}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A Python with the libraries, made once and kept with what is built.
fn python() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sample-engine");
    let python = home.join("bin/python");
    let is_there = |python: &Path| {
        let import = Command::new(python).args(["-c", "import aiohttp, loguru"]).output();
        import.is_ok_and(|output| output.status.success())
    };
    if !is_there(&python) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home), "python3 -m venv");
        let pip = ["-m", "pip", "install", "--quiet", "aiohttp>=3,<4", "loguru>=0.7,<1"];
        run(Command::new(&python).args(pip), "pip install");
        assert!(is_there(&python), "aiohttp and loguru are installed but cannot be imported");
    }
    python
}

async fn sample(user: i64, group: i64) -> (Sample, String) {
    let python = tokio::task::spawn_blocking(python).await.expect("a Python with aiohttp and loguru");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/rule_engine");
    let child = Command::new(python)
        .arg(folder.join("load.py"))
        .arg(folder.join("sample_engine.py"))
        .args([user.to_string(), group.to_string(), port.to_string()])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let sample = Sample(child);
    for _ in 0..600 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return (sample, format!("http://127.0.0.1:{port}/webhook"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the sample engine does not listen within 30 s");
}

#[tokio::test]
async fn the_sample_engine_of_the_source_document_works_as_it_stands() {
    let inbox = Inbox::start().await;
    let (bot, group) = (inbox.bot.id.0, group(&inbox, "Regular user").await);
    let (_sample, url) = sample(bot, group).await;
    inbox.put(&inbox.admin, "settings/rule_engine/", json!({"mode": "custom", "url": url})).await.expect(200);
    let needed = tag(&inbox, "Agent needed").await;

    let message = inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(bot), None));
    let reply = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hello! How may I help you?"}});
    inbox.post(&inbox.bot, "messages/", reply.clone()).await.expect(201);
    // Through a message: the program answers twice for the chat, and it is one assignment (R-RUL-5).
    let tagging = json!({"tag": needed, "message": message});
    inbox.post(&inbox.bot, "message_tagging/", tagging).await.expect(201);
    assert_eq!(holder(&inbox, RUI).await, (None, Some(group)));
    let made = assignments(&inbox, RUI).await;
    assert_eq!((made.len(), &made[1]["based_on"]), (2, &json!(our_id(&inbox, &message).await)));
    assert_eq!(inbox.post(&inbox.bot, "messages/", reply).await.status, 403);

    // Directly.
    inbox.customer_writes(ANA, "Hello").await;
    assert_eq!(holder(&inbox, ANA).await, (Some(bot), None));
    tag_chat(&inbox, needed, ANA).await;
    assert_eq!(holder(&inbox, ANA).await, (None, Some(group)));
}
