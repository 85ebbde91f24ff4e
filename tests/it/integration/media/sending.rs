//! Sending by our own links: WhatsApp gets the bytes first and the message by its id (R-MED-2).

use super::*;

impl Inbox {
    /// An open chat that the agent may write to.
    async fn open_chat(&self) {
        self.customer_writes(RUI, "Hello").await;
        self.give(RUI, &self.agent).await;
    }

    async fn send(&self, kind: &str, content: Value) -> Answer {
        self.post(&self.agent, "messages/", json!({"wa_id": RUI, "type": kind, kind: content})).await
    }

    /// A value in the newest message that reached the customer.
    async fn delivered_last(&self, pointer: &str) -> Value {
        let delivered = self.delivered().await;
        let last = delivered["messages"].as_array().expect("a list").last().expect("a message").clone();
        last["message"].pointer(pointer).cloned().unwrap_or_default()
    }

    /// The bytes that WhatsApp has under an id.
    async fn at_whatsapp(&self, id: &Value) -> Vec<u8> {
        let url = format!("{}/simulator/media/{}", self.simulator_url, id.as_str().expect("an id"));
        self.file(Method::GET, &url, &[]).await.bytes
    }

    fn media_url(&self, id: &str) -> String {
        format!("{}/api/v1/media/{id}/", self.http.base_url)
    }
}

#[tokio::test]
async fn r_med_2_a_link_of_ours_is_sent_by_id_with_the_same_bytes() {
    let inbox = Inbox::start().await;
    inbox.open_chat().await;
    let id = inbox.kept(PNG, "a.png", "image/png").await;
    let link = inbox.media_url(&id);
    inbox.send("image", json!({"link": link, "mime_type": "image/png", "caption": "1.0"})).await.expect(201);
    let image = inbox.delivered_last("/image").await;
    assert_eq!(image, json!({"id": image["id"], "caption": "1.0"}));
    assert_eq!(inbox.at_whatsapp(&image["id"]).await, PNG);
    inbox.settle().await;
    let path = format!("messages/?wa_id={RUI}");
    let shown = inbox.page(&inbox.agent, &path).await["results"][0]["waba_payload"]["image"].clone();
    let signed = shown["link"].as_str().expect("a link");
    assert!(signed.starts_with(&format!("{link}?exp=")), "{signed}");
    assert_eq!(shown, json!({"link": signed, "mime_type": "image/png", "caption": "1.0"}));
    // However it is named, it is the same file, and WhatsApp is given it once.
    let relative = format!("/api/v1/media/{id}");
    for named in [
        json!({"link": signed}),
        json!({"link": relative}),
        json!({"id": id}),
        json!({"link": link.to_uppercase().replace("HTTP", "http").replace("API/V1/MEDIA", "api/v1/media")}),
    ] {
        inbox.send("image", named.clone()).await.expect(201);
        assert_eq!(inbox.delivered_last("/image").await, json!({"id": image["id"]}), "{named}");
    }
    assert_eq!(inbox.count("SELECT count(*) FROM outbound.uploads").await, 1);
    // Neither scheme nor host nor signature is recorded.
    let recorded =
        "SELECT count(*) FROM ledger.events WHERE event_type = 'MessageQueued' AND payload::text LIKE '%http%'";
    assert_eq!(inbox.count(recorded).await, 0);
    // A link to somebody else's host goes out as it is.
    let strange = json!({"link": format!("https://cdn.example/api/v1/media/{id}/")});
    inbox.send("image", strange.clone()).await.expect(201);
    assert_eq!(inbox.delivered_last("/image").await, strange);
}

