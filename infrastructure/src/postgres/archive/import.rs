//! Brings a tenant in from a file: all of it in one transaction, so that a killed import leaves nothing in the database.
//! What it has written to the media store until then is harmless, and overwritten by the next attempt.

use std::{collections::BTreeSet, path::Path};

use chatledger_application::ports::media::{BlobWriter, MediaStore};
use chatledger_domain::{
    AnyEvent, BlobId, Position, TenantId,
    tenant::TenantEvent,
    whatsapp_account::{WhatsAppAccountEvent, number_claim},
};
use sqlx::{Connection, PgConnection, PgPool};

use super::{
    ArchiveError, Archived, Counts, FORMAT, Header, Manifest, Progress, Step, damaged,
    export::{unhurried, vault},
    file::{MANIFEST, Part, Reader},
    rows::{Line, hash_of, insert},
};
use crate::postgres::{
    erasures::{Erasures, UNCOVERED},
    hash::{GENESIS, Hash},
};

/// Events that are stored at once.
const PAGE: usize = 2_000;

/// Brings a tenant in; its ledger is proved event by event on the way. Its read models are folded by the engine of
/// whichever server runs, from the moment this returns.
///
/// # Errors
/// [`ArchiveError`]; nothing of it is there then.
pub async fn import(
    pool: &PgPool,
    media: &dyn MediaStore,
    path: &Path,
    progress: impl FnMut(Progress) + Send,
) -> Result<Archived, ArchiveError> {
    let mut reader = Reader::open(path)?;
    let header = first(&mut reader).await?;
    let mut connection = pool.acquire().await?.detach();
    let mut tx = connection.begin().await?;
    unhurried(&mut tx).await?;
    let mut import = Import {
        tenant: header.tenant,
        head: (0, GENESIS),
        counts: Counts::default(),
        place: Place::default(),
        erasures: Erasures::default(),
        file: None,
        kept: Vec::new(),
        total: header.head_position,
        progress,
    };
    let done = import.all(&mut tx, media, &mut reader, &header).await;
    match done {
        Ok(()) => tx.commit().await?,
        Err(error) => {
            tx.rollback().await?;
            for blob in import.kept {
                let _ = media.delete(import.tenant, blob).await;
            }
            return Err(error);
        }
    }
    connection.close().await?;
    Ok(Archived {
        tenant: header.tenant,
        slug: header.slug,
        head_hash: hex::encode(import.head.1),
        counts: import.counts,
    })
}

async fn first(reader: &mut Reader) -> Result<Header, ArchiveError> {
    let part = reader.next().await?.filter(|part| part.name == "header.json");
    let part = part.ok_or_else(|| damaged("it is no archive of a tenant"))?;
    let header: Header = serde_json::from_slice(&part.bytes).map_err(damaged)?;
    if header.format > FORMAT {
        return Err(ArchiveError::Format(header.format));
    }
    if TenantId::of_slug(&header.slug) != header.tenant {
        return Err(damaged("the short name is not the tenant's"));
    }
    Ok(header)
}

/// Where a tenant is reached, which no two may share.
#[derive(Default)]
struct Place {
    hosts: Vec<String>,
    phone_number_id: Option<String>,
    /// Numbers that were ever connected.
    numbers: BTreeSet<String>,
    /// Where the number was connected.
    connected_at: i64,
}

struct Import<P> {
    tenant: TenantId,
    /// The position and hash that the ledger has come to.
    head: (i64, Hash),
    counts: Counts,
    place: Place,
    erasures: Erasures,
    file: Option<(BlobId, Box<dyn BlobWriter>)>,
    /// Files that are in the store.
    kept: Vec<BlobId>,
    total: i64,
    progress: P,
}

