//! Roles that may read the views: made, limited, listed and removed by command, and unable to see or do anything else.

use sqlx::{Connection, Executor, PgConnection};
use url::Url;

use super::{
    chatledger, chatledger_with, drop_role, reader, role_name, rows, said, scenario::filled, succeeded, view_names,
};
use crate::harness::postgres::database;

#[tokio::test]
async fn a_reader_sees_its_tenants_in_every_view_and_nothing_else() {
    let (database, _) = filled().await;
    let role = role_name();
    let mut reader = reader(&database.url, &role, &["--tenant", "acme"]).await;
    for view in view_names(&database.pool).await {
        let tenants = format!("SELECT DISTINCT tenant FROM analytics.{view} ORDER BY 1");
        assert_eq!(rows(&database.pool, &tenants).await, [["acme"], ["rival"]], "{view}, for us");
        assert_eq!(rows(&mut reader, &tenants).await, [["acme"]], "{view}");
    }
    for forbidden in [
        "SELECT 1 FROM analytics.readers",
        "SELECT 1 FROM read_models.messages",
        "SELECT 1 FROM ledger.events",
        "SELECT 1 FROM public.events",
        "SELECT 1 FROM vault.tokens",
        "SELECT analytics.admit(current_user::text)",
        "SELECT read_models.protect()",
        "SET ROLE chatledger_reader",
        "SET SESSION AUTHORIZATION chatledger",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ] {
        assert!(reader.execute(forbidden).await.is_err(), "{forbidden}");
    }
    // Also where it takes off what keeps it from writing by mistake.
    reader.execute("SET default_transaction_read_only = off").await.expect("it is a default");
    for forbidden in [
        "INSERT INTO analytics.readers VALUES ('00000000-0000-0000-0000-000000000000', current_user)",
        "UPDATE analytics.tags SET tag = 'x'",
        "DELETE FROM analytics.tenants",
        "CREATE VIEW analytics.mine AS SELECT 1 AS n",
        "CREATE TABLE read_models.mine (n int)",
        "CREATE ROLE another",
    ] {
        assert!(reader.execute(forbidden).await.is_err(), "{forbidden}");
    }
    drop(reader);
    drop_role(&database.url, &role).await;
}

