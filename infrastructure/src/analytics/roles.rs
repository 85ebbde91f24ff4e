//! Roles of the database that may read the views, and nothing else.

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, PgPool, Row};
use url::Url;
use uuid::Uuid;

use super::AnalyticsError;

/// What stands in `analytics.readers` for every tenant.
const EVERY_TENANT: Uuid = Uuid::nil();

/// A password on its way into the database. Not printed by anything.
pub struct Password(String);

impl Password {
    /// Takes over a password. Postgres prepares others than ASCII in ways that not every client follows.
    ///
    /// # Errors
    /// When it is too short, too long, or not printable ASCII.
    pub fn new(text: String) -> Result<Self, AnalyticsError> {
        let fits = (12..=128).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if fits { Ok(Self(text)) } else { Err(AnalyticsError::Password) }
    }

    /// What Postgres keeps of it: the password itself never reaches the server's statements and logs.
    fn verifier(&self) -> String {
        postgres_protocol::password::scram_sha_256(self.0.as_bytes())
    }
}

/// What a reader is given.
pub struct Reading<'a> {
    /// The role's name.
    pub role: &'a str,
    /// The tenants it may see; `None` for every one, those of tomorrow too.
    pub tenants: Option<&'a [Uuid]>,
    /// For a new role, or to be set anew.
    pub password: Option<&'a Password>,
    /// How long one of its statements may take, in seconds.
    pub statement_seconds: u32,
}

/// What came of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Whether the role was made.
    pub created: bool,
    /// Whether its limits (time of a statement, read only) could be set.
    pub limited: bool,
}

/// A role and what it sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its name.
    pub role: String,
    /// The short name of a tenant; `None` for every tenant.
    pub tenant: Option<String>,
    /// Since when.
    pub granted_at: DateTime<Utc>,
    /// Whether the server still has the role.
    pub exists: bool,
}

/// Whether the server has a role of this name.
///
/// # Errors
/// When the database fails.
pub async fn role_exists(pool: &PgPool, role: &str) -> Result<bool, AnalyticsError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    Ok(sqlx::query_scalar(sql).bind(role).fetch_one(pool).await?)
}

/// Makes the role where it is missing, and lets it read the views of some tenants. A repeat changes nothing.
///
/// # Errors
/// When the name cannot be used, our own role has not the rights, or the database fails.
pub async fn grant(pool: &PgPool, reading: &Reading<'_>) -> Result<Granted, AnalyticsError> {
    let role = reading.role;
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let own: String = sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut *tx).await?;
    check_name(role, &own)?;
    let rights = rights_of(&mut tx, role).await?;
    let may_create: bool =
        sqlx::query_scalar("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
            .fetch_one(&mut *tx)
            .await?;
    match &rights {
        Some(rights) if !rights.is_empty() => {
            return Err(AnalyticsError::TooMighty { role: role.to_owned(), rights: rights.clone() });
        }
        Some(_) => {
            if let Some(password) = reading.password {
                let sql = format!("ALTER ROLE {role} PASSWORD '{}'", password.verifier());
                attempt(&mut tx, &sql)
                    .await?
                    .then_some(())
                    .ok_or_else(|| AnalyticsError::MayNotChange { own: own.clone(), role: role.to_owned() })?;
            }
        }
        None if !may_create => return Err(AnalyticsError::MayNotCreate { own, role: role.to_owned() }),
        None => {
            let password = reading.password.ok_or(AnalyticsError::Password)?;
            let sql =
                format!("CREATE ROLE {role} LOGIN NOINHERIT CONNECTION LIMIT 8 PASSWORD '{}'", password.verifier());
            sqlx::raw_sql(&sql).execute(&mut *tx).await?;
        }
    }
    let limited = limit(&mut tx, role, reading.statement_seconds).await?;
    sqlx::query("SELECT analytics.admit($1)").bind(role).execute(&mut *tx).await?;
    let tenants = reading.tenants.map_or_else(|| vec![EVERY_TENANT], <[Uuid]>::to_vec);
    sqlx::query(
        "INSERT INTO analytics.readers (tenant_id, role) SELECT t, $2 FROM unnest($1::uuid[]) t ON CONFLICT DO NOTHING",
    )
    .bind(tenants)
    .bind(role)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Granted { created: rights.is_none(), limited })
}

/// Takes tenants away from a role, or all of them with every right to the views, and the role itself where `drop` says
/// so. Whether it still sees anything.
///
/// # Errors
/// When the role reads nothing, still owns something, or the database fails.
pub async fn revoke(pool: &PgPool, role: &str, tenants: Option<&[Uuid]>, drop: bool) -> Result<bool, AnalyticsError> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let known: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT role::text FROM analytics.readers ORDER BY 1").fetch_all(&mut *tx).await?;
    if !known.iter().any(|name| name == role) {
        return Err(AnalyticsError::UnknownReader { role: role.to_owned(), known });
    }
    sqlx::query("DELETE FROM analytics.readers WHERE ($1::uuid[] IS NULL OR tenant_id = ANY ($1)) AND role = $2")
        .bind(tenants)
        .bind(role)
        .execute(&mut *tx)
        .await?;
    let (reads, exists): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM analytics.readers WHERE role = $1),
                EXISTS (SELECT FROM pg_roles WHERE rolname = $1)",
    )
    .bind(role)
    .fetch_one(&mut *tx)
    .await?;
    if !reads && exists {
        let database: String = sqlx::query_scalar("SELECT quote_ident(current_database())").fetch_one(&mut *tx).await?;
        let mut sql = format!(
            "REVOKE ALL ON ALL TABLES IN SCHEMA analytics FROM {role}; REVOKE ALL ON SCHEMA analytics FROM {role};
             REVOKE CONNECT ON DATABASE {database} FROM {role};"
        );
        if drop {
            sql.push_str(&format!("DROP ROLE {role};"));
        }
        sqlx::raw_sql(&sql).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(reads)
}