impl<P: FnMut(Progress) + Send> Import<P> {
    async fn all(
        &mut self,
        db: &mut PgConnection,
        media: &dyn MediaStore,
        reader: &mut Reader,
        header: &Header,
    ) -> Result<(), ArchiveError> {
        // First, so that nobody creates it meanwhile.
        let sql =
            "INSERT INTO ledger.heads (tenant_id, head_position, head_hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING";
        let made = sqlx::query(sql).bind(self.tenant.0).bind(GENESIS).execute(&mut *db).await?;
        if made.rows_affected() == 0 {
            return Err(ArchiveError::TenantExists(header.slug.clone()));
        }
        let vault = vault(&mut *db).await?;
        loop {
            let part = reader.next().await?.ok_or_else(|| damaged("it is cut off"))?;
            if part.name == MANIFEST {
                let manifest: Manifest = serde_json::from_slice(&part.bytes).map_err(damaged)?;
                self.finish_file().await?;
                return self.end(db, reader, header, &manifest).await;
            }
            let (kind, rest) = part.name.split_once('/').ok_or_else(|| damaged(format!("{} is no part", part.name)))?;
            match kind {
                "events" => self.events(db, &part).await?,
                "claims" => self.counts.claims += self.claims(db, &part).await?,
                "media" => {
                    let blob = rest.split('/').next().and_then(|id| id.parse().ok());
                    let blob = blob.ok_or_else(|| damaged(format!("{} names no file", part.name)))?;
                    self.media(media, blob, part).await?;
                }
                kind if vault.iter().any(|known| known == kind) => {
                    self.counts.secrets += self.rows(db, kind, &part).await?;
                }
                _ => return Err(damaged(format!("{} is unknown here", part.name))),
            }
        }
    }

    async fn events(&mut self, db: &mut PgConnection, part: &Part) -> Result<(), ArchiveError> {
        let mut page = Vec::with_capacity(PAGE);
        for line in lines(part)? {
            let line: Line = serde_json::from_str(line).map_err(damaged)?;
            let position = self.head.0 + 1;
            let checked = line.check(position, &self.head.1);
            let hash = checked.map_err(|what| ArchiveError::Broken { position: Position(position), what })?;
            self.head = (position, hash);
            self.place.note(&line, position);
            self.erasures.see(&line.seen());
            page.push(line);
            if page.len() == PAGE {
                insert(&mut *db, self.tenant, &page).await?;
                page.clear();
            }
        }
        if !page.is_empty() {
            insert(db, self.tenant, &page).await?;
        }
        self.counts.events = self.head.0;
        (self.progress)(Progress { step: Step::Events, done: self.head.0, total: self.total });
        Ok(())
    }

    /// Claims come after the events, so that the number is known that may be another's here.
    async fn claims(&self, db: &mut PgConnection, part: &Part) -> Result<i64, ArchiveError> {
        let number = self.place.phone_number_id.as_deref().unwrap_or_default();
        self.rows(db, "ledger.claims", part).await.map_err(|error| match error {
            ArchiveError::Database(error) => taken(error, number),
            error => error,
        })
    }

    /// Rows of a table, all of this tenant.
    async fn rows(&self, db: &mut PgConnection, table: &str, part: &Part) -> Result<i64, ArchiveError> {
        let sql = format!(
            "INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, n.line::jsonb \
             || jsonb_build_object('tenant_id', $1::uuid))).* FROM unnest($2::text[]) AS n (line)"
        );
        let done = sqlx::query(&sql).bind(self.tenant.0).bind(lines(part)?.collect::<Vec<_>>()).execute(db).await?;
        Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
    }

    async fn media(&mut self, store: &dyn MediaStore, blob: BlobId, part: Part) -> Result<(), ArchiveError> {
        if self.file.as_ref().is_none_or(|(current, _)| *current != blob) {
            self.finish_file().await?;
            self.kept.push(blob);
            self.file = Some((blob, store.begin(self.tenant, blob).await?));
        }
        if let Some((_, writer)) = &mut self.file {
            writer.write(part.bytes.into()).await?;
        }
        Ok(())
    }

    async fn finish_file(&mut self) -> Result<(), ArchiveError> {
        if let Some((_, writer)) = self.file.take() {
            writer.finish().await?;
            self.counts.media += 1;
            let done = self.counts.media;
            (self.progress)(Progress { step: Step::Media, done, total: done });
        }
        Ok(())
    }

