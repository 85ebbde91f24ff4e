//! Uploading: forms, limits, refusals, and what a client may not decide.

use super::*;

const EMPTY: &str = "The submitted file is empty.";
const NO_FILE: &str = "The submitted data was not a file. Check the encoding type on the form.";

/// Bytes that are no text and nothing that is known.
fn noise(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n.wrapping_mul(31) % 256) as u8).collect()
}

/// The same, with the beginning of a known file.
fn file_of(head: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = noise(size);
    bytes[..head.len()].copy_from_slice(head);
    bytes
}

#[tokio::test]
async fn r_gen_4_a_file_comes_as_a_part_as_base64_and_as_a_data_url() {
    let inbox = Inbox::start().await;
    let base64 = "aGVsbG8gdGhlcmU/Pz8+Pj4=";
    let data_url = format!("data:text/csv;base64,{base64}");
    let bytes = b"hello there???>>>".to_vec();
    let token = credential(&inbox.agent);
    let form_type = ("Content-Type", "application/x-www-form-urlencoded");
    let escaped: String = url::form_urlencoded::byte_serialize(base64.as_bytes()).collect();
    let answers = [
        inbox.upload(&inbox.agent, bytes.clone(), "a.txt", "text/plain").await,
        inbox.post(&inbox.agent, "media/", json!({"file_encoded": base64, "filename": "a.txt"})).await,
        inbox.post(&inbox.agent, "media", json!({"file_encoded": data_url, "filename": "a.txt"})).await,
        inbox
            .raw(
                "POST",
                "media/",
                &[("Authorization", &token), form_type],
                &format!("file_encoded={escaped}&filename=a.txt"),
            )
            .await,
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        assert_eq!(keys(&answer.text), "file id");
        let body = answer.expect(201);
        let id = body["id"].as_str().unwrap();
        assert_eq!(body["file"], format!("{}/api/v1/media/{id}/", inbox.http.base_url));
        let file = inbox.read_file(&inbox.bot, id).await;
        assert_eq!((file.status, &file.bytes), (200, &bytes));
        assert_eq!(file.header("content-type"), if at == 2 { "text/csv" } else { "text/plain" });
        assert_eq!(file.header("content-disposition"), "attachment; filename*=UTF-8''a.txt");
    }
    // A part without a name is text too.
    let form = Form::new().text("filename", "b.txt").text("file_encoded", base64);
    let request = inbox.http.raw.post(inbox.http.url("media/")).header("Authorization", &token).multipart(form);
    let body = inbox.http.send(request).await.expect(201);
    assert_eq!(inbox.read_file(&inbox.bot, body["id"].as_str().unwrap()).await.bytes, bytes);
}

