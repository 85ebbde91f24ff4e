//! Contract §F, contacts: the address books, and which numbers are on WhatsApp.

use std::{sync::Arc, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};
use chatledger_application::{contacts::UpsertContact, tenants::NewTenant};
use chatledger_domain::{
    TenantId, WaId,
    contact::{EmailAddress, PhoneNumber},
    whatsapp_account::{Channel, Number},
};
use serde_json::{Value, json};

use super::{ANA, EVA, NOBODY, NOT_FOUND, RUI, column};
use crate::harness::inbox::{Inbox, now};
use crate::projections::EQUAL;

/// A contact as the operator saves it.
fn saved(wa_id: &str, name: &str, phone: &str, email: &str) -> UpsertContact {
    let phone = (!phone.is_empty())
        .then(|| vec![PhoneNumber { phone_number: phone.to_owned(), description: "mobile".to_owned() }]);
    let email = (!email.is_empty())
        .then(|| vec![EmailAddress { email_address: email.to_owned(), description: "work".to_owned() }]);
    UpsertContact {
        wa_id: WaId::parse(wa_id).expect("an id"),
        name: Some(name.to_owned()),
        phone_numbers: phone,
        email_addresses: email,
    }
}

impl Inbox {
    /// The operator saves a contact.
    async fn save(&self, contact: UpsertContact) {
        let tools = self.tools().await;
        tools.application.import_contact(TenantId::of_slug("demo"), contact).await.expect("saved");
        tools.close().await;
        self.settle().await;
    }

    /// The path of a list's next part, as a client takes it out of `next`.
    fn following(&self, page: &Value) -> Option<String> {
        let next = page["next"].as_str()?;
        Some(next.strip_prefix(&format!("{}/api/v1/", self.http.base_url)).expect("an absolute link").to_owned())
    }
}

/// An address book outside, for tests: what it answers, and how late.
async fn address_book(answer: Value, late: Duration) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://user:secret@{}/crm", listener.local_addr().expect("an address"));
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        let app = move || {
            let (list, one) = (answer.clone(), answer.clone());
            App::new()
                .route(
                    "/crm/contacts",
                    web::get().to(move |request: actix_web::HttpRequest| {
                        let list = list.clone();
                        async move {
                            tokio::time::sleep(late).await;
                            let basic = request.headers().get("authorization").map(|value| value.to_str().ok());
                            if basic.flatten() != Some("Basic dXNlcjpzZWNyZXQ=") {
                                return HttpResponse::Unauthorized().finish();
                            }
                            let query: Vec<(String, String)> =
                                url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
                            let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, v)| v.clone());
                            assert_eq!(get("tenant").as_deref(), Some("demo"));
                            let page = get("cursor").unwrap_or_else(|| "first".to_owned());
                            HttpResponse::Ok().json(&list[page])
                        }
                    }),
                )
                .route(
                    "/crm/contacts/{wa_id}",
                    web::get().to(move |path: web::Path<String>| {
                        let one = one.clone();
                        async move {
                            match one.get(path.into_inner()) {
                                Some(found) => HttpResponse::Ok().json(found),
                                None => HttpResponse::NotFound().finish(),
                            }
                        }
                    }),
                )
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).expect("listens").run();
        actix_web::rt::System::new().block_on(server)
    });
    url
}

