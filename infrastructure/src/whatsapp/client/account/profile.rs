//! The business profile as each channel tells and takes it.

use chatledger_application::ports::whatsapp_account::{Account, AccountFault};
use chatledger_domain::{
    business_profile::{Profile, ProfileChange, code_of_vertical, label_of_vertical},
    whatsapp_account::Channel,
};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::call::Call;
use crate::whatsapp::client::WhatsAppClient;

const FIELDS: &str = "about,address,description,email,vertical,websites";
const BUSINESS: &[&str] = &["v1", "settings", "business", "profile"];
const ABOUT: &[&str] = &["v1", "settings", "profile", "about"];

/// Where Cloud keeps the profile; 360dialog leaves the number out, for the key tells it.
pub(super) fn path(account: &Account) -> Vec<&str> {
    match account.number.channel {
        Channel::Cloud => vec![&account.number.phone_number_id, "whatsapp_business_profile"],
        _ => vec!["whatsapp_business_profile"],
    }
}

pub(super) async fn of_cloud(client: &WhatsAppClient, account: &Account) -> Result<Profile, AccountFault> {
    let call = Call::new(client, account, Method::GET, &path(account)).query("fields", FIELDS);
    let answer: Value = call.read().await?;
    let told = answer.pointer("/data/0").filter(|told| told.is_object());
    let told = told.ok_or_else(|| AccountFault::Unreadable("no profile".to_owned()))?;
    // Some versions wrap what they tell once more.
    let told = told.get("business_profile").unwrap_or(told);
    Ok(profile(told, text(told, "about")))
}

pub(super) async fn of_onpremises(client: &WhatsAppClient, account: &Account) -> Result<Profile, AccountFault> {
    let business: Value = Call::new(client, account, Method::GET, BUSINESS).read().await?;
    let about: Value = Call::new(client, account, Method::GET, ABOUT).read().await?;
    let told = business.pointer("/settings/business/profile").filter(|told| told.is_object());
    let told = told.ok_or_else(|| AccountFault::Unreadable("no profile".to_owned()))?;
    let about = about.pointer("/settings/profile/about/text").and_then(Value::as_str).unwrap_or_default();
    Ok(profile(told, about.to_owned()))
}

fn profile(told: &Value, about: String) -> Profile {
    let vertical = text(told, "vertical");
    let websites = told["websites"].as_array().into_iter().flatten();
    Profile {
        about,
        address: text(told, "address"),
        description: text(told, "description"),
        email: text(told, "email"),
        vertical: code_of_vertical(&vertical).map_or(vertical, str::to_owned),
        websites: websites.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

fn text(told: &Value, name: &str) -> String {
    told[name].as_str().unwrap_or_default().to_owned()
}

pub(super) async fn set_at_cloud(
    client: &WhatsAppClient,
    account: &Account,
    change: &ProfileChange,
) -> Result<(), AccountFault> {
    let mut body = fields(change, |code| code);
    if let Some(about) = &change.about {
        body.insert("about".to_owned(), about.as_str().into());
    }
    if body.is_empty() {
        return Ok(());
    }
    body.insert("messaging_product".to_owned(), "whatsapp".into());
    let call = Call::new(client, account, Method::POST, &path(account)).json(Value::Object(body));
    call.send().await.map(drop)
}

pub(super) async fn set_on_premises(
    client: &WhatsAppClient,
    account: &Account,
    change: &ProfileChange,
) -> Result<(), AccountFault> {
    let body = fields(change, label_of_vertical);
    if !body.is_empty() {
        Call::new(client, account, Method::POST, BUSINESS).json(Value::Object(body)).send().await?;
    }
    if let Some(about) = &change.about {
        Call::new(client, account, Method::PATCH, ABOUT).json(json!({ "text": about })).send().await?;
    }
    Ok(())
}

fn fields(change: &ProfileChange, vertical: fn(&str) -> &str) -> Map<String, Value> {
    let given = [
        ("address", change.address.as_deref()),
        ("description", change.description.as_deref()),
        ("email", change.email.as_deref()),
        ("vertical", change.vertical.as_deref().map(vertical)),
    ];
    let texts = given.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?))));
    let websites = change.websites.as_ref().map(|websites| ("websites".to_owned(), Value::from(websites.clone())));
    texts.chain(websites).collect()
}
