//! Templates as each channel lists, takes and deletes them.

use chatledger_application::ports::whatsapp_account::{Account, AccountFault, NewTemplate};
use chatledger_domain::{RawJson, template_catalogue::Template, whatsapp_account::Channel};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use crate::whatsapp::client::WhatsAppClient;

/// Templates a page.
const PAGE: usize = 200;
/// More pages than this are not read.
const PAGES: usize = 100;
const FIELDS: &str = "id,name,language,category,status,rejected_reason,components";
/// 360dialog and on-premises.
const PARTNER: &[&str] = &["v1", "configs", "templates"];

/// A template as any channel writes it.
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    id: Option<Value>,
    name: String,
    language: String,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    components: Option<RawJson>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    rejected_reason: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

impl Listed {
    fn template(self, namespace: &str) -> Template {
        Template {
            name: self.name,
            language: self.language,
            id: self.id.and_then(id),
            category: self.category.unwrap_or_default(),
            components: self.components.filter(|raw| raw.tree().is_array()).unwrap_or_else(none),
            namespace: self.namespace.unwrap_or_else(|| namespace.to_owned()),
            rejected_reason: self.rejected_reason.filter(|r| !r.is_empty()).unwrap_or_else(|| "NONE".to_owned()),
            status: self.status.unwrap_or_default().to_lowercase(),
        }
    }
}

fn none() -> RawJson {
    RawJson::from(&json!([]))
}

fn id(value: Value) -> Option<String> {
    match value {
        Value::String(id) if !id.is_empty() => Some(id),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// The business account that owns the templates.
fn owner(account: &Account) -> Result<&str, AccountFault> {
    let unknown = || AccountFault::Away("the number's business account is not known".to_owned());
    account.number.waba_id.as_deref().ok_or_else(unknown)
}

pub(super) async fn list_of_cloud(client: &WhatsAppClient, account: &Account) -> Result<Vec<Template>, AccountFault> {
    #[derive(Deserialize)]
    struct Page {
        data: Vec<Listed>,
        #[serde(default)]
        paging: Value,
    }
    let waba_id = owner(account)?;
    let namespace = namespace(client, account, waba_id).await?;
    let mut templates = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let mut call = Call::new(client, account, Method::GET, &[waba_id, "message_templates"])
            .query("fields", FIELDS)
            .query("limit", PAGE.to_string());
        if let Some(after) = after {
            call = call.query("after", after);
        }
        let page: Page = call.read().await?;
        templates.extend(page.data.into_iter().map(|listed| listed.template(&namespace)));
        // `cursors.after` stands on the last page too; `next` does not.
        match (page.paging.get("next"), page.paging.pointer("/cursors/after").and_then(Value::as_str)) {
            (Some(_), Some(cursor)) => after = Some(cursor.to_owned()),
            _ => return Ok(templates),
        }
    }
    Err(AccountFault::Unreadable("the list does not end".to_owned()))
}

/// The namespace of the account's templates; empty where WhatsApp does not tell.
async fn namespace(client: &WhatsAppClient, account: &Account, waba_id: &str) -> Result<String, AccountFault> {
    let call = Call::new(client, account, Method::GET, &[waba_id]).query("fields", "message_template_namespace");
    match call.read::<Value>().await {
        Ok(answer) => Ok(answer["message_template_namespace"].as_str().unwrap_or_default().to_owned()),
        Err(AccountFault::Refused(_) | AccountFault::NotFound) => Ok(String::new()),
        Err(fault) => Err(fault),
    }
}

pub(super) async fn list_of_partner(client: &WhatsAppClient, account: &Account) -> Result<Vec<Template>, AccountFault> {
    #[derive(Deserialize)]
    struct Page {
        waba_templates: Vec<Listed>,
        #[serde(default)]
        total: Option<usize>,
    }
    let mut templates = Vec::new();
    for _ in 0..PAGES {
        let call = Call::new(client, account, Method::GET, PARTNER)
            .query("limit", PAGE.to_string())
            .query("offset", templates.len().to_string());
        let page: Page = call.read().await?;
        let none_more = page.waba_templates.is_empty();
        templates.extend(page.waba_templates.into_iter().map(|listed| listed.template("")));
        if none_more || templates.len() >= page.total.unwrap_or_default() {
            return Ok(templates);
        }
    }
    Err(AccountFault::Unreadable("the list does not end".to_owned()))
}

pub(super) async fn create(
    client: &WhatsAppClient,
    account: &Account,
    new: &NewTemplate,
) -> Result<Template, AccountFault> {
    #[derive(Deserialize)]
    struct Submitted {
        #[serde(default)]
        id: Option<Value>,
        #[serde(default)]
        status: Option<String>,
        #[serde(default)]
        category: Option<String>,
        #[serde(default)]
        namespace: Option<String>,
    }
    let cloud = account.number.channel == Channel::Cloud;
    let path = if cloud { vec![owner(account)?, "message_templates"] } else { PARTNER.to_vec() };
    let category = if account.number.channel == Channel::Onpremises { &new.category } else { of_today(&new.category) };
    let body = json!({
        "name": new.name, "category": category, "language": new.language, "components": new.components.tree(),
    });
    let submitted: Submitted = Call::new(client, account, Method::POST, &path).json(body).read().await?;
    let namespace = match submitted.namespace {
        Some(namespace) => namespace,
        // It is taken by now: without its namespace rather than not at all.
        None if cloud => namespace(client, account, path[0]).await.unwrap_or_default(),
        None => String::new(),
    };
    let status = submitted.status.filter(|status| !status.is_empty()).map(|status| status.to_lowercase());
    Ok(Template {
        name: new.name.clone(),
        language: new.language.clone(),
        id: submitted.id.and_then(id),
        category: submitted.category.unwrap_or_else(|| category.to_owned()),
        components: new.components.clone(),
        namespace,
        rejected_reason: "NONE".to_owned(),
        status: status.unwrap_or_else(|| "submitted".to_owned()),
    })
}

/// The categories of 2021 are all about transactions, which today's WhatsApp calls utility.
fn of_today(category: &str) -> &str {
    match category {
        "MARKETING" | "UTILITY" | "AUTHENTICATION" => category,
        _ => "UTILITY",
    }
}

pub(super) async fn delete(client: &WhatsAppClient, account: &Account, name: &str) -> Result<(), AccountFault> {
    let call = if account.number.channel == Channel::Cloud {
        Call::new(client, account, Method::DELETE, &[owner(account)?, "message_templates"]).query("name", name)
    } else {
        Call::new(client, account, Method::DELETE, &[PARTNER[0], PARTNER[1], PARTNER[2], name])
    };
    call.send().await.map(drop)
}
