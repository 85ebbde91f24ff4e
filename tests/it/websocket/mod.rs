//! The websocket, rule by rule, through the real door with a client of another make.

mod addresses;
mod events;
mod permissions;
mod protocol;
mod resume;
mod staying;

use std::time::Duration;

use chatledger_api::bootstrap::Login;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use crate::harness::inbox::Inbox;

const RUI: &str = "351912000111";
const ANA: &str = "351912000222";
/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(15);
/// Long enough for what must not come to come.
const SHORT: Duration = Duration::from_millis(600);

/// What is heard on a websocket.
#[derive(Debug, PartialEq)]
enum Heard {
    Frame(Value),
    Closed(u16),
    /// The connection broke without a good-bye.
    Broken,
}

/// A client.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
}

/// The status of an answer that is no upgrade, and its body.
type Refusal = (u16, Value);

impl Socket {
    /// Opens one at an address below a base URL.
    async fn try_open(base_url: &str, path: &str, headers: &[(&str, &str)]) -> Result<Self, Refusal> {
        Self::try_open_narrow(base_url, path, headers, None).await
    }

    /// The same with a small receive buffer.
    async fn try_open_narrow(
        base_url: &str,
        path: &str,
        headers: &[(&str, &str)],
        buffer: Option<u32>,
    ) -> Result<Self, Refusal> {
        let address = base_url.strip_prefix("http://").expect("a plain address");
        let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
        for (name, value) in headers {
            let name = name.parse::<tungstenite::http::HeaderName>().expect("a header");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(buffer) = buffer {
            socket.set_recv_buffer_size(buffer).expect("a buffer");
        }
        let stream = socket.connect(address.parse().expect("an address")).await.expect("the server listens");
        match client_async(request, stream).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(tungstenite::Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Err((answer.status().as_u16(), serde_json::from_slice(body).unwrap_or_default()))
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// Opens one at `/ws/`.
    async fn open(inbox: &Inbox) -> Self {
        Self::try_open(&inbox.http.base_url, "/ws/", &[]).await.expect("an upgrade")
    }

    /// Opens one and shows a token.
    async fn of(inbox: &Inbox, by: &Login) -> Self {
        Self::open(inbox).await.let_in(&json!({"token": by.token})).await
    }

    /// The same in a dialect.
    pub async fn speaking(inbox: &Inbox, by: &Login, dialect: &str) -> Self {
        Self::open(inbox).await.let_in(&json!({"token": by.token, "dialect": dialect})).await
    }

    async fn let_in(mut self, token: &Value) -> Self {
        self.say(&token.to_string()).await;
        let wanted = json!({"type": "token", "status": "success", "message": "Authenticated."});
        assert_eq!(self.hear().await, Heard::Frame(wanted));
        self
    }

    async fn say(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("sent");
    }

    /// What comes next; pings are answered meanwhile.
    async fn hear(&mut self) -> Heard {
        timeout(LONG, self.listen()).await.expect("nothing came")
    }

    async fn listen(&mut self) -> Heard {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Heard::Frame(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(reason))) => return Heard::Closed(reason.map_or(1005, |it| it.code.into())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Heard::Broken,
            }
        }
    }

    /// The next frame.
    async fn frame(&mut self) -> Value {
        match self.hear().await {
            Heard::Frame(frame) => frame,
            other => panic!("{other:?}"),
        }
    }

    /// The payload of the next frame, which must have a type and a key.
    pub async fn payload(&mut self, kind: &str, key: &str) -> Value {
        let frame = self.frame().await;
        assert_eq!(frame["type"], kind, "{frame}");
        assert!(!frame["waba_payload"][key].is_null(), "no {key} in {frame}");
        frame["waba_payload"].clone()
    }

    /// The texts of the messages in the next frame.
    async fn texts(&mut self) -> Vec<Value> {
        let payload = self.payload("waba_webhook", "incoming_messages").await;
        let messages = payload["incoming_messages"].as_array().expect("a list");
        messages.iter().map(|message| message["waba_payload"]["text"]["body"].clone()).collect()
    }

    /// Wants nothing to come.
    #[track_caller]
    fn silent(&mut self) -> impl Future<Output = ()> + '_ {
        let place = std::panic::Location::caller();
        async move {
            if let Ok(heard) = timeout(SHORT, self.listen()).await {
                panic!("{place}: {heard:?}");
            }
        }
    }
}

impl Inbox {
    /// The admin gives a chat to somebody, a group or nobody.
    async fn assign_to(&self, chat: &str, change: Value) {
        self.patch(&self.admin, &format!("chat_assignment/{chat}/"), change).await.expect(200);
    }

    /// The admin sets which chats a user may read.
    async fn may_read(&self, user: &Login, scope: &str) {
        let body = json!({"permissions": {"can_read_chats": scope}});
        self.patch(&self.admin, &format!("users/{}/", user.id), body).await.expect(200);
    }

    /// The admin creates a tag; its id.
    async fn new_tag(&self, name: &str) -> i64 {
        self.post(&self.admin, "tags/", json!({ "name": name })).await.expect(201)["id"].as_i64().expect("a number")
    }
}
