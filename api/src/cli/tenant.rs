//! `tenant`: what the operator sets up.

use std::{path::PathBuf, process::ExitCode};

use chatledger_application::{tenants::NewTenant, users::NewUser};
use chatledger_domain::{
    Role, TenantId,
    tenant::Settings,
    whatsapp_account::{Channel, Number},
};
use clap::{Args, Subcommand, ValueEnum};

use super::{DataArgs, Failure, tenant_life};
use crate::bootstrap::{Config, Tools};

/// Tenants.
#[derive(Args)]
pub struct TenantArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: TenantCommand,
}

#[derive(Subcommand)]
enum TenantCommand {
    /// Create a tenant; prints its webhook secret and verify token.
    Create {
        /// Its short name in hosts and headers.
        #[arg(long)]
        slug: String,
        /// Its name for people.
        #[arg(long)]
        name: String,
        /// A host it is reached under; may be given several times.
        #[arg(long)]
        host: Vec<String>,
    },
    /// List the tenants.
    List,
    /// Show a tenant and its settings.
    Show {
        /// The tenant's short name.
        slug: String,
    },
    /// Change settings of a tenant; what is not named stays. Prints all of them.
    Set {
        /// The tenant's short name.
        slug: String,
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Create a user that can log in at once; prints its token. The password comes from CHATLEDGER_PASSWORD.
    AddUser {
        /// The tenant's short name.
        #[arg(long)]
        tenant: String,
        /// The name for logging in.
        #[arg(long)]
        username: String,
        /// What the user is.
        #[arg(long, value_enum, default_value = "user")]
        role: RoleArg,
        /// First name.
        #[arg(long, default_value = "")]
        first_name: String,
        /// Last name.
        #[arg(long, default_value = "")]
        last_name: String,
        /// Address.
        #[arg(long, default_value = "")]
        email: String,
    },
    /// Connect the tenant's WhatsApp number. The access token comes from CHATLEDGER_ACCESS_TOKEN.
    Connect {
        /// The tenant's short name.
        #[arg(long)]
        tenant: String,
        /// WhatsApp's id of the number.
        #[arg(long)]
        phone_number_id: String,
        /// The number as people read it.
        #[arg(long)]
        phone_number: String,
        /// The WhatsApp business account's id; without it notices about templates and the account cannot be placed.
        #[arg(long)]
        waba_id: Option<String>,
        /// How WhatsApp is reached.
        #[arg(long, value_enum, default_value = "cloud")]
        channel: ChannelArg,
    },
    /// Write a tenant into a file: its ledger as it is stored, and its files. The server may run meanwhile.
    Export {
        /// The tenant's short name.
        slug: String,
        /// The file to be written, such as acme.tar.gz.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// Put passwords, tokens and keys in as well, hashed or sealed as they are; the same master key opens them.
        #[arg(long)]
        with_secrets: bool,
    },
    /// Bring a tenant in from a file: positions, hashes and ids as they were. The ledger is proved on the way; what is not
    /// whole is not brought in at all.
    Import {
        /// The file that was exported.
        file: PathBuf,
    },
    /// Delete a tenant: its ledger, its lists, its secrets and its files. Cannot be undone; export it first.
    Delete {
        /// The tenant's short name.
        slug: String,
        /// The short name again, so that nothing is deleted by a slip.
        #[arg(long, value_name = "SLUG")]
        confirm: String,
    },
}

/// Settings to be changed.
#[derive(Args)]
struct SettingsArgs {
    /// 72 hours instead of 24 for chats that an ad's referral opened.
    #[arg(long, value_enum)]
    free_entry_window: Option<Switch>,
    /// Let a provider's key open the inbox.
    #[arg(long, value_enum)]
    provider_authentication: Option<Switch>,
    /// Show customers that their messages were read.
    #[arg(long, value_enum)]
    read_receipts: Option<Switch>,
    /// Accept tokens of programs; the tenant's admins can switch this as well.
    #[arg(long, value_enum)]
    api_access: Option<Switch>,
    /// Tell webhooks `tagged_messages` and `tagged_chats` as well.
    #[arg(long, value_enum)]
    legacy_tagging_payloads: Option<Switch>,
    /// Customers who write one of these words alone get no more templates; separated by commas, '' for none.
    #[arg(long, value_delimiter = ',', value_name = "WORDS")]
    opt_out_keywords: Option<Vec<String>>,
    /// Customers who write one of these words alone get templates again; separated by commas, '' for none.
    #[arg(long, value_delimiter = ',', value_name = "WORDS")]
    opt_in_keywords: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// A role, as it is written.
#[derive(Clone, Copy, ValueEnum)]
pub enum RoleArg {
    /// No restrictions.
    Admin,
    /// A person.
    User,
    /// A program.
    App,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Admin => Self::Admin,
            RoleArg::User => Self::User,
            RoleArg::App => Self::App,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum ChannelArg {
    Cloud,
    D360,
    Onpremises,
}

impl SettingsArgs {
    fn apply(&self, settings: &mut Settings) {
        let set = |setting: &mut bool, given: Option<Switch>| {
            *setting = given.map_or(*setting, |given| given == Switch::On);
        };
        set(&mut settings.free_entry_window, self.free_entry_window);
        set(&mut settings.provider_authentication, self.provider_authentication);
        set(&mut settings.read_receipts, self.read_receipts);
        set(&mut settings.api_access, self.api_access);
        set(&mut settings.legacy_tagging_payloads, self.legacy_tagging_payloads);
        let words = |setting: &mut Vec<String>, given: &Option<Vec<String>>| {
            let given = given.iter().flatten().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
            *setting = given.collect();
        };
        if self.opt_out_keywords.is_some() {
            words(&mut settings.opt_out_keywords, &self.opt_out_keywords);
        }
        if self.opt_in_keywords.is_some() {
            words(&mut settings.opt_in_keywords, &self.opt_in_keywords);
        }
    }
}

fn print(settings: &Settings) {
    let shown = |setting: bool| if setting { "on" } else { "off" };
    println!("free entry window:       {}", shown(settings.free_entry_window));
    println!("provider authentication: {}", shown(settings.provider_authentication));
    println!("read receipts:           {}", shown(settings.read_receipts));
    println!("api access:              {}", shown(settings.api_access));
    println!("legacy tagging payloads: {}", shown(settings.legacy_tagging_payloads));
    println!("opt-out keywords:        {}", settings.opt_out_keywords.join(", "));
    println!("opt-in keywords:         {}", settings.opt_in_keywords.join(", "));
}

/// Runs `tenant …`.
pub async fn run(mut config: Config, args: TenantArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    match &args.command {
        TenantCommand::Export { slug, output, with_secrets } => {
            return tenant_life::export(config, slug, output, *with_secrets).await;
        }
        TenantCommand::Import { file } => return tenant_life::import(config, file).await,
        TenantCommand::Delete { slug, confirm } => return tenant_life::delete(config, slug, confirm).await,
        _ => {}
    }
    let tools = Tools::open_with_key(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result
}

async fn act(tools: &Tools, command: TenantCommand) -> Result<ExitCode, Failure> {
    match command {
        TenantCommand::Create { slug, name, host } => {
            let created = tools.application.create_tenant(NewTenant { slug, name, hosts: host }).await?;
            println!("tenant id:           {}", created.id);
            println!("verify token:        {}", created.verify_token);
            println!("own webhook address: <public url>/hooks/waba/{}", created.channel_secret);
        }
        TenantCommand::List => {
            println!("{:<36}  {:<20}  {:<24}  number", "id", "slug", "name");
            for entry in tools.tenants().await? {
                let number = entry.number.map_or_else(|| "–".to_owned(), |number| number.display_phone_number);
                println!("{}  {:<20}  {:<24}  {number}", entry.id, entry.slug, entry.name);
            }
        }
        TenantCommand::Show { slug } => {
            let id = TenantId::of_slug(&slug);
            let settings = tools.application.tenant_settings(id).await?;
            let entry = tools.tenants().await?.into_iter().find(|entry| entry.id == id).ok_or("no such tenant")?;
            println!("tenant id:               {id}\nslug:                    {}", entry.slug);
            println!("name:                    {}\nhosts:                   {}", entry.name, entry.hosts.join(", "));
            let number = entry.number.map_or_else(|| "–".to_owned(), |number| number.display_phone_number);
            println!("number:                  {number}");
            print(&settings);
        }
        TenantCommand::Set { slug, settings } => {
            let changed = tools.application.set_tenant(TenantId::of_slug(&slug), |now| settings.apply(now)).await?;
            print(&changed);
        }
        TenantCommand::AddUser { tenant, username, role, first_name, last_name, email } => {
            let id = TenantId::of_slug(&tenant);
            let role = role.into();
            let password = std::env::var("CHATLEDGER_PASSWORD").map_err(|_| "CHATLEDGER_PASSWORD is not set")?;
            let group = tools.built_in_group(id, role).await?.ok_or("no such tenant")?;
            let new = NewUser { username, first_name, last_name, email, role, password };
            let (user, token) = tools.application.create_active_user(id, group, new).await?;
            println!("user id: {user}\ntoken:   {token}");
        }
        TenantCommand::Connect { tenant, phone_number_id, phone_number, waba_id, channel } => {
            let token = std::env::var("CHATLEDGER_ACCESS_TOKEN").map_err(|_| "CHATLEDGER_ACCESS_TOKEN is not set")?;
            let channel = match channel {
                ChannelArg::Cloud => Channel::Cloud,
                ChannelArg::D360 => Channel::D360,
                ChannelArg::Onpremises => Channel::Onpremises,
            };
            let number = Number { phone_number_id, display_phone_number: phone_number, channel, waba_id };
            tools.application.connect_account(TenantId::of_slug(&tenant), number, &token).await?;
            println!("connected");
        }
        // Of whole tenants: they open the database in another way, before this.
        TenantCommand::Export { .. } | TenantCommand::Import { .. } | TenantCommand::Delete { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}