    /// Everything is in: is it all of it, and is there room for it here?
    async fn end(
        &mut self,
        db: &mut PgConnection,
        reader: &Reader,
        header: &Header,
        manifest: &Manifest,
    ) -> Result<(), ArchiveError> {
        reader.check(manifest)?;
        let wanted = hash_of(&header.head_hash).map_err(damaged)?;
        if manifest.counts != self.counts || manifest.head_hash != header.head_hash {
            return Err(damaged("the counts are not what the manifest says"));
        }
        if self.head != (header.head_position, wanted) {
            let what = "the ledger does not end where the archive says".to_owned();
            return Err(ArchiveError::Broken { position: Position(self.head.0), what });
        }
        if let Some(position) = self.erasures.uncovered() {
            return Err(ArchiveError::Broken { position: Position(position), what: UNCOVERED.to_owned() });
        }
        self.place.check(db, self.tenant).await?;
        self.place.claim(db, self.tenant).await?;
        let sql = "UPDATE ledger.heads SET head_position = $2, head_hash = $3 WHERE tenant_id = $1";
        sqlx::query(sql).bind(self.tenant.0).bind(self.head.0).bind(self.head.1).execute(&mut *db).await?;
        // What happened before is not told to anybody again, and decided by no rule again. What waits for WhatsApp is
        // found by its follower, which begins at the first event.
        let cursors = "INSERT INTO outbound.cursors (tenant_id, reactor, position) \
                       SELECT $1, r.reactor, $2 FROM (SELECT DISTINCT reactor FROM outbound.cursors \
                           UNION SELECT unnest(ARRAY['webhooks', 'rules', 'receipts'])) r WHERE r.reactor <> 'whatsapp'";
        sqlx::query(cursors).bind(self.tenant.0).bind(self.head.0).execute(db).await?;
        Ok(())
    }
}

/// A number that another tenant has cannot be claimed.
fn taken(error: sqlx::Error, number: &str) -> ArchiveError {
    match &error {
        sqlx::Error::Database(e) if e.constraint() == Some("numbers_one_holder") => {
            ArchiveError::Taken(format!("the WhatsApp number {number}"))
        }
        _ => error.into(),
    }
}

fn lines(part: &Part) -> Result<impl Iterator<Item = &str>, ArchiveError> {
    let text = std::str::from_utf8(&part.bytes).map_err(|_| damaged(format!("{} is no text", part.name)))?;
    Ok(text.lines())
}

impl Place {
    fn note(&mut self, line: &Line, position: i64) {
        if !matches!(&*line.aggregate_type, "Tenant" | "WhatsAppAccount") {
            return;
        }
        match AnyEvent::read(&line.aggregate_type, &line.event_type, &line.event_version, &line.payload) {
            Ok(AnyEvent::Tenant(TenantEvent::TenantCreated(e))) => self.hosts = e.hosts,
            Ok(AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountConnected(e))) => {
                self.numbers.insert(e.phone_number_id.clone());
                (self.phone_number_id, self.connected_at) = (Some(e.phone_number_id), position);
            }
            Ok(AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountDisconnected(_))) => self.phone_number_id = None,
            _ => {}
        }
    }

    /// Takes the number in archives that are older than such claims. What comes for a number that was given up is known
    /// to be nobody's here too.
    async fn claim(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), ArchiveError> {
        let sql = "INSERT INTO ledger.numbers (phone_number_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(self.numbers.iter().collect::<Vec<_>>()).execute(&mut *db).await?;
        let Some(id) = &self.phone_number_id else { return Ok(()) };
        let sql = "INSERT INTO ledger.claims (tenant_id, name, position) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let claim = sqlx::query(sql).bind(tenant.0).bind(number_claim(id)).bind(self.connected_at);
        claim.execute(db).await.map_err(|error| taken(error, id))?;
        Ok(())
    }

    async fn check(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), ArchiveError> {
        let taken: Option<String> = sqlx::query_scalar(
            "SELECT coalesce('the host ' || (SELECT h FROM unnest(t.hosts) h WHERE h = ANY ($2) LIMIT 1), \
                 'the WhatsApp number ' || (t.number ->> 'phone_number_id')) \
             FROM read_models.tenants t WHERE t.tenant_id <> $1 \
                 AND (t.hosts && $2 OR t.number ->> 'phone_number_id' = $3) LIMIT 1",
        )
        .bind(tenant.0)
        .bind(&self.hosts)
        .bind(&self.phone_number_id)
        .fetch_optional(db)
        .await?;
        taken.map_or(Ok(()), |taken| Err(ArchiveError::Taken(taken)))
    }
}