#[tokio::test]
async fn a_function_in_a_query_never_sees_another_tenants_row() {
    let (database, _) = filled().await;
    let role = role_name();
    let mut reader = reader(&database.url, &role, &["--tenant", "acme"]).await;
    reader.execute("SET default_transaction_read_only = off").await.expect("it is a default");
    // So cheap that the planner would ask it before anything else, where nothing kept it from doing so.
    reader
        .execute(
            "CREATE TEMP TABLE seen (tenant text);
             CREATE FUNCTION pg_temp.spy(slug text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
             $$BEGIN INSERT INTO seen VALUES (slug); RETURN true; END$$",
        )
        .await
        .expect("a function of its own");
    for view in view_names(&database.pool).await {
        reader
            .execute(&*format!("SELECT count(*) FROM analytics.{view} WHERE pg_temp.spy(tenant)"))
            .await
            .expect("rows");
    }
    assert_eq!(rows(&mut reader, "SELECT DISTINCT tenant FROM seen").await, [["acme"]]);
    drop(reader);
    drop_role(&database.url, &role).await;
}

#[tokio::test]
async fn grants_add_up_and_are_taken_back_one_by_one_or_all() {
    let (database, _) = filled().await;
    let (url, role) = (&*database.url, role_name());
    let mut reader = reader(url, &role, &["--tenant", "acme"]).await;
    let tenants = "SELECT tenant FROM analytics.tenants ORDER BY 1";
    let again = succeeded(&chatledger(url, &["analytics", "grant", &role, "--tenant", "acme", "--tenant", "rival"]));
    assert!(!again.contains("password"), "{again}");
    assert_eq!(rows(&mut reader, tenants).await, [["acme"], ["rival"]]);
    let list = succeeded(&chatledger(url, &["analytics", "list"]));
    assert_eq!(list.lines().filter(|line| line.starts_with(&role)).count(), 2, "{list}");
    succeeded(&chatledger(url, &["analytics", "revoke", &role, "--tenant", "acme"]));
    assert_eq!(rows(&mut reader, tenants).await, [["rival"]]);

    // Everything, also an inbox of tomorrow.
    succeeded(&chatledger(url, &["analytics", "grant", &role, "--all"]));
    succeeded(&chatledger(url, &["tenant", "create", "--slug", "tomorrow", "--name", "Tomorrow"]));
    assert_eq!(rows(&mut reader, tenants).await, [["acme"], ["rival"], ["tomorrow"]]);
    let line = succeeded(&chatledger(url, &["analytics", "list", "--json"]));
    assert!(line.contains(r#""tenant":null"#) && line.contains(r#""tenant":"rival""#), "{line}");

    succeeded(&chatledger(url, &["analytics", "revoke", &role]));
    assert!(reader.execute(tenants).await.is_err(), "it may not even look");
    let unknown = chatledger(url, &["analytics", "revoke", &role]);
    assert!(!unknown.status.success() && said(&unknown).contains("reads the views; there are: "), "{}", said(&unknown));
    succeeded(&chatledger(url, &["analytics", "grant", &role, "--tenant", "acme"]));
    drop(reader);
    drop_role(url, &role).await;
    let gone = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'");
    assert_eq!(rows(&database.pool, &gone).await, [["0"]]);
}

#[tokio::test]
async fn a_password_comes_from_the_environment_and_limits_hold() {
    let (database, _) = filled().await;
    let (url, role) = (&*database.url, role_name());
    let grant = |value: &'static str| {
        let arguments =
            ["analytics", "grant", &role, "--all", "--password-env", "ITS_PASSWORD", "--statement-timeout", "1"];
        chatledger_with(url, &arguments, &[("ITS_PASSWORD", value)])
    };
    for (password, complaint) in [("short", "12 to 128"), ("çorrect horse battery", "ASCII")] {
        let refused = grant(password);
        assert!(!refused.status.success() && said(&refused).contains(complaint), "{}", said(&refused));
    }
    for password in ["correct horse battery", "another'one; with $$ \" \\"] {
        let output = succeeded(&grant(password));
        assert!(!output.contains(password) && !output.contains("shown once"), "{output}");
        let address = succeeded(&chatledger(url, &["analytics", "url", &role]));
        let mut address: Url = address.trim().parse().expect("a URL");
        assert!(address.password().is_none() && address.username() == role, "{address}");
        address.set_password(Some(password)).expect("set");
        let mut reader = PgConnection::connect(address.as_str()).await.expect("it may log in");
        assert_eq!(rows(&mut reader, "SHOW search_path").await, [["analytics"]]);
        let error = reader.execute("SELECT pg_sleep(5)").await.expect_err("too long");
        assert!(error.to_string().contains("statement timeout"), "{error}");
        assert!(reader.execute("CREATE TEMP TABLE t (n int)").await.is_err(), "it reads");
    }
    let missing = chatledger(url, &["analytics", "grant", &role, "--all", "--password-env", "NOT_THERE"]);
    assert!(!missing.status.success() && said(&missing).contains("NOT_THERE"), "{}", said(&missing));
    drop_role(url, &role).await;
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_in_words() {
    let database = database().await;
    let refused = |arguments: &[&str], words: &str| {
        let output = chatledger(&database.url, &[&["analytics"], arguments].concat());
        assert!(!output.status.success() && said(&output).contains(words), "{arguments:?}: {}", said(&output));
    };
    for name in ["Analyst", "a-b", "pg_read_all_data", "chatledger_reader", "chatledger", "x\"; DROP"] {
        refused(&["grant", name, "--all"], "cannot be called");
    }
    refused(&["grant", "analyst", "--tenant", "nobody"], "no tenant is called nobody");
    refused(&["grant", "analyst"], "--tenant");
    refused(&["grant", "analyst", "--all", "--statement-timeout", "0"], "statement-timeout");
    let mighty = role_name();
    database.pool.execute(&*format!("CREATE ROLE {mighty} CREATEDB")).await.expect("a role");
    refused(&["grant", &mighty, "--all"], "may do more than read (create databases)");
    database.pool.execute(&*format!("DROP ROLE {mighty}")).await.expect("dropped");
}

#[tokio::test]
async fn where_our_own_role_may_not_create_roles_the_command_says_what_to_do() {
    let database = database().await;
    // An owner of everything here that has no rights on the server itself.
    let own = role_name().replace("analyst", "owner");
    let make = format!("CREATE ROLE {own} LOGIN PASSWORD 'a password of ours'; GRANT chatledger TO {own}");
    database.pool.execute(&*make).await.expect("a role");
    let mut url: Url = database.url.parse().expect("a URL");
    url.set_username(&own).expect("set");
    url.set_password(Some("a password of ours")).expect("set");
    let role = role_name();
    let refused = chatledger(url.as_str(), &["analytics", "grant", &role, "--all"]);
    let text = said(&refused);
    assert!(!refused.status.success() && text.contains(&format!("CREATE ROLE {role} LOGIN")), "{text}");

    // An administrator has done so: then the rest is ours to give.
    database.pool.execute(&*format!("CREATE ROLE {role} LOGIN PASSWORD 'theirs alone'")).await.expect("a role");
    let granted = chatledger(url.as_str(), &["analytics", "grant", &role, "--all"]);
    assert!(said(&granted).contains("its statements are not limited"), "{}", said(&granted));
    let may = format!("SELECT has_table_privilege('{role}', 'analytics.messages', 'SELECT')");
    assert_eq!(rows(&database.pool, &may).await, [["t"]]);
    drop_role(&database.url, &role).await;
    database.pool.execute(&*format!("DROP OWNED BY {own}; DROP ROLE {own}")).await.expect("dropped");
}
