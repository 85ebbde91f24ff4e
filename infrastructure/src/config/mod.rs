//! The configuration: one documented TOML, overlaid by the environment, checked whole at start, every error named.

mod service;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::ToSocketAddrs,
    path::{Path, PathBuf},
};

use figment::{
    Figment, Provider,
    providers::{Env, Format, Toml},
    value::{Dict, Value},
};
use ipnet::IpNet;
use serde::de::DeserializeOwned;

pub use service::ServiceApi;

use crate::media::{Bucket, Place};
use crate::whatsapp::provider;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("default.toml");

/// The whole configuration; see `default.toml` for what each setting means.
#[derive(Clone)]
pub struct Config {
    /// `server.listen`
    pub listen: String,
    /// `server.public_url`; `None` for the address listened on.
    pub public_url: Option<String>,
    /// `server.trust_proxy`
    pub trust_proxy: bool,
    /// `server.workers`
    pub workers: usize,
    /// `server.farewell_ms`
    pub farewell_ms: u32,
    /// `server.allow_plain_websockets`; `None` for the sandbox only.
    pub allow_plain_websockets: Option<bool>,
    /// `server.allowed_origins`
    pub allowed_origins: Vec<String>,
    /// `server.websocket_ping_seconds`
    pub websocket_ping_seconds: u32,
    /// `database.url` or `DATABASE_URL`; `None` for the embedded server.
    pub database_url: Option<String>,
    /// `database.max_connections`
    pub max_connections: u32,
    /// `data.dir`
    pub data_dir: String,
    /// `secrets.master_key`
    pub master_key: Option<[u8; 32]>,
    /// `secrets.old_master_keys`
    pub old_master_keys: Vec<[u8; 32]>,
    /// `secrets.checkpoint_key`; `None` for the file in `data.dir`.
    pub checkpoint_key: Option<[u8; 32]>,
    /// `whatsapp.app_secrets`
    pub app_secrets: Vec<String>,
    /// `whatsapp.verify_token`
    pub verify_token: Option<String>,
    /// `whatsapp.graph_url`
    pub graph_url: String,
    /// `whatsapp.d360_url`
    pub d360_url: String,
    /// `whatsapp.onpremises_url`
    pub onpremises_url: String,
    /// `whatsapp.provider_url`; `None` when the tenant's own access token decides
    pub provider_url: Option<String>,
    /// `whatsapp.rate_per_number`
    pub rate_per_number: u32,
    /// `webhooks.allow_http`
    pub allow_http: bool,
    /// `webhooks.allow_nets`
    pub allow_nets: Vec<IpNet>,
    /// `webhooks.allow_hosts`, lower-case
    pub allow_hosts: Vec<String>,
    /// `webhooks.retry_after`, seconds
    pub retry_after: Vec<f64>,
    /// `webhooks.disable_after_hours`
    pub disable_after_hours: u32,
    /// `webhooks.keep_delivered_hours`
    pub keep_delivered_hours: u32,
    /// `whatsapp.refresh_after_minutes`
    pub refresh_after_minutes: u32,
    /// `plugins`: addresses by type.
    pub plugins: BTreeMap<String, String>,
    /// `contact_providers`: names and addresses, by name.
    pub contact_providers: BTreeMap<String, String>,
    /// `limits.requests_per_minute`
    pub requests_per_minute: u32,
    /// `limits.sandbox_requests_per_minute`
    pub sandbox_requests_per_minute: u32,
    /// `service_api`
    pub service_api: ServiceApi,
    /// `limits.websockets`
    pub websockets: usize,
    /// `limits.websockets_per_tenant`
    pub websockets_per_tenant: usize,
    /// `limits.websockets_per_user`
    pub websockets_per_user: usize,
    /// `media.bucket` and its companions; `None` for a folder.
    pub media_bucket: Option<Bucket>,
    /// `media.dir`; `None` for the one in `data.dir`.
    pub media_dir: Option<String>,
    /// `media.quota_bytes`
    pub media_quota: u64,
    /// `limits.failed_authentications_per_minute`
    pub failed_authentications_per_minute: u32,
    /// `quarantine.max_age_days`
    pub quarantine_max_age_days: u32,
    /// `quarantine.max_bytes`
    pub quarantine_max_bytes: u64,
    /// `logs.format` is `json`
    pub json_logs: bool,
    /// `logs.filter`
    pub log_filter: String,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} error(s):\n  - {}", .0.len(), .0.join("\n  - "))]