#[tokio::test]
async fn r_con_1_the_built_in_address_book_finds_names_numbers_and_addresses() {
    let inbox = Inbox::start().await;
    inbox.named(RUI, "Rui Água", "Hello", now()).await;
    inbox.named(ANA, "Ana on WhatsApp", "Hello", now()).await;
    inbox.save(saved(ANA, "Ana Saved", "+351 21 000 99-88", "ANA@Saved.example")).await;
    inbox.save(saved("351912000777", "Zé Never Wrote", "", "")).await;
    let found = async |search: &str| {
        let page = inbox.page(&inbox.agent, &format!("contacts/?search={search}")).await;
        assert_eq!(page["count"], page["results"].as_array().map_or(0, Vec::len), "{search}: {page}");
        column(&page, "/name")
    };
    for (search, expected) in [
        ("%C3%A1GU", vec!["Rui Água"]),
        ("saved", vec!["Ana Saved"]),
        // What WhatsApp shows finds a contact that is saved under another name.
        ("on%20whatsapp", vec!["Ana Saved"]),
        ("ana%40saved", vec!["Ana Saved"]),
        ("210009988", vec!["Ana Saved"]),
        ("%2B351+912+000-1", vec!["Rui Água"]),
        ("35191200", vec!["Ana Saved", "Rui Água", "Zé Never Wrote"]),
        ("", vec!["Ana Saved", "Rui Água", "Zé Never Wrote"]),
        ("%25", vec![]),
        ("nobody", vec![]),
    ] {
        assert_eq!(found(search).await, expected, "{search}");
    }
    let page = inbox.page(&inbox.agent, "contacts/?search=ana").await;
    let provider = json!({"type": "internal", "name": "Contacts", "id": inbox.tenant});
    assert_eq!(
        page,
        json!({"count": 1, "next": null, "results": [{"name": "Ana Saved", "initials": "AS",
            "phone_numbers": [{"phone_number": format!("+{ANA}"), "description": "WhatsApp"},
                {"phone_number": "+351 21 000 99-88", "description": "mobile"}],
            "email_addresses": [{"email_address": "ANA@Saved.example", "description": "work"}],
            "contact_provider": provider}]})
    );
    // A saved name changes nothing of what WhatsApp shows.
    let person = inbox.page(&inbox.agent, &format!("persons/{ANA}/")).await;
    assert_eq!(person["waba_payload"]["profile"]["name"], "Ana on WhatsApp");
}

#[tokio::test]
async fn r_con_1_results_of_all_providers_stand_one_after_the_other() {
    let crm = json!({
        "first": {"contacts": [{"name": "Eva CRM"}, {"name": "Rui CRM"}], "count": 3, "next": "more"},
        "more": {"contacts": [{"name": "Zoe CRM"}], "count": 3},
        RUI: {"contacts": [{"name": "Rui CRM", "phone_numbers": [{"phone_number": "+351912000111"}]}]},
    });
    let url = address_book(crm, Duration::ZERO).await;
    let inbox = Inbox::start_with(|config| {
        config.contact_providers.insert("crm".to_owned(), url);
    })
    .await;
    for (wa_id, name) in [(RUI, "Rui"), (ANA, "Ana"), (EVA, "Eva")] {
        inbox.named(wa_id, name, "Hello", now()).await;
    }
    let first = inbox.page(&inbox.agent, "contacts/?limit=2").await;
    assert_eq!(column(&first, "/name"), ["Ana", "Eva", "Eva CRM", "Rui CRM"]);
    assert_eq!(first["count"], 6);
    assert!(first.get("previous").is_none());
    let more = inbox.page(&inbox.agent, &inbox.following(&first).expect("more")).await;
    assert_eq!(column(&more, "/name"), ["Rui", "Zoe CRM"]);
    assert_eq!((&more["count"], &more["next"]), (&json!(6), &Value::Null));
    let providers = column(&more, "/contact_provider");
    assert_eq!(providers[1], json!({"type": "http", "name": "crm", "id": "crm"}));
    let known = inbox.page(&inbox.agent, &format!("contacts/{RUI}/")).await;
    assert_eq!(known["person"], inbox.page(&inbox.agent, &format!("persons/{RUI}/")).await);
    let names: Vec<&Value> =
        known["contact_provider_results"].as_array().expect("a list").iter().map(|found| &found["name"]).collect();
    assert_eq!(names, ["Rui", "Rui CRM"]);
}

#[tokio::test]
async fn r_con_2_the_count_is_minus_one_when_a_provider_cannot_tell() {
    let crm = json!({"first": {"contacts": [{"name": "Eva CRM"}]}});
    let url = address_book(crm, Duration::ZERO).await;
    let inbox = Inbox::start_with(|config| {
        config.contact_providers.insert("crm".to_owned(), url);
    })
    .await;
    let page = inbox.page(&inbox.agent, "contacts/").await;
    assert_eq!((&page["count"], column(&page, "/name")), (&json!(-1), vec![json!("Eva CRM")]));
}