/// All roles that read the views, with the tenants that each sees.
///
/// # Errors
/// When the database fails.
pub async fn readers(pool: &PgPool) -> Result<Vec<Reader>, AnalyticsError> {
    let rows = sqlx::query(
        "SELECT r.role, coalesce(t.slug, nullif(r.tenant_id, $1)::text) AS tenant, r.granted_at,
                EXISTS (SELECT FROM pg_roles p WHERE p.rolname = r.role) AS exists
           FROM analytics.readers r LEFT JOIN read_models.tenants t USING (tenant_id) ORDER BY r.role, 2 NULLS FIRST",
    )
    .bind(EVERY_TENANT)
    .fetch_all(pool)
    .await?;
    let reader = |row: &sqlx::postgres::PgRow| {
        Ok(Reader {
            role: row.try_get("role")?,
            tenant: row.try_get("tenant")?,
            granted_at: row.try_get("granted_at")?,
            exists: row.try_get("exists")?,
        })
    };
    rows.iter().map(reader).collect()
}

/// Lets everybody who reads the views read those too that a migration has just made.
///
/// # Errors
/// When the database fails.
pub async fn readmit(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT analytics.admit(r.role) FROM (SELECT DISTINCT role FROM analytics.readers) r
           JOIN pg_roles p ON p.rolname = r.role",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Where a role connects: our own address with its name, without a password.
#[must_use]
pub fn address(url: &str, role: &str) -> Option<String> {
    let mut url: Url = url.parse().ok()?;
    url.set_password(None).ok()?;
    url.set_username(role).ok()?;
    Some(url.into())
}

/// The name goes into statements as it is, so it must need no quotes.
fn check_name(role: &str, own: &str) -> Result<(), AnalyticsError> {
    let plain = role.len() <= 63
        && role.starts_with(|first: char| first.is_ascii_lowercase())
        && role.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let reserved = ["public", "none", "postgres", "user", "session_user", "current_user", "current_role", "all"];
    if !plain || role.starts_with("pg_") || role.starts_with("chatledger_") || reserved.contains(&role) || role == own {
        return Err(AnalyticsError::Name(role.to_owned()));
    }
    Ok(())
}

/// What a role may do beyond reading, in words; empty for nothing, `None` where there is no such role.
async fn rights_of(db: &mut PgConnection, role: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT concat_ws(', ', CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreaterole THEN 'create roles' END,
                    CASE WHEN rolcreatedb THEN 'create databases' END, CASE WHEN rolreplication THEN 'replicate' END,
                    CASE WHEN rolbypassrls THEN 'bypass policies' END,
                    (SELECT 'member of ' || string_agg(g.rolname, ', ') FROM pg_auth_members m
                       JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid))
           FROM pg_roles r WHERE rolname = $1",
    )
    .bind(role)
    .fetch_optional(db)
    .await
}

/// Sensible limits, in this database only. A long look at the views holds up whoever rebuilds a read model.
async fn limit(tx: &mut PgConnection, role: &str, seconds: u32) -> Result<bool, sqlx::Error> {
    let database: String = sqlx::query_scalar("SELECT quote_ident(current_database())").fetch_one(&mut *tx).await?;
    let set = |setting: &str| format!("ALTER ROLE {role} IN DATABASE {database} SET {setting};");
    let mut sql: String = [
        &*format!("statement_timeout = '{seconds}s'"),
        "idle_in_transaction_session_timeout = '60s'",
        "default_transaction_read_only = on",
        "search_path = analytics",
    ]
    .map(set)
    .concat();
    sql.push_str(&format!("GRANT CONNECT ON DATABASE {database} TO {role};"));
    attempt(tx, &sql).await
}

/// Does it where our own role may; whether it did.
async fn attempt(tx: &mut PgConnection, sql: &str) -> Result<bool, sqlx::Error> {
    let mut part = tx.begin().await?;
    match sqlx::raw_sql(sql).execute(&mut *part).await {
        Ok(_) => {
            part.commit().await?;
            Ok(true)
        }
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => {
            part.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_no_quotes_and_is_nobody_elses() {
        for fine in ["analyst", "a1", "bi_tool"] {
            assert!(check_name(fine, "owner").is_ok(), "{fine}");
        }
        for bad in ["", "1a", "Analyst", "a b", "a;", "a\"", "pg_x", "chatledger_reader", "public", "owner"] {
            assert!(check_name(bad, "owner").is_err(), "{bad}");
        }
        assert!(check_name(&"a".repeat(64), "owner").is_err());
    }

    #[test]
    fn an_address_names_the_role_and_no_password() {
        let address = address("postgres://us:secret@db.example:6000/inbox?sslmode=require", "analyst");
        assert_eq!(address.as_deref(), Some("postgres://analyst@db.example:6000/inbox?sslmode=require"));
    }

    #[test]
    fn a_password_leaves_as_what_postgres_keeps() {
        let password = Password::new("correct horse".into());
        assert!(password.is_ok_and(|of| of.verifier().starts_with("SCRAM-SHA-256$4096:")));
        for bad in ["short", "with\nline breaks", "çorrect horse battery"] {
            assert!(Password::new(bad.into()).is_err(), "{bad}");
        }
    }
}