pub struct ConfigErrors(pub Vec<String>);

struct Reader {
    figment: Figment,
    errors: Vec<String>,
}

impl Reader {
    fn get<T: DeserializeOwned + Default>(&mut self, key: &str) -> T {
        self.figment.extract_inner(key).unwrap_or_else(|error| {
            self.errors.push(format!("{key}: {}", error.kind));
            T::default()
        })
    }

    fn check(&mut self, ok: bool, key: &str, problem: &str) {
        if !ok {
            self.errors.push(format!("{key}: {problem}"));
        }
    }

    fn text(&mut self, key: &str) -> Option<String> {
        Some(self.get::<String>(key)).filter(|text| !text.is_empty())
    }

    fn key(&mut self, key: &str) -> Option<[u8; 32]> {
        let bytes = hex::decode(self.text(key)?).ok().and_then(|bytes| bytes.try_into().ok());
        self.check(bytes.is_some(), key, "must be 64 hexadecimal digits");
        bytes
    }

    fn keys(&mut self, key: &str) -> Vec<[u8; 32]> {
        let texts: Vec<String> = self.get(key);
        let keys: Vec<_> = texts.iter().filter_map(|text| hex::decode(text).ok()?.try_into().ok()).collect();
        self.check(keys.len() == texts.len(), key, "must be keys of 64 hexadecimal digits");
        keys
    }

    fn url(&mut self, key: &str) -> String {
        let text: String = self.get(key);
        let http = url::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        self.check(http, key, "must be an http or https address");
        text.trim_end_matches('/').to_owned()
    }

    /// A section whose settings are named by the operator.
    fn plugins(&mut self) -> BTreeMap<String, String> {
        let plugins: BTreeMap<String, String> = self.get("plugins");
        for (kind, address) in &plugins {
            let http = url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            self.check(http, &format!("plugins.{kind}"), "must be an http or https address");
        }
        plugins
    }
}

impl Reader {
    /// The bucket, when media are kept in one.
    fn bucket(&mut self) -> Option<Bucket> {
        let store: String = self.get("media.store");
        self.check(matches!(store.as_str(), "folder" | "s3"), "media.store", "must be folder or s3");
        if store != "s3" {
            return None;
        }
        let mut needed = |key: &str| {
            let text = self.text(key);
            self.check(text.is_some(), key, "is needed when media.store is s3");
            text.unwrap_or_default()
        };
        let [name, region] = ["media.bucket", "media.region"].map(&mut needed);
        let [access_key_id, secret_access_key] = ["media.access_key_id", "media.secret_access_key"].map(&mut needed);
        let endpoint = self.text("media.endpoint").map(|_| self.url("media.endpoint"));
        Some(Bucket { name, endpoint, region, access_key_id, secret_access_key })
    }
}

/// The section whose settings have names of the operator's own.
const CONTACT_PROVIDERS: &str = "contact_providers";

/// Variables that others read: the command line, the embedded database, the operator's commands.
const NO_SETTINGS: &[&str] = &["CONFIG", "PG_BIN", "ACCESS_TOKEN", "PASSWORD"];