#[tokio::test]
async fn r_med_2_media_in_templates_and_interactive_headers_are_ours_too() {
    let inbox = Inbox::start().await;
    inbox.open_chat().await;
    let id = inbox.kept("%PDF-1.7 order", "order.pdf", "application/pdf").await;
    let link = inbox.media_url(&id);
    let parameters = json!([{"type": "document", "document": {"link": link, "filename": "order.pdf"}}]);
    let header = json!([{"type": "header", "parameters": parameters}]);
    let template = json!({"name": "order_update", "language": {"code": "en"}, "components": header});
    inbox.send("template", template).await.expect(201);
    let sent = inbox.delivered_last("/template/components/0/parameters/0/document").await;
    assert_eq!(sent, json!({"id": sent["id"], "filename": "order.pdf"}));
    assert_eq!(inbox.at_whatsapp(&sent["id"]).await, b"%PDF-1.7 order");
    let buttons = json!([{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]);
    let interactive = json!({"type": "button", "header": {"type": "document", "document": {"link": link}},
                             "body": {"text": "Fine?"}, "action": {"buttons": buttons}});
    inbox.send("interactive", interactive).await.expect(201);
    assert_eq!(inbox.delivered_last("/interactive/header/document").await, json!({"id": sent["id"]}));
    inbox.settle().await;
    let page = inbox.page(&inbox.agent, &format!("messages/?wa_id={RUI}")).await;
    for (at, pointer) in [(0, "/interactive/header"), (1, "/template/components/0/parameters/0")] {
        let shown = page["results"][at]["waba_payload"].pointer(pointer).expect("it is there");
        let file = inbox.file(Method::GET, shown["document"]["link"].as_str().expect("a link"), &[]).await;
        assert_eq!((file.status, &*file.bytes), (200, b"%PDF-1.7 order".as_slice()));
    }
}

#[tokio::test]
async fn r_med_2_a_link_to_no_file_or_to_another_inboxs_is_refused_alike() {
    let inbox = Inbox::start().await;
    inbox.open_chat().await;
    inbox.add_tenant("acme", "acme.example", "5550001").await;
    let other = inbox.add_user_to("acme", "zoe", chatledger_domain::Role::Admin).await;
    let theirs = inbox.upload(&other, PNG, "a.png", "image/png").await.expect(201);
    let events = inbox.count("SELECT count(*) FROM ledger.events").await;
    let theirs = theirs["file"].as_str().expect("a link").to_owned();
    let unknown = inbox.media_url("0190f3a2-6000-7c00-8000-000000000001");
    for link in [theirs, unknown, inbox.media_url("nothing"), inbox.media_url("%00")] {
        let told = inbox.send("image", json!({"link": link})).await.expect(400);
        let text = "There is no such media file.";
        assert_eq!(told, json!({"image": {"link": [text]}, "reason": format!("image.link: {text}")}), "{link}");
    }
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, events);
    assert_eq!(inbox.delivered().await["count"], 0);
}

#[tokio::test]
async fn r_med_2_a_customers_file_can_be_sent_on_by_its_link() {
    let inbox = Inbox::start().await;
    inbox.open_chat().await;
    let url = format!("{}/simulator/inbound", inbox.simulator_url);
    inbox.http.raw.post(url).json(&json!({"type": "image", "from": RUI})).send().await.expect("taken");
    inbox.settle().await;
    let page = inbox.page(&inbox.agent, "messages/").await;
    let link = page["results"][0]["waba_payload"]["image"]["link"].as_str().expect("a link").to_owned();
    let mut file = inbox.file(Method::GET, &link, &[]).await;
    for _ in 0..100 {
        if file.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        file = inbox.file(Method::GET, &link, &[]).await;
    }
    inbox.send("image", json!({"link": link})).await.expect(201);
    let id = inbox.delivered_last("/image/id").await;
    assert_eq!(inbox.at_whatsapp(&id).await, file.bytes);
}

#[tokio::test]
async fn r_med_2_an_upload_that_fails_never_sends_twice_and_tells_why() {
    let inbox = Inbox::start().await;
    inbox.open_chat().await;
    let id = inbox.kept(PNG, "a.png", "image/png").await;
    inbox.behave(json!({"media": {"fault": "gone"}})).await;
    let refused = inbox.send("image", json!({"link": inbox.media_url(&id)})).await.expect(400);
    assert_eq!(refused["waba_response"]["errors"][0]["code"], 131_053);
    inbox.behave(json!({"media": {"fault": "busy"}})).await;
    let queued = inbox.send("image", json!({"link": inbox.media_url(&id)})).await.expect(202);
    for _ in 0..100 {
        if inbox.delivered().await["count"] == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let image = inbox.delivered_last("/image").await;
    assert_eq!(inbox.at_whatsapp(&image["id"]).await, PNG);
    assert_eq!(inbox.delivered().await["count"], 1, "{queued}");
}