#[tokio::test]
async fn r_con_2_every_contact_comes_once_and_the_link_cannot_be_made_up() {
    let inbox = Inbox::start().await;
    for n in 0..7 {
        inbox.named(&format!("35191200000{n}"), ["Ana", "Rui", ""][n % 3], "Hello", now()).await;
    }
    inbox.save(saved("351912000009", "Ana", "", "")).await;
    inbox.save(saved("351912000003", "Xavier", "", "")).await;
    for query in ["limit=2", "limit=3&search=35191"] {
        let (mut path, mut seen) = (format!("contacts/?{query}"), Vec::new());
        loop {
            let page = inbox.page(&inbox.agent, &path).await;
            assert_eq!(page["count"], 8, "{path}");
            seen.extend(column(&page, "/phone_numbers/0/phone_number"));
            match inbox.following(&page) {
                Some(next) => path = next,
                None => break,
            }
        }
        let order = [2, 5, 0, 9, 6, 1, 4, 3].map(|n| json!(format!("+35191200000{n}")));
        let mut sorted = seen.clone();
        sorted.sort_by_key(ToString::to_string);
        assert_eq!(seen.len(), 8, "{query}: {seen:?}");
        assert_eq!(seen[7], order[7], "by name: {seen:?}");
        sorted.dedup();
        assert_eq!(sorted.len(), 8, "{query}: {seen:?}");
    }
    // R-PAG-1 holds here as well, and a limit of 0 is no limit at all (2021's start-up).
    for query in ["limit=0", "limit=-1", "limit=x", "limit="] {
        assert_eq!(column(&inbox.page(&inbox.agent, &format!("contacts/?{query}")).await, "/name").len(), 8);
    }
    let page = inbox.page(&inbox.agent, "contacts/?limit=1&search=ana").await;
    let next = inbox.following(&page).expect("more");
    let token = next.split('&').find_map(|pair| pair.strip_prefix("pages=")).expect("a token").to_owned();
    let altered = format!("A{}", &token[1..]);
    for wrong in ["x", "eyJhIjoxfQ", "%00", altered.as_str()] {
        let told = inbox.get(&inbox.agent, &format!("contacts/?search=ana&pages={wrong}")).await.expect(400);
        assert!(told["pages"][0].is_string() && told["reason"].is_string(), "{told}");
    }
    // Good for its own list only.
    assert_eq!(inbox.get(&inbox.agent, &format!("contacts/?search=rui&pages={token}")).await.status, 400);
    assert_eq!(inbox.get(&inbox.agent, &format!("contacts/?search=ana&pages={token}")).await.status, 200);
    inbox.add_tenant("other", "other.example", "555").await;
    let stranger = inbox.add_user_to("other", "stranger", chatledger_domain::Role::Admin).await;
    assert_eq!(inbox.get(&stranger, &format!("contacts/?search=ana&pages={token}")).await.status, 400);
    assert_eq!(inbox.page(&stranger, "contacts/").await["count"], 0);
}

#[tokio::test]
async fn r_con_4_a_provider_that_fails_or_dawdles_is_left_out() {
    let slow = address_book(json!({"first": {"contacts": [{"name": "Too late"}], "count": 1}}), Duration::from_secs(8));
    let (slow, broken) = (slow.await, address_book(json!({"first": "no page"}), Duration::ZERO).await);
    let inbox = Inbox::start_with(|config| {
        config.contact_providers.insert("slow".to_owned(), slow);
        config.contact_providers.insert("broken".to_owned(), broken);
        config.contact_providers.insert("gone".to_owned(), "http://127.0.0.1:9/".to_owned());
    })
    .await;
    inbox.named(RUI, "Rui", "Hello", now()).await;
    inbox.named(ANA, "Ana", "Hello", now()).await;
    let begun = std::time::Instant::now();
    let page = inbox.page(&inbox.agent, "contacts/?limit=1").await;
    // Two seconds for all of them, side by side; the rest is room for a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!((&page["count"], column(&page, "/name")), (&json!(-1), vec![json!("Ana")]));
    // Nobody waits for them again on the way through the list.
    let page = inbox.page(&inbox.agent, &inbox.following(&page).expect("more")).await;
    assert_eq!((&page["count"], column(&page, "/name")), (&json!(-1), vec![json!("Rui")]));
    assert_eq!(inbox.page(&inbox.agent, &format!("contacts/{RUI}/")).await["person"]["wa_id"], RUI);
}

