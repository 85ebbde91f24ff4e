//! The account in the form of each channel, over real HTTP with the simulator.

use bytes::Bytes;
use chatledger_application::ports::whatsapp_account::{
    Account, AccountFault, NewTemplate, Photo, WhatsAppAccounts as _,
};
use chatledger_domain::{
    RawJson,
    business_profile::{Profile, ProfileChange},
    whatsapp_account::{Channel, Number},
};
use serde_json::json;

use crate::whatsapp::{
    Endpoints, WhatsAppClient,
    simulator::{AccountFault as Misbehaviour, Behaviour, SimulatedNumber, Simulator, SimulatorConfig},
};

const CHANNELS: [Channel; 3] = [Channel::Cloud, Channel::D360, Channel::Onpremises];

fn start(channel: Channel) -> (Simulator, WhatsAppClient, Account) {
    let simulator = Simulator::start(SimulatorConfig::default()).unwrap();
    let [graph_url, d360_url, onpremises_url] = [(); 3].map(|()| simulator.url().to_owned());
    let client =
        WhatsAppClient::new(Endpoints { graph_url, d360_url, onpremises_url, ..Endpoints::default() }).unwrap();
    let simulated = SimulatedNumber::default();
    let number = Number {
        phone_number_id: simulated.phone_number_id,
        display_phone_number: simulated.display_phone_number,
        channel,
        waba_id: Some(simulated.waba_id),
    };
    (simulator, client, Account { number, access_token: simulated.access_token })
}

fn new(category: &str) -> NewTemplate {
    NewTemplate {
        name: "new".into(),
        category: category.into(),
        language: "en".into(),
        components: RawJson::from(&json!([{"type": "BODY", "text": "x"}])),
    }
}

#[tokio::test]
async fn templates_are_listed_taken_and_deleted_on_every_channel() {
    for channel in CHANNELS {
        let (simulator, client, account) = start(channel);
        let listed = client.templates(&account).await.unwrap();
        let of = |template: &chatledger_domain::template_catalogue::Template| {
            (
                template.name.clone(),
                template.status.clone(),
                template.namespace.clone(),
                template.rejected_reason.clone(),
            )
        };
        let first = ["hello_world", "approved", "simulated_namespace", "NONE"].map(str::to_owned);
        assert_eq!((listed.len(), of(&listed[0])), (3, first.clone().into()), "{channel:?}");
        let made = client.create_template(&account, &new("ALERT_UPDATE")).await.unwrap();
        let (status, category) = match channel {
            Channel::Cloud => ("pending", "UTILITY"),
            Channel::D360 => ("submitted", "UTILITY"),
            Channel::Onpremises => ("submitted", "ALERT_UPDATE"),
        };
        assert_eq!((made.status.as_str(), made.category.as_str()), (status, category));
        assert!(made.id.is_some());
        assert_eq!(made.namespace, "simulated_namespace");
        let again = client.create_template(&account, &new("UTILITY")).await;
        let Err(AccountFault::Refused(errors)) = again else { panic!("{again:?}") };
        assert_eq!(errors.tree()[0]["code"], 100);
        assert_eq!(client.templates(&account).await.unwrap().len(), 4);
        client.delete_template(&account, "new").await.unwrap();
        assert!(matches!(client.delete_template(&account, "new").await, Err(AccountFault::NotFound)));
        simulator.stop().await;
    }
}

#[tokio::test]
async fn the_profile_is_told_and_taken_on_every_channel() {
    for channel in CHANNELS {
        let (simulator, client, account) = start(channel);
        assert_eq!(client.profile(&account).await.unwrap(), Profile::default(), "{channel:?}");
        let change = ProfileChange {
            about: Some("Here".into()),
            vertical: Some("GOVT".into()),
            websites: Some(vec!["https://a.example".into()]),
            ..ProfileChange::default()
        };
        client.set_profile(&account, &change).await.unwrap();
        client.set_profile(&account, &ProfileChange::default()).await.unwrap();
        assert_eq!(client.profile(&account).await.unwrap(), Profile::default().with(change), "{channel:?}");
        simulator.stop().await;
    }
}

#[tokio::test]
async fn the_photo_is_set_told_and_taken_away_on_every_channel() {
    for channel in CHANNELS {
        let (simulator, client, account) = start(channel);
        assert!(client.photo(&account).await.unwrap().is_none(), "{channel:?}");
        let photo = Photo { mime_type: "image/png".into(), bytes: Bytes::from_static(b"\x89PNG") };
        client.set_photo(&account, &photo).await.unwrap();
        let told = client.photo(&account).await.unwrap().unwrap();
        assert_eq!((told.mime_type.as_str(), &told.bytes[..]), ("image/png", &b"\x89PNG"[..]), "{channel:?}");
        client.delete_photo(&account).await.unwrap();
        assert!(client.photo(&account).await.unwrap().is_none(), "{channel:?}");
        simulator.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_credential_is_a_refusal_and_a_broken_whatsapp_is_told_apart() {
    for channel in CHANNELS {
        let (simulator, client, account) = start(channel);
        let stranger = Account { access_token: "another".into(), ..account.clone() };
        assert!(matches!(client.templates(&stranger).await, Err(AccountFault::Refused(_))), "{channel:?}");
        let told = async |fault: Misbehaviour| {
            simulator.behave(Behaviour { account: Some(fault), ..Behaviour::default() });
            client.templates(&account).await
        };
        let away = told(Misbehaviour { status: Some(503), ..Misbehaviour::default() }).await;
        assert!(matches!(away, Err(AccountFault::Away(_))), "{away:?}");
        let limited = told(Misbehaviour { code: Some(80007), ..Misbehaviour::default() }).await;
        assert!(matches!(limited, Err(AccountFault::Away(_))), "{limited:?}");
        let cut = told(Misbehaviour { cut: true, ..Misbehaviour::default() }).await;
        assert!(matches!(cut, Err(AccountFault::Unreadable(_))), "{cut:?}");
        simulator.stop().await;
        let mut gone = client.templates(&account).await;
        // A standing connection that was just being closed may have been good for one more call.
        if matches!(gone, Err(AccountFault::Unreadable(_))) {
            gone = client.templates(&account).await;
        }
        assert!(matches!(gone, Err(AccountFault::Away(_))), "{gone:?}");
    }
}

#[tokio::test]
async fn without_the_business_account_cloud_cannot_be_asked_for_templates() {
    let (simulator, client, mut account) = start(Channel::Cloud);
    account.number.waba_id = None;
    assert!(matches!(client.templates(&account).await, Err(AccountFault::Away(_))));
    simulator.stop().await;
}
