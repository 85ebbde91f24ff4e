//! Multipart forms of plain fields. Parts with a file name are left out: what takes files reads them by `Upload`.

use std::{collections::HashMap, future::ready};

use actix_multipart::Multipart;
use actix_web::{
    error::PayloadError,
    http::header::{self, HeaderMap, HeaderValue},
    web::Bytes,
};
use futures_util::{TryStreamExt, stream};

use super::{Fields, Given};
use crate::error::ApiError;

/// The most parts a form may have.
const MAX_PARTS: usize = 1_000;

/// Reads a whole form that was received already.
pub(super) async fn read(content_type: &str, bytes: Bytes) -> Result<Fields, ApiError> {
    let broken = || ApiError::Reason("Multipart form parse error.".to_owned());
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).map_err(|_| broken())?);
    let mut form = Multipart::new(&headers, stream::once(ready(Ok::<_, PayloadError>(bytes))));
    let mut fields = HashMap::new();
    while let Some(mut part) = form.try_next().await.map_err(|_| broken())? {
        let disposition = part.content_disposition();
        let name = disposition.and_then(|disposition| disposition.get_name()).map(str::to_owned);
        let is_file = disposition.is_some_and(|disposition| disposition.get_filename().is_some());
        let mut text = Vec::new();
        while let Some(chunk) = part.try_next().await.map_err(|_| broken())? {
            text.extend_from_slice(&chunk);
        }
        let (Some(name), false) = (name, is_file) else { continue };
        let text = String::from_utf8(text).map_err(|_| broken())?;
        fields.insert(name, Given::from_text(text));
        if fields.len() > MAX_PARTS {
            return Err(broken());
        }
    }
    Ok(Fields::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn r_gen_4_multipart_equals_json() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\n5\r\n--x\r\n\
                    Content-Disposition: form-data; name=\"chat\"\r\n\r\n351912\r\n--x--\r\n";
        let mut fields = read("multipart/form-data; boundary=x", Bytes::from_static(body.as_bytes())).await.unwrap();
        let given = (fields.pk("tag"), fields.wa_id("chat"));
        let (tag, chat) = fields.finish(given).unwrap();
        assert_eq!((tag, chat.as_str()), (5, "351912"));
    }

    #[actix_web::test]
    async fn a_broken_form_is_told() {
        let result = read("multipart/form-data; boundary=x", Bytes::from_static(b"--x\r\nnonsense")).await;
        assert!(matches!(result, Err(ApiError::Reason(_))));
    }
}