#[tokio::test]
async fn r_med_1_each_type_has_its_limit_and_the_bytes_tell_the_type() {
    let inbox = Inbox::start().await;
    let (kib, mib) = (1 << 10, 1 << 20);
    let webp = b"RIFF\0\0\0\0WEBPVP8 ";
    let mp4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
    let cases: [(&[u8], usize, &str); 5] = [
        (webp, 500 * kib, "A sticker may have at most 500 KiB."),
        (PNG, 5 * mib, "An image may have at most 5 MiB."),
        (b"OggS\0\x02", 16 * mib, "An audio may have at most 16 MiB."),
        (mp4, 16 * mib, "A video may have at most 16 MiB."),
        (b"%PDF-1.7\n", 100 * mib, "A document may have at most 100 MiB."),
    ];
    for (head, limit, detail) in cases {
        inbox.upload(&inbox.agent, file_of(head, limit), "f", "application/octet-stream").await.expect(201);
        let answer = inbox.upload(&inbox.agent, file_of(head, limit + 1), "f", "application/pdf").await;
        assert_eq!(answer.status, 413, "{}", answer.text);
        assert_eq!(answer.text, format!(r#"{{"reason":"The file is too large.","detail":"{detail}"}}"#));
    }
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.media").await, 5);
}

#[tokio::test]
async fn r_err_1_what_is_no_file_is_told_in_the_familys_form() {
    let inbox = Inbox::start().await;
    let required = "This field is required.";
    for (body, text) in [
        (json!({}), required),
        (json!({"filename": "a"}), required),
        (json!({"file_encoded": null}), "This field may not be null."),
        (json!({"file_encoded": ""}), "This field may not be blank."),
        (json!({"file_encoded": 7}), "Not a valid string."),
        (json!({"file_encoded": "not base64!"}), NO_FILE),
        (json!({"file_encoded": "data:text/plain,hello"}), NO_FILE),
        (json!({"file_encoded": "data:text/plain;base64,"}), EMPTY),
    ] {
        let told = inbox.post(&inbox.agent, "media/", body.clone()).await.expect(400);
        assert_eq!(told, json!({"file_encoded": [text], "reason": format!("file_encoded: {text}")}), "{body}");
    }
    let empty = inbox.upload(&inbox.agent, Vec::new(), "a.png", "image/png").await.expect(400);
    assert_eq!(told(&empty, "file_encoded"), EMPTY);
    let token = credential(&inbox.agent);
    let form = inbox.http.raw.post(inbox.http.url("media/")).header("Authorization", &token);
    let other = inbox.http.send(form.multipart(Form::new().text("other", "x"))).await.expect(400);
    assert_eq!(told(&other, "file_encoded"), required);
    let csv = [("Authorization", &*token), ("Content-Type", "text/csv")];
    let answer = inbox.raw("POST", "media/", &csv, "a;b").await;
    assert_eq!(
        (answer.status, &*answer.text),
        (415, r#"{"detail":"Unsupported media type \"text/csv\" in request."}"#)
    );
    let multipart = [("Authorization", &*token), ("Content-Type", "multipart/form-data; boundary=x")];
    assert_eq!(inbox.raw("POST", "media/", &multipart, "--x\r\nnonsense").await.status, 400);
    assert_eq!(inbox.raw("POST", "media/", &[("Content-Type", "application/json")], "{}").await.text, NOT_PROVIDED);
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.media").await, 0);
}

#[tokio::test]
async fn s15_nothing_that_a_client_says_decides_where_or_what_a_file_is() {
    let inbox = Inbox::start().await;
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let html = "<html><script>alert(1)</script></html>";
    let polyglot = [PNG, html.as_bytes()].concat();
    let jpeg = [b"\xff\xd8\xff\xe0\0\x10JFIF\0", html.as_bytes()].concat();
    let binary = "application/octet-stream";
    let cases: [(&[u8], &str, &str, &str, bool); 8] = [
        (svg.as_bytes(), "x.png", "image/png", binary, false),
        (html.as_bytes(), "x.html", "text/html", binary, false),
        (html.as_bytes(), "../../x.jpg", "image/jpeg", binary, false),
        (b"<?xml version=\"1.0\"?><x/>", "x.xml", "text/xml", binary, false),
        (b"%PDF-1.4 x", "x.pdf", "application/pdf", "application/pdf", false),
        (&polyglot, "x.html", "text/html", "image/png", true),
        (&jpeg, "x.html", "text/html", "image/jpeg", true),
        (b"alert(1)", "x.js", "text/javascript", "text/plain", false),
    ];
    for (bytes, filename, declared, served, shown) in cases {
        let id = inbox.kept(bytes, filename, declared).await;
        let file = inbox.read_file(&inbox.agent, &id).await;
        assert_eq!((file.status, &*file.bytes), (200, bytes));
        assert_eq!(file.header("content-type"), served, "{filename} {declared}");
        let way = if shown { "inline" } else { "attachment" };
        assert!(file.header("content-disposition").starts_with(way), "{}", file.header("content-disposition"));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert_eq!(file.header("content-security-policy"), "sandbox; default-src 'none'");
    }
}

#[tokio::test]
async fn s15_a_files_name_never_leaves_the_header_or_the_folder() {
    let inbox = Inbox::start().await;
    for (given, shown) in [
        ("../../etc/passwd", "attachment; filename*=UTF-8''passwd"),
        ("..\\..\\boot.ini", "attachment; filename*=UTF-8''boot.ini"),
        ("a\r\nSet-Cookie: x=1", "attachment; filename*=UTF-8''aSet%2DCookie%3A%20x=1"),
        ("\u{2024}\u{2024}/\u{ff0e}\u{ff0e}", "attachment"),
        ("\u{202e}fdp.exe", "attachment; filename*=UTF-8''fdp.exe"),
        ("quote\".txt", "attachment; filename*=UTF-8''quote%22.txt"),
    ] {
        let body = json!({"file_encoded": "aGVsbG8=", "filename": given});
        let id = inbox.post(&inbox.agent, "media/", body).await.expect(201)["id"].as_str().unwrap().to_owned();
        let file = inbox.read_file(&inbox.agent, &id).await;
        assert_eq!(file.header("content-disposition"), shown, "{given:?}");
    }
    let nul = inbox.post(&inbox.agent, "media/", json!({"file_encoded": "aGVsbG8=", "filename": "a\0b"})).await;
    assert_eq!(told(&nul.expect(400), "filename"), "Null characters are not allowed.");
    // Whatever the names: tenant / blob, two ids of ours, and nothing else.
    let media = inbox.data_dir().join("media");
    let folders: Vec<_> = std::fs::read_dir(&media).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(folders.len(), 1);
    assert_eq!(folders[0].file_name().to_str().unwrap(), inbox.tenant.to_string());
    for blob in std::fs::read_dir(folders[0].path()).unwrap() {
        let name = blob.unwrap().file_name();
        assert!(uuid::Uuid::try_parse(name.to_str().unwrap()).is_ok(), "{name:?}");
    }
}

#[tokio::test]
async fn s15_the_uploads_of_an_inbox_have_a_quota() {
    let inbox = Inbox::start_with(|config| config.media_quota = 100).await;
    inbox.kept(noise(99), "a", "image/png").await;
    inbox.kept(noise(1), "a", "image/png").await;
    let full = inbox.upload(&inbox.agent, noise(1), "a", "image/png").await.expect(400);
    assert_eq!(full, json!({"reason": "The storage of this inbox is full."}));
    // The other inbox has its own.
    inbox.add_tenant("acme", "acme.example", "5550001").await;
    let other = inbox.add_user_to("acme", "zoe", chatledger_domain::Role::User).await;
    inbox.upload(&other, noise(1), "a", "image/png").await.expect(201);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    use tokio::io::AsyncWriteExt;
    let inbox = Inbox::start().await;
    let address = inbox.http.base_url.strip_prefix("http://").unwrap();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/media/ HTTP/1.1\r\nHost: {address}\r\nAuthorization: {}\r\nContent-Length: 9000000\r\n\
         Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: form-data; \
         name=\"file_encoded\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7\n",
        credential(&inbox.agent)
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&noise(8_000_000)).await.unwrap();
    drop(socket);
    let folder = inbox.data_dir().join("media").join(inbox.tenant.to_string());
    let left = || std::fs::read_dir(&folder).map(|left| left.count()).unwrap_or_default();
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if left() == 0 && inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MediaStored'").await == 0
        {
            return;
        }
    }
    panic!("{} files are left", left());
}
