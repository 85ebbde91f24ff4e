//! A server with everything needed to try it: embedded database, WhatsApp simulator, a tenant with three users.

use std::path::Path;

use chatledger_application::{
    ApplicationError,
    ports::vault::{Kind, Vault},
    tenants::NewTenant,
    users::NewUser,
};
use chatledger_domain::{
    GroupId, Role, TenantId, UserId,
    whatsapp_account::{Channel, Number},
};
use chatledger_infrastructure::{
    config::Config,
    system::SystemRandom,
    whatsapp::simulator::{SimulatedNumber, Simulator, SimulatorConfig},
};
use chatledger_projections::views::PageRequest;

use super::{
    SandboxSecrets, Server, StartError,
    server::{Core, listen},
    simulator,
    tools::key_of,
};

/// The slug of the sandbox's tenant.
const SLUG: &str = "demo";
/// Its number, as people read it.
const NUMBER: &str = "+351210000000";

/// A user of the sandbox, with what is needed to be it.
#[derive(Clone)]
pub struct Login {
    /// The user's id.
    pub id: UserId,
    /// The name for logging in.
    pub username: String,
    /// The password.
    pub password: String,
    /// The token.
    pub token: String,
}

/// A running sandbox.
pub struct Sandbox {
    /// Its server.
    pub server: Server,
    /// Where its simulator listens.
    pub simulator_url: String,
    /// Its tenant.
    pub tenant: TenantId,
    /// The tenant's short name.
    pub slug: String,
    /// A user of role `admin`.
    pub admin: Login,
    /// A user of role `user`.
    pub agent: Login,
    /// A user of role `app`.
    pub bot: Login,
    /// Its secrets.
    pub secrets: SandboxSecrets,
    /// The last part of the tenant's own webhook address.
    pub channel_secret: String,
    simulator: Simulator,
}

impl Sandbox {
    /// Starts it; a second start on the same data folder finds data and credentials as they were.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        let listener = listen(&config.listen)?;
        let dir = Path::new(&config.data_dir).to_owned();
        std::fs::create_dir_all(&dir).map_err(|e| StartError::File(config.data_dir.clone(), e))?;
        let secrets = SandboxSecrets::load_or_make(&dir, &SystemRandom)?;
        let simulator = simulator::start(SimulatorConfig {
            app_secret: secrets.app_secret.clone(),
            verify_token: secrets.verify_token.clone(),
            number: SimulatedNumber {
                phone_number_id: secrets.phone_number_id.clone(),
                display_phone_number: NUMBER.to_owned(),
                access_token: secrets.access_token.clone(),
                ..SimulatedNumber::default()
            },
            ..SimulatorConfig::default()
        })?;
        let simulator_url = simulator.url().to_owned();
        simulator::note_url(&dir, &simulator_url)?;
        config.graph_url.clone_from(&simulator_url);
        config.d360_url.clone_from(&simulator_url);
        config.onpremises_url.clone_from(&simulator_url);
        config.app_secrets = vec![secrets.app_secret.clone()];
        config.verify_token = Some(secrets.verify_token.clone());
        config.master_key = key_of(&secrets.master_key);
        // Programs try and measure here; an operator's own setting still wins.
        config.requests_per_minute = config.sandbox_requests_per_minute;
        config.service_api.requests_per_minute = config.service_api.sandbox_requests_per_minute;
        config.service_api.analytics_per_minute = config.service_api.sandbox_requests_per_minute;
        config.allow_plain_websockets.get_or_insert(true);
        // Its webhooks go to this machine; an operator's own networks are taken instead.
        if config.allow_nets.is_empty() {
            config.allow_http = true;
            config.allow_nets = "127.0.0.0/8".parse().into_iter().collect();
        }
        let server = Server::start_on(listener, config).await?;
        simulator.set_callback(format!("{}/api/v1/whatsapp/webhooks", server.base_url));
        let (tenant, logins) = set_up(&server.core, &secrets).await?;
        let [admin, agent, bot] = logins;
        let channel_secret = server.core.vault.get(tenant, Kind::ChannelSecret).await.map_err(failed)?;
        let channel_secret = channel_secret.unwrap_or_default();
        simulator.set_channel_callback(format!("{}/hooks/waba/{channel_secret}", server.base_url));
        let slug = SLUG.to_owned();
        Ok(Self { server, simulator_url, tenant, slug, admin, agent, bot, secrets, channel_secret, simulator })
    }

    /// Stops it; the data stay.
    pub async fn stop(self) {
        self.simulator.stop().await;
        self.server.stop().await;
    }
}