impl Config {
    /// Reads defaults, the file, the environment, in this order.
    ///
    /// # Errors
    /// [`ConfigErrors`] names everything that is wrong, not only the first.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigErrors> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigErrors(vec![format!("{}: no such file", file.display())]));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let figment = figment.merge(Env::prefixed("CHATLEDGER_").ignore(NO_SETTINGS).split("__"));
        let mut errors = Vec::new();
        match figment.data() {
            Ok(data) => {
                let merged = data.into_values().next().unwrap_or_default();
                errors.extend(unknown_keys(&merged));
            }
            Err(error) => return Err(ConfigErrors(error.into_iter().map(|e| e.to_string()).collect())),
        }
        Self::read(Reader { figment, errors })
    }

    /// Where media are kept.
    #[must_use]
    pub fn media_place(&self) -> Place {
        match &self.media_bucket {
            Some(bucket) => Place::S3(bucket.clone()),
            None => Place::Folder(
                self.media_dir.as_ref().map_or_else(|| Path::new(&self.data_dir).join("media"), PathBuf::from),
            ),
        }
    }

    fn read(mut r: Reader) -> Result<Self, ConfigErrors> {
        let listen: String = r.get("server.listen");
        r.check(listen.to_socket_addrs().is_ok(), "server.listen", "must be HOST:PORT");
        let public_url = r.text("server.public_url");
        if public_url.is_some() {
            r.url("server.public_url");
        }
        let plain: String = r.get("server.allow_plain_websockets");
        let allow_plain_websockets = match plain.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        let known = allow_plain_websockets.is_some() || plain == "sandbox";
        r.check(known, "server.allow_plain_websockets", "must be sandbox, yes or no");
        let allowed_origins: Vec<String> = r.get("server.allowed_origins");
        let origins = allowed_origins.iter().all(|origin| url::Url::parse(origin).is_ok_and(|url| url.has_host()));
        r.check(origins, "server.allowed_origins", "must be addresses such as https://inbox.example");
        let websocket_ping_seconds = r.get("server.websocket_ping_seconds");
        r.check(websocket_ping_seconds > 0, "server.websocket_ping_seconds", "must be at least 1");
        let database_url = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        let database_url = database_url.or_else(|| r.text("database.url"));
        let postgres = database_url.as_deref().is_none_or(|url| url.starts_with("postgres"));
        r.check(postgres, "database.url", "must begin with postgres://");
        let [master_key, checkpoint_key] = ["secrets.master_key", "secrets.checkpoint_key"].map(|key| r.key(key));
        let old_master_keys = r.keys("secrets.old_master_keys");
        let max_connections = r.get("database.max_connections");
        r.check((4..=500).contains(&max_connections), "database.max_connections", "must be 4 to 500");
        let provider_url = r.text("whatsapp.provider_url");
        if let Some(url) = &provider_url {
            r.url("whatsapp.provider_url");
            // Without it, the key of any customer of the provider would open every inbox.
            r.check(url.contains(provider::NUMBER), "whatsapp.provider_url", "must contain {phone_number_id}");
        }
        let rate_per_number = r.get("whatsapp.rate_per_number");
        r.check(rate_per_number > 0, "whatsapp.rate_per_number", "must be at least 1");
        let nets: Vec<String> = r.get("webhooks.allow_nets");
        let allow_nets: Vec<IpNet> = nets.iter().filter_map(|net| net.parse().ok()).collect();
        r.check(allow_nets.len() == nets.len(), "webhooks.allow_nets", "must be networks such as 10.1.0.0/16");
        let retry_after: Vec<f64> = r.get("webhooks.retry_after");
        r.check(retry_after.iter().all(|s| (0.0..=864_000.0).contains(s)), "webhooks.retry_after", "must be seconds");
        let disable_after_hours = r.get("webhooks.disable_after_hours");
        r.check(disable_after_hours > 0, "webhooks.disable_after_hours", "must be at least 1");
        let plugins = r.plugins();
        let contact_providers: BTreeMap<String, String> = r.get(CONTACT_PROVIDERS);
        for name in contact_providers.keys() {
            r.url(&format!("{CONTACT_PROVIDERS}.{name}"));
        }
        let format: String = r.get("logs.format");
        r.check(matches!(format.as_str(), "text" | "json"), "logs.format", "must be text or json");
        let config = Self {
            listen,
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            trust_proxy: r.get("server.trust_proxy"),
            workers: r.get("server.workers"),
            farewell_ms: r.get("server.farewell_ms"),
            allow_plain_websockets,
            allowed_origins,
            websocket_ping_seconds,
            database_url,
            max_connections,
            data_dir: r.get("data.dir"),
            master_key,
            old_master_keys,
            checkpoint_key,
            app_secrets: r.get("whatsapp.app_secrets"),
            verify_token: r.text("whatsapp.verify_token"),
            graph_url: r.url("whatsapp.graph_url"),
            d360_url: r.url("whatsapp.d360_url"),
            onpremises_url: r.url("whatsapp.onpremises_url"),
            provider_url,
            rate_per_number,
            allow_http: r.get("webhooks.allow_http"),
            allow_nets,
            allow_hosts: r.get::<Vec<String>>("webhooks.allow_hosts").iter().map(|host| host.to_lowercase()).collect(),
            retry_after,
            disable_after_hours,
            keep_delivered_hours: r.get("webhooks.keep_delivered_hours"),
            refresh_after_minutes: r.get("whatsapp.refresh_after_minutes"),
            plugins,
            contact_providers,
            requests_per_minute: r.get("limits.requests_per_minute"),
            sandbox_requests_per_minute: r.get("limits.sandbox_requests_per_minute"),
            service_api: ServiceApi::read(&mut r),
            websockets: r.get("limits.websockets"),
            websockets_per_tenant: r.get("limits.websockets_per_tenant"),
            websockets_per_user: r.get("limits.websockets_per_user"),
            media_bucket: r.bucket(),
            media_dir: r.text("media.dir"),
            media_quota: r.get("media.quota_bytes"),
            failed_authentications_per_minute: r.get("limits.failed_authentications_per_minute"),
            quarantine_max_age_days: r.get("quarantine.max_age_days"),
            quarantine_max_bytes: r.get("quarantine.max_bytes"),
            json_logs: format == "json",
            log_filter: r.get("logs.filter"),
        };
        if r.errors.is_empty() { Ok(config) } else { Err(ConfigErrors(r.errors)) }
    }
}