#[tokio::test]
async fn contacts_one_is_404_when_nobody_knows_it() {
    let inbox = Inbox::start().await;
    inbox.named(RUI, "Rui", "Hello", now()).await;
    inbox.save(saved(ANA, "Ana", "", "")).await;
    for path in [NOBODY, "undefined", "%00", "1e400", "-"] {
        let answer = inbox.get(&inbox.agent, &format!("contacts/{path}/")).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path}");
    }
    // 2021 asks without the slash.
    let known = inbox.page(&inbox.agent, &format!("contacts/{ANA}")).await;
    assert_eq!((&known["person"], &known["contact_provider_results"][0]["name"]), (&Value::Null, &json!("Ana")));
    // R-PERM-7: who may not read the chat learns of its customer only what the shared address book says.
    let bot = &inbox.bot;
    assert_eq!(inbox.get(bot, &format!("contacts/{RUI}/")).await.status, 404);
    assert_eq!(column(&inbox.page(bot, "contacts/").await, "/name"), ["Ana"]);
    assert_eq!(column(&inbox.page(bot, "contacts/?search=351912").await, "/name"), ["Ana"]);
    inbox.give(RUI, bot).await;
    let page = inbox.page(bot, "contacts/").await;
    assert_eq!((&page["count"], column(&page, "/name")), (&json!(2), vec![json!("Ana"), json!("Rui")]));
}

#[tokio::test]
async fn r_chat_4_search_looks_at_saved_names_and_email_addresses_too() {
    let inbox = Inbox::start().await;
    inbox.named(RUI, "Rui", "Hello", now()).await;
    inbox.named(ANA, "Ana", "Hello", now() - 1).await;
    inbox.save(saved(RUI, "Senhor Água", "+44 20 7946 0000", "Orders@Costa.example")).await;
    // Saved, but without a chat.
    inbox.save(saved(EVA, "Água Only", "", "")).await;
    let found = async |search: &str| {
        let page = inbox.page(&inbox.agent, &format!("chats/?search={search}")).await;
        assert_eq!(page["count"], page["results"].as_array().map_or(0, Vec::len));
        column(&page, "/wa_id")
    };
    for (search, expected) in [
        ("%C3%A1gua", vec![RUI]),
        ("orders%40", vec![RUI]),
        ("senhor", vec![RUI]),
        ("a", vec![RUI, ANA]),
        ("7946", vec![]),
    ] {
        assert_eq!(found(search).await, expected, "{search}");
    }
    // What changes about it is found at once, and what was is not.
    inbox.save(saved(RUI, "Dona Rita", "", "")).await;
    assert_eq!(found("senhor").await, [""; 0]);
    assert_eq!(found("dona").await, [RUI]);
    assert_eq!(found("orders").await, [RUI]);
    let tools = inbox.tools().await;
    tools.rebuild(&[], EQUAL, |_| {}).await.expect("rebuilt");
    tools.close().await;
    assert_eq!(found("dona").await, [RUI]);
    assert_eq!(found("orders").await, [RUI]);
}

