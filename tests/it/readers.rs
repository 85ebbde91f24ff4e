//! S1b: the database itself shows a reader one tenant only, whatever the query says.

use chatledger_domain::Role;
use sqlx::{Connection, Executor, PgConnection};

use crate::harness::{
    inbox::{Inbox, contact, now, text_message},
    postgres::database,
};
use serde_json::json;

const NUMBER: &str = "990000000000001";

#[tokio::test]
async fn s1b_a_question_without_a_tenant_finds_one_tenants_rows_only() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", NUMBER).await;
    inbox.add_user_to("acme", "boss", Role::Admin).await;
    inbox.customer_writes("351912000111", "ours").await;
    let theirs = text_message("351912000222", "wamid.theirs", now(), "theirs");
    let value = json!({"contacts": [contact("351912000222", "Ana")], "messages": [theirs]});
    let call = inbox.call(value).to_string().replace(&inbox.phone_number_id, NUMBER);
    assert_eq!(inbox.deliver(&call).await.status, 200);
    inbox.settle().await;

    let mut reader = PgConnection::connect(&inbox.database_url).await.expect("a connection");
    reader.execute("SET ROLE chatledger_reader").await.expect("our role may read as a reader");
    let see = format!("SET chatledger.tenant = '{}'", inbox.tenant);
    reader.execute(&*see).await.expect("a setting");
    let mut filled = 0;
    for table in chatledger_projections::tables().into_iter().flat_map(|(_, tables)| tables) {
        // The filter that the application would have written is left out.
        let sql = format!("SELECT count(*), count(*) FILTER (WHERE tenant_id <> $1) FROM read_models.{table}");
        let (seen, strange): (i64, i64) = sqlx::query_as(&sql)
            .bind(inbox.tenant)
            .fetch_one(&mut reader)
            .await
            .unwrap_or_else(|e| panic!("{table}: {e}"));
        assert_eq!(strange, 0, "{table} shows another tenant's rows");
        let all: i64 = inbox.count(&format!("SELECT count(DISTINCT tenant_id) FROM read_models.{table}")).await;
        filled += i64::from(seen > 0 && all == 2);
    }
    assert!(filled >= 5, "only {filled} tables held rows of both tenants");
    let found: Vec<String> = sqlx::query_scalar("SELECT read_models.search_persons('%3519120%')::text")
        .fetch_all(&mut reader)
        .await
        .expect("a search");
    assert_eq!(found, ["351912000111"]);
    // It reads, and reads nothing else.
    for forbidden in [
        "DELETE FROM read_models.chats",
        "UPDATE read_models.tags SET name = 'x'",
        "SELECT 1 FROM ledger.events",
        "SELECT 1 FROM vault.tokens",
        "SELECT 1 FROM vault.passwords",
    ] {
        assert!(reader.execute(forbidden).await.is_err(), "{forbidden}");
    }
}

#[tokio::test]
async fn s1b_every_read_model_is_protected_and_the_api_reads_as_a_reader() {
    let inbox = Inbox::start().await;
    inbox.get(&inbox.admin, "chats/").await.expect(200);
    let bare = inbox
        .count(
            "SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'read_models'::regnamespace AND c.relkind = 'r'
                AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))",
        )
        .await;
    assert_eq!(bare, 0, "tables without a policy");
    // With nothing granted to readers, the API can answer nothing: so it asks as a reader.
    sqlx::query("REVOKE SELECT ON ALL TABLES IN SCHEMA read_models FROM chatledger_reader")
        .execute(&inbox.pool)
        .await
        .expect("revoked");
    for path in ["chats/", "messages/", "tags/", "users/current/"] {
        assert_eq!(inbox.get(&inbox.admin, path).await.status, 503, "{path}");
    }
}

#[tokio::test]
async fn s1b_every_start_lets_readers_search_whoever_made_their_role() {
    let pool = database().await.pool;
    let searches =
        "SELECT count(*) FILTER (WHERE has_function_privilege('chatledger_reader', p.oid, 'EXECUTE')), count(*)
        FROM pg_proc p WHERE p.pronamespace = 'read_models'::regnamespace AND p.proname LIKE 'search%'";
    // As where an administrator made the role after the migrations.
    sqlx::query("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA read_models FROM chatledger_reader")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(sqlx::query_as::<_, (i64, i64)>(searches).fetch_one(&pool).await.unwrap().0, 0);
    assert!(sqlx::query_scalar::<_, bool>("SELECT read_models.protect()").fetch_one(&pool).await.unwrap());
    let (granted, all): (i64, i64) = sqlx::query_as(searches).fetch_one(&pool).await.unwrap();
    assert!(granted == all && all >= 3, "{granted} of {all}");
}
