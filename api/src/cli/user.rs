//! `user`: what an operator can do about users without being one of them.

use std::process::ExitCode;

use chatledger_application::users::{Invitation, InvitedUser};
use chatledger_domain::{TenantId, UserId};
use clap::{Args, Subcommand};

use super::{DataArgs, Failure, refresh_token, tenant::RoleArg};
use crate::bootstrap::{Config, Tools};

/// Users.
#[derive(Args)]
pub struct UserArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: UserCommand,
}

/// Who is meant.
#[derive(Args)]
struct Named {
    /// The tenant's short name.
    #[arg(long)]
    tenant: String,
    /// The user's name for logging in, in any case.
    #[arg(long)]
    username: String,
}

#[derive(Subcommand)]
enum UserCommand {
    /// List the users whose access has not ended.
    List {
        /// The tenant's short name.
        #[arg(long)]
        tenant: String,
    },
    /// Create a user that becomes active by following a link; prints the link's path.
    Create {
        #[command(flatten)]
        named: Named,
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
    /// Make another link for a user that is not active yet; the one before counts no more.
    ActivationLink(Named),
    /// Set a user's password; it comes from CHATLEDGER_PASSWORD.
    SetPassword(Named),
    /// Make a refresh token, which can be exchanged once for the user's token; prints it.
    RefreshToken(refresh_token::RefreshTokenArgs),
    /// End a user's access, and take its chats from it.
    Deactivate(Named),
}

/// Runs `user …`.
pub async fn run(mut config: Config, args: UserArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let tools = Tools::open_with_key(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result
}

async fn act(tools: &Tools, command: UserCommand) -> Result<ExitCode, Failure> {
    match command {
        UserCommand::List { tenant } => list(tools, TenantId::of_slug(&tenant)).await?,
        UserCommand::Create { named: Named { tenant, username }, role, first_name, last_name, email } => {
            let valid = !username.is_empty() && username.bytes().all(|b| b.is_ascii_alphanumeric());
            if !valid || username.len() > 150 {
                return Err("a username has 1 to 150 letters and digits of ASCII".into());
            }
            let tenant = TenantId::of_slug(&tenant);
            let role = role.into();
            tools.built_in_group(tenant, role).await?.ok_or("no such tenant")?;
            let new = InvitedUser { username, first_name, last_name, email, role };
            tell(&tools.application.add_user(tenant, new).await?);
        }
        UserCommand::ActivationLink(named) => {
            let (tenant, user) = find(tools, &named).await?;
            tell(&tools.application.renew_activation(tenant, user).await?);
        }
        UserCommand::SetPassword(named) => {
            let password = std::env::var("CHATLEDGER_PASSWORD").map_err(|_| "CHATLEDGER_PASSWORD is not set")?;
            let (tenant, user) = find(tools, &named).await?;
            tools.application.reset_password(tenant, user, &password).await?;
            println!("set; the user's sessions have ended");
        }
        UserCommand::RefreshToken(args) => refresh_token::make(tools, args).await?,
        UserCommand::Deactivate(named) => {
            let (tenant, user) = find(tools, &named).await?;
            tools.application.expel_user(tenant, user).await?;
            println!("deactivated");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(tools: &Tools, tenant: TenantId) -> Result<(), Failure> {
    println!("{:<8}  {:<24}  {:<6}  {:<8}  {:<32}  groups", "id", "username", "role", "state", "email");
    for user in tools.users(tenant).await? {
        let state = if user.is_active { "active" } else { "invited" };
        let groups: Vec<&str> = user.groups.iter().map(|group| group.name.as_str()).collect();
        let role = user.role.as_str();
        println!(
            "{:<8}  {:<24}  {role:<6}  {state:<8}  {:<32}  {}",
            user.id.0,
            user.username,
            user.email,
            groups.join(", ")
        );
    }
    Ok(())
}

async fn find(tools: &Tools, named: &Named) -> Result<(TenantId, UserId), Failure> {
    let tenant = TenantId::of_slug(&named.tenant);
    let user = tools.user_named(tenant, &named.username).await?.ok_or("no such user")?;
    Ok((tenant, user))
}

fn tell(Invitation { user, code }: &Invitation) {
    println!("user id:         {user}");
    println!("activation link: <public url>/api/v1/users/activate/{code}/");
}