#[tokio::test]
async fn r_con_3_cloud_numbers_are_judged_by_their_form_in_the_order_given() {
    let inbox = Inbox::start().await;
    let body = json!({"blocking": "wait", "force_check": true,
        "contacts": ["+351 912 000 111", "12", "0351912000111", "+351912000111", "", "hello"]});
    let told = inbox.post(&inbox.agent, "contacts/verify/", body).await.expect(200);
    let invalid = |input: &str| json!({"input": input, "status": "invalid"});
    assert_eq!(
        told["contacts"],
        json!([{"input": "+351 912 000 111", "wa_id": RUI, "status": "valid"}, invalid("12"),
            invalid("0351912000111"), {"input": "+351912000111", "wa_id": RUI, "status": "valid"}, invalid(""),
            invalid("hello")])
    );
    let ask = async |body: Value| inbox.post(&inbox.agent, "contacts/verify/", body).await;
    assert_eq!(ask(json!({"contacts": []})).await.expect(200), json!({"contacts": []}));
    for (body, field, message) in [
        (json!({}), "contacts", json!(["This field is required."])),
        (json!({"contacts": "+351"}), "contacts", json!(["Expected a list of items but got type \"str\"."])),
        (json!({"contacts": ["1", 2]}), "contacts", json!({"1": ["Not a valid string."]})),
        (json!({"contacts": ["\u{0}"]}), "contacts", json!(["Null characters are not allowed."])),
        (
            json!({"contacts": vec!["1"; 1001]}),
            "contacts",
            json!(["Ensure this field has no more than 1000 elements."]),
        ),
        (json!({"contacts": [], "blocking": "maybe"}), "blocking", json!(["\"maybe\" is not a valid choice."])),
        (json!({"contacts": [], "force_check": "maybe"}), "force_check", json!(["Must be a valid boolean."])),
    ] {
        let told = ask(body).await.expect(400);
        assert_eq!(told[field], message);
        assert!(told["reason"].is_string());
    }
}

#[tokio::test]
async fn r_con_3_an_on_premises_channel_asks_whatsapp() {
    let inbox = Inbox::start().await;
    let user = &onpremises(&inbox).await;
    let ask = async |blocking: &str, contacts: Value| {
        let body = json!({"blocking": blocking, "contacts": contacts});
        inbox.post(user, "contacts/verify/", body).await.expect(200)["contacts"].clone()
    };
    let numbers = json!(["+351 912 000 111", "12"]);
    // The answer is being looked for, and found the next time.
    let processing = |input: &str| json!({"input": input, "status": "processing"});
    assert_eq!(ask("no_wait", numbers.clone()).await, json!([processing("+351 912 000 111"), processing("12")]));
    let found = json!([{"input": "+351 912 000 111", "wa_id": RUI, "status": "valid"},
        {"input": "12", "status": "invalid"}]);
    assert_eq!(ask("no_wait", numbers.clone()).await, found);
    assert_eq!(ask("wait", json!(["351912000222"])).await[0]["wa_id"], ANA);
    inbox.behave(json!({"http_status": {"status": 500, "count": 1}})).await;
    let failed = |input: &str| json!({"input": input, "status": "failed"});
    assert_eq!(ask("wait", numbers).await, json!([failed("+351 912 000 111"), failed("12")]));
}

/// A user of a tenant whose number is one of the on-premises API.
async fn onpremises(inbox: &Inbox) -> chatledger_api::bootstrap::Login {
    let (tools, tenant) = (inbox.tools().await, TenantId::of_slug("onpremises"));
    let new = NewTenant { slug: "onpremises".to_owned(), name: "On premises".to_owned(), hosts: Vec::new() };
    tools.application.create_tenant(new).await.expect("a tenant");
    let number = Number {
        phone_number_id: "777".to_owned(),
        display_phone_number: "+351230000000".to_owned(),
        channel: Channel::Onpremises,
        waba_id: None,
    };
    tools.application.connect_account(tenant, number, "onpremises-key").await.expect("connected");
    tools.close().await;
    let known =
        json!({"phone_number_id": "777", "display_phone_number": "351230000000", "access_token": "onpremises-key"});
    let url = format!("{}/simulator/numbers", inbox.simulator_url);
    assert!(inbox.http.raw.post(url).json(&known).send().await.expect("the simulator").status().is_success());
    let user = inbox.add_user_to("onpremises", "eva", chatledger_domain::Role::User).await;
    // The server may have looked just before, and looks again after a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    user
}