/// Creates what is missing, so that a start after a crash in the middle completes it.
async fn set_up(core: &Core, secrets: &SandboxSecrets) -> Result<(TenantId, [Login; 3]), StartError> {
    let tenant = TenantId::of_slug(SLUG);
    if core.directory.by_id(tenant).await.map_err(failed)?.is_none() {
        let new = NewTenant { slug: SLUG.to_owned(), name: "Demo".to_owned(), hosts: Vec::new() };
        match core.application.create_tenant(new).await {
            Ok(_) | Err(ApplicationError::TenantExists) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let number = Number {
        phone_number_id: secrets.phone_number_id.clone(),
        display_phone_number: NUMBER.to_owned(),
        channel: Channel::Cloud,
        waba_id: Some(SimulatedNumber::default().waba_id),
    };
    core.application.connect_account(tenant, number, &secrets.access_token).await.map_err(failed)?;
    let admin = login(core, tenant, Role::Admin, "admin", ["Ana", "Admin"], &secrets.admin_password).await?;
    let agent = login(core, tenant, Role::User, "agent", ["Ines", "Mota"], &secrets.agent_password).await?;
    let bot = login(core, tenant, Role::App, "bot", ["Echo", "Bot"], &secrets.bot_password).await?;
    Ok((tenant, [admin, agent, bot]))
}

async fn login(
    core: &Core,
    tenant: TenantId,
    role: Role,
    username: &str,
    [first_name, last_name]: [&str; 2],
    password: &str,
) -> Result<Login, StartError> {
    let known = core.models.user_by_name(tenant, username).await.map_err(failed)?;
    let (id, token) = match known {
        Some(id) => {
            let token = core.application.log_in(tenant, username, password).await.map_err(failed)?;
            match token {
                Some(token) => (id, token),
                None => (id, repair(core, tenant, id, password).await?),
            }
        }
        None => {
            let group = built_in_group(core, tenant, role)
                .await?
                .ok_or_else(|| StartError::Other(format!("the built-in group {} is missing", role.group_name())))?;
            let new = NewUser {
                username: username.to_owned(),
                first_name: first_name.to_owned(),
                last_name: last_name.to_owned(),
                email: format!("{username}@demo.example"),
                role,
                password: password.to_owned(),
            };
            core.application.create_active_user(tenant, group, new).await.map_err(failed)?
        }
    };
    Ok(Login { id, username: username.to_owned(), password: password.to_owned(), token })
}

/// The token of a user whose password does not fit: it was changed since, or a crash came before the user was active.
async fn repair(core: &Core, tenant: TenantId, id: UserId, password: &str) -> Result<String, StartError> {
    match core.application.activate_user(tenant, id).await {
        Ok(true) => core.vault.set_password(tenant, id, password).await.map_err(failed)?,
        Ok(false) => {}
        // Its access has ended since.
        Err(ApplicationError::UnknownUser(_)) => return Ok(String::new()),
        Err(error) => return Err(failed(error)),
    }
    core.application.token_for(tenant, id).await.map_err(failed)
}

pub(super) async fn built_in_group(core: &Core, tenant: TenantId, role: Role) -> Result<Option<GroupId>, StartError> {
    let page = core.inbox.groups(tenant, PageRequest { limit: 100, offset: 0 }).await.map_err(failed)?;
    Ok(page.rows.into_iter().find(|group| group.built_in == Some(role)).map(|group| group.id))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> StartError {
    StartError::Database(error.into())
}
