//! Given / when / then for media, and what files are taken for.

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::{
    decider::EventSourced,
    ids::{BlobId, MediaId, UserId},
    raw_json::RawJson,
};

type Given = TestFramework<EventSourced<Media>>;

fn stored() -> MediaStored {
    MediaStored {
        mime_type: "image/png".into(),
        size: 3,
        sha256: "ab".into(),
        filename: None,
        blob: BlobId(Uuid::nil()),
        origin: MediaOrigin::Upload { by: UserId(1) },
    }
}

fn failed() -> MediaFetchFailed {
    MediaFetchFailed { waba_id: "77".into(), reason: "gone".into() }
}

#[test]
fn r_med_3_a_medium_is_stored_once() {
    Given::with(())
        .given_no_previous_events()
        .when(MediaCommand::Store(Box::new(stored())))
        .then_expect_events(vec![stored().into()]);
    Given::with(())
        .given(vec![stored().into()])
        .when(MediaCommand::Store(Box::new(stored())))
        .then_expect_events(vec![]);
}

#[test]
fn r_med_3_what_is_stored_cannot_fail_and_what_failed_may_come_late() {
    let fail = || MediaCommand::FailFetch { waba_id: "77".into(), reason: "gone".into() };
    Given::with(()).given(vec![stored().into()]).when(fail()).then_expect_events(vec![]);
    Given::with(()).given_no_previous_events().when(fail()).then_expect_events(vec![failed().into()]);
    Given::with(()).given(vec![failed().into()]).when(fail()).then_expect_events(vec![]);
    Given::with(())
        .given(vec![failed().into()])
        .when(MediaCommand::Store(Box::new(stored())))
        .then_expect_events(vec![stored().into()]);
}

fn found(head: &[u8], declared: &str) -> String {
    FileType::detect(head, Some(declared), Source::Client).mime_type
}

#[test]
fn s15_the_bytes_tell_the_type_and_not_the_client() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    assert_eq!(found(png, "text/html"), "image/png");
    assert_eq!(found(b"<html><script>alert(1)</script>", "image/png"), "text/html");
    assert_eq!(found(b" \n<svg xmlns='x' onload='alert(1)'/>", "image/png"), "image/svg+xml");
    assert_eq!(found(b"<?xml version='1.0'?><a/>", "text/plain"), "text/xml");
    assert_eq!(found(b"BMW, 3 of them", "image/bmp"), "text/plain");
    assert_eq!(found(b"a;b\n1;2\n", "text/csv; charset=utf-8"), "text/csv");
    assert_eq!(found(b"alert(1)", "text/javascript"), "text/plain");
    assert_eq!(found(b"\0\x01\x02\x03", "image/png"), "application/octet-stream");
    assert_eq!(found(b"%PDF-1.4 x", "text/html"), "application/pdf");
    assert_eq!(found(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "audio/mp4"), "audio/mp4");
    let zip = b"PK\x03\x04\x14\0\0\0\0\0nothing that is known";
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(found(zip, docx), docx);
    assert_eq!(found(zip, "text/html"), "application/zip");
}

#[test]
fn whatsapp_is_believed_where_the_bytes_tell_nothing() {
    let by_whatsapp = |head: &[u8], said| FileType::detect(head, Some(said), Source::WhatsApp).mime_type;
    assert_eq!(by_whatsapp(b"simulated", "video/mp4"), "video/mp4");
    assert_eq!(by_whatsapp(b"simulated", "text/html"), "text/plain");
    assert_eq!(by_whatsapp(b"simulated", "video/mp4\r\nX: y"), "text/plain");
    assert_eq!(by_whatsapp(b"<html>", "video/mp4"), "text/html");
}

#[test]
fn s15_nothing_that_runs_is_shown_or_called_by_its_name() {
    for script in ["text/html", "image/svg+xml", "text/xml", "application/xhtml+xml", "text/javascript"] {
        let file = FileType::of(script);
        assert!(!file.is_shown() && file.served_as() == "application/octet-stream", "{script}");
    }
    assert!(!FileType::of("application/pdf").is_shown());
    assert!(FileType::of("image/jpeg").is_shown());
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(FileType::of(docx).served_as(), docx);
}

#[test]
fn r_med_1_each_class_has_its_limit() {
    let limit = |mime_type| FileType::of(mime_type).class.limit();
    assert_eq!(limit("image/webp"), 500 * 1024);
    assert_eq!(limit("image/png"), 5 * 1024 * 1024);
    assert_eq!((limit("audio/ogg"), limit("video/mp4")), (16 * 1024 * 1024, 16 * 1024 * 1024));
    assert_eq!((limit("application/pdf"), limit("image/svg+xml")), (100 * 1024 * 1024, 100 * 1024 * 1024));
}

#[test]
fn media_are_renamed_wherever_they_stand_and_nothing_else_changes() {
    let text = r#"{"type":"template","x":1.0,"template":{"components":[{"type":"header","parameters":[ {"type":"image","image":{"link":"/a","caption":"\u00e9"}} ]}],"y":[ ]},"link":"/a"}"#;
    let message = RawJson::parse(text.into()).unwrap();
    assert_eq!(attachments(&message), [Attachment::Link("/a".into())]);
    let renamed = with_attachments(&message, |_| Some(Attachment::Id("77".into())));
    let expected = r#"{"type":"template","x":1.0,"template":{"components":[{"type":"header","parameters":[{"type":"image","image":{"id":"77","caption":"\u00e9"}}]}],"y":[ ]},"link":"/a"}"#;
    assert_eq!(renamed.text(), expected);
    assert_eq!(with_attachments(&message, |_| None).text(), text);
}

#[test]
fn a_path_of_ours_leads_back_to_its_medium() {
    let media = MediaId(Uuid::from_u128(7));
    assert_eq!(own_path(&path_of(media)), Some(media));
    for other in ["/api/v1/media/../x/", "/api/v1/media/7/", "https://a.example/api/v1/media/7/"] {
        assert_eq!(own_path(other), None, "{other}");
    }
}

#[test]
fn s15_a_files_name_is_a_name_and_no_path() {
    for (given, kept) in [
        ("../../etc/passwd", Some("passwd")),
        ("a\0b\r\nX: y.txt", Some("abX: y.txt")),
        ("C:\\x\\order.pdf", Some("order.pdf")),
        ("photo\u{202e}gpj.exe", Some("photogpj.exe")),
        ("\u{2024}\u{2024}/..\u{2024}", None),
        ("..", None),
        (" factura n\u{ba} 1.pdf ", Some("factura n\u{ba} 1.pdf")),
    ] {
        assert_eq!(tidy(given).as_deref(), kept, "{given:?}");
    }
    assert_eq!(tidy(&"x".repeat(300)).map(|name| name.len()), Some(240));
}

#[test]
fn a_forgotten_file_is_never_kept_again() {
    let erased = || MediaEvent::from(MediaErased { timestamp: 9 });
    let erase = || MediaCommand::Erase { now: 9 };
    Given::with(()).given(vec![stored().into()]).when(erase()).then_expect_events(vec![erased()]);
    Given::with(()).given_no_previous_events().when(erase()).then_expect_events(vec![erased()]);
    Given::with(()).given(vec![erased()]).when(erase()).then_expect_events(vec![]);
    // A fetch that was under way.
    let store = MediaCommand::Store(Box::new(stored()));
    Given::with(()).given(vec![erased()]).when(store).then_expect_events(vec![]);
    let fail = MediaCommand::FailFetch { waba_id: "77".into(), reason: "gone".into() };
    Given::with(()).given(vec![erased()]).when(fail).then_expect_events(vec![]);
}
