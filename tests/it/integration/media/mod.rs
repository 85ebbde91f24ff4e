//! Media: uploading, serving, fetching what customers send, sending by our own links.

mod fetching;
mod sending;
mod serving;
mod uploads;

use chatledger_api::bootstrap::Login;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName},
    multipart::{Form, Part},
};
use serde_json::Value;

use super::*;

/// A picture of one pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\x0aIDATx\x9cc\0\
\x01\0\0\x05\0\x01\x0d\x0a-\xb4\0\0\0\0IEND\xaeB`\x82";

/// An answer whose body is a file.
struct File {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl File {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

fn form(bytes: Vec<u8>, filename: &str, mime_type: &str) -> Form {
    let part = Part::bytes(bytes).file_name(filename.to_owned()).mime_str(mime_type).expect("a type");
    Form::new().part("file_encoded", part)
}

impl Inbox {
    /// Uploads a file as the Web Inbox does.
    async fn upload(&self, by: &Login, bytes: impl Into<Vec<u8>>, filename: &str, mime_type: &str) -> Answer {
        let request = self.http.raw.post(self.http.url("media/")).header("Authorization", credential(by));
        self.http.send(request.multipart(form(bytes.into(), filename, mime_type))).await
    }

    /// Uploads a file that must be taken; its id.
    async fn kept(&self, bytes: impl Into<Vec<u8>>, filename: &str, mime_type: &str) -> String {
        let body = self.upload(&self.agent, bytes, filename, mime_type).await.expect(201);
        body["id"].as_str().expect("an id").to_owned()
    }

    /// Asks for a file as it is; paths as everywhere, or a whole address.
    async fn file(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> File {
        let url = if path.starts_with("http") { path.to_owned() } else { self.http.url(path) };
        let mut request = self.http.raw.request(method, url);
        for (name, value) in headers {
            request = request.header(name.parse::<HeaderName>().expect("a name"), *value);
        }
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        File { status, headers, bytes: response.bytes().await.expect("a body").to_vec() }
    }

    /// A user reads a file.
    async fn read_file(&self, by: &Login, id: &str) -> File {
        self.file(Method::GET, &format!("media/{id}/"), &[("Authorization", &credential(by))]).await
    }
}

/// What is told of one field.
fn told(body: &Value, field: &str) -> String {
    body[field][0].as_str().unwrap_or_else(|| panic!("nothing about {field}: {body}")).to_owned()
}
