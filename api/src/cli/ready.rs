//! What a sandbox says when it is ready: for people, and as one line for programs.

use serde_json::{Value, json};

use crate::bootstrap::{Login, Sandbox};

/// The one line for programs.
pub fn json(sandbox: &Sandbox) -> Value {
    let login = |login: &Login| json!({"id": login.id.0, "username": login.username, "password": login.password, "token": login.token});
    json!({
        "base_url": sandbox.server.base_url,
        "docs_url": sandbox.server.docs_url(),
        "database_url": sandbox.server.database_url,
        "simulator_url": sandbox.simulator_url,
        "tenant": {"id": sandbox.tenant.0.to_string(), "slug": sandbox.slug},
        "admin": login(&sandbox.admin),
        "agent": login(&sandbox.agent),
        "bot": login(&sandbox.bot),
        "whatsapp": {
            "phone_number_id": sandbox.secrets.phone_number_id,
            "app_secret": sandbox.secrets.app_secret,
            "verify_token": sandbox.secrets.verify_token,
            "channel_secret": sandbox.channel_secret,
        },
    })
}

/// The same for people, with four ways to go on.
pub fn print(sandbox: &Sandbox) {
    let base = &sandbox.server.base_url;
    println!("\nThe sandbox is ready.\n");
    for (what, value) in [
        ("API", format!("{base}/api/v1/")),
        ("Documentation", sandbox.server.docs_url()),
        ("Simulator", sandbox.simulator_url.clone()),
        ("Database", sandbox.server.database_url.clone()),
        ("Data folder", sandbox.server.data_dir.clone()),
        ("Tenant", format!("{}, as a shop {}", sandbox.slug, sandbox.tenant)),
    ] {
        println!("  {what:<14} {value}");
    }
    println!("\n  {:<8} {:<10} {:<26} token", "role", "username", "password");
    for (role, login) in [("admin", &sandbox.admin), ("user", &sandbox.agent), ("app", &sandbox.bot)] {
        println!("  {role:<8} {:<10} {:<26} {}", login.username, login.password, login.token);
    }
    println!("\nGo on with:\n");
    println!("  # the chats, as the admin sees them");
    println!("  curl -s -H 'Authorization: Token {}' {base}/api/v1/chats/", sandbox.admin.token);
    println!("  # a customer writes");
    println!(
        "  curl -s -X POST {}/simulator/inbound -H 'Content-Type: application/json' \
         -d '{{\"type\":\"text\",\"from\":\"351912000222\",\"name\":\"Eva\",\"text\":\"Hello!\"}}'",
        sandbox.simulator_url
    );
    println!("  # the admin answers");
    println!(
        "  curl -s -X POST {base}/api/v1/messages/ -H 'Authorization: Token {}' -H 'Content-Type: application/json' \
         -d '{{\"wa_id\":\"351912000222\",\"type\":\"text\",\"text\":{{\"body\":\"How can we help?\"}}}}'",
        sandbox.admin.token
    );
    println!("  # a token for the Service API; then: curl -H 'Authorization: Bearer TOKEN' '{base}/api/v1/whatsapp/…'");
    println!(
        "  curl -s -X POST {base}/api/v1/whatsapp/auth/token -H 'Content-Type: application/json' \
         -d '{{\"username\":\"{}\",\"password\":\"{}\",\"shopId\":\"{}\"}}'",
        sandbox.admin.username, sandbox.admin.password, sandbox.tenant
    );
    println!("\nStop with Ctrl-C; the data stay.");
}
