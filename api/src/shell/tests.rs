//! What goes around every answer, seen through a real socket, because panics do not pass through test services.

use actix_web::{
    App, HttpResponse, HttpServer,
    web::{self, Json},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;
use crate::family;

/// The answer to a request, headers in lower case; the server lives as long as the request.
async fn ask(request: &str) -> String {
    let server = HttpServer::new(|| {
        App::new().service(
            web::scope("")
                .wrap(Shell)
                .route("/api/v1/fine/", web::get().to(|| async { HttpResponse::Ok().body("fine") }))
                .route("/api/v1/panic/", web::get().to(panics))
                .route("/api/v1/foreign/", web::post().to(|_: Json<u32>| async { HttpResponse::Ok().finish() }))
                .default_service(web::to(family::not_found)),
        )
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let running = tokio::spawn(server.run());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    running.abort();
    answer
}

async fn panics() -> HttpResponse {
    panic!("a secret")
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n")
}

#[actix_web::test]
async fn r_gen_10_the_requests_id_comes_back() {
    let answer = ask(&get("/api/v1/fine/", "X-Request-ID: abc-1\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for header in ["x-request-id: abc-1", "x-content-type-options: nosniff", "cache-control: no-store"] {
        assert!(answer.contains(header), "{answer}");
    }
}

#[actix_web::test]
async fn an_id_that_is_no_header_value_is_not_taken_over() {
    let answer = ask(&get("/api/v1/fine/", &format!("X-Request-ID: {}\r\n", "a".repeat(201)))).await;
    assert!(!answer.contains("aaa"), "{answer}");
}

#[actix_web::test]
async fn r_err_1_and_2_a_panic_is_an_answer_in_form_that_shows_nothing() {
    let answer = ask(&get("/api/v1/panic/", "X-Request-ID: abc-2\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(answer.contains("x-request-id: abc-2") && answer.contains("nosniff"), "{answer}");
    assert!(answer.ends_with(r#"{"detail":"A server error occurred."}"#), "{answer}");
}

#[actix_web::test]
async fn r_err_1_an_unknown_path_answers_in_its_family() {
    let answer = ask(&get("/api/v1/nothing/", "")).await;
    assert!(answer.starts_with("HTTP/1.1 404") && answer.ends_with(r#"{"detail":"Not found."}"#), "{answer}");
    let answer = ask(&get("/api/v1/whatsapp/nothing", "")).await;
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains(r#""success":false"#), "{answer}");
}

#[actix_web::test]
async fn r_err_1_an_error_that_is_not_ours_is_put_in_form() {
    let post = "POST /api/v1/foreign/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
                Content-Length: 1\r\n\r\n{";
    let answer = ask(post).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains(r#""reason":"Malformed request.""#), "{answer}");
}
