//! `user refresh-token`: a secret that opens an inbox for a user without its password, once.

use chrono::{SecondsFormat, TimeDelta};
use clap::Args;

use super::Failure;
use crate::bootstrap::Tools;

/// For whom, and for how long.
#[derive(Args)]
pub struct RefreshTokenArgs {
    /// The user's name.
    username: String,
    /// The tenant's short name; not needed where there is only one.
    #[arg(long)]
    tenant: Option<String>,
    /// How many hours it can be used.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=8_760))]
    hours: u16,
}

/// Makes one and prints it.
pub(super) async fn make(tools: &Tools, args: RefreshTokenArgs) -> Result<(), Failure> {
    let tenant = tools.application.resolve_tenant(None, args.tenant.as_deref()).await?;
    let tenant = tenant.ok_or("no such tenant; name one with --tenant")?;
    let life = TimeDelta::hours(args.hours.into());
    let (token, expires_at) = tools.application.make_refresh_token(tenant, &args.username, life).await?;
    println!("refresh token: {token}\nexpires at:    {}", expires_at.to_rfc3339_opts(SecondsFormat::Secs, true));
    Ok(())
}