/// Settings that no default names: most often a typing error.
fn unknown_keys(merged: &Dict) -> Vec<String> {
    let known: BTreeSet<String> = toml::from_str::<toml::Table>(DEFAULTS).map(|table| flat(&table)).unwrap_or_default();
    let mut unknown = Vec::new();
    for (section, value) in merged {
        match value {
            Value::Dict(_, _) if section == "plugins" => {}
            Value::Dict(..) if section == CONTACT_PROVIDERS => {}
            Value::Dict(_, settings) => {
                unknown.extend(settings.keys().map(|key| format!("{section}.{key}")).filter(|key| !known.contains(key)))
            }
            _ => unknown.push(section.clone()),
        }
    }
    unknown.into_iter().map(|key| format!("{key}: no such setting")).collect()
}

fn flat(table: &toml::Table) -> BTreeSet<String> {
    let settings = |(section, value): (&String, &toml::Value)| {
        let keys = value.as_table().map(|t| t.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        keys.into_iter().map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
    };
    table.iter().flat_map(settings).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn load(text: &str) -> Result<Config, ConfigErrors> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Config::load(Some(file.path()))
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(load("").unwrap().listen, "127.0.0.1:8080");
    }

    #[test]
    fn a_bucket_needs_its_name_and_its_key() {
        let Err(ConfigErrors(errors)) = load("[media]\nstore = \"s3\"\nendpoint = \"nowhere\"\n") else {
            panic!("accepted")
        };
        for key in ["media.bucket", "media.access_key_id", "media.secret_access_key", "media.endpoint"] {
            assert!(errors.iter().any(|error| error.starts_with(key)), "{key} is missing in {errors:?}");
        }
        assert!(load("[media]\nstore = \"tape\"\n").is_err());
        let key = "access_key_id = \"a\"\nsecret_access_key = \"b\"\n";
        let config = load(&format!("[media]\nstore = \"s3\"\nbucket = \"inbox\"\n{key}")).unwrap();
        assert!(matches!(config.media_place(), Place::S3(bucket) if bucket.endpoint.is_none()));
        let folder = load("[data]\ndir = \"d\"\n").unwrap().media_place();
        assert!(matches!(folder, Place::Folder(folder) if folder == Path::new("d/media")));
    }

    #[test]
    fn contact_providers_have_names_of_the_operators_own() {
        let config = load("[contact_providers]\ncrm = \"https://crm.example/api\"\n").unwrap();
        assert_eq!(config.contact_providers["crm"], "https://crm.example/api");
        let Err(ConfigErrors(errors)) = load("[contact_providers]\ncrm = \"nowhere\"\n") else { panic!("accepted") };
        assert_eq!(errors, ["contact_providers.crm: must be an http or https address"]);
    }

    #[test]
    fn every_error_is_named_at_once() {
        let wrong = "[server]\nlisten = \"nowhere\"\nlisen = 1\n[secrets]\nmaster_key = \"abc\"\n[logs]\nformat = 3\n";
        let Err(ConfigErrors(errors)) = load(wrong) else { panic!("accepted") };
        for key in ["server.listen", "server.lisen", "secrets.master_key", "logs.format"] {
            assert!(errors.iter().any(|error| error.starts_with(key)), "{key} is missing in {errors:?}");
        }
    }
}
