//! The first and longest part of a rebuild: one pass over a tenant's ledger into tables that have few indexes yet.
//!
//! Three tasks hand pages on: one reads and decodes, one writes the rows that come with each page, one folds the rows
//! that many events touch and writes them seldom. What is written moves its cursors in the same transaction, so a
//! rebuild that is killed goes on from there.

use std::sync::Arc;

use chatledger_application::ports::{
    Unavailable,
    ledger::{Ledger, Recorded},
};
use chatledger_domain::{Position, TenantId};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::mpsc;

use super::{
    RebuildError, fault, from_ledger,
    pace::Turns,
    pages::{PART, Reader},
    poison,
};
use crate::{
    engine::{
        definition,
        generation::{Generation, builder},
        poison::first_poison,
        projection::{Batch, Carried, Projection, Stage},
    },
    unavailable,
};

/// A fold that holds more bytes than this is written.
const HEAVY: usize = 32 << 20;
/// Folds that together hold more bytes than this: the heaviest is written.
const FULL: usize = 64 << 20;
/// A fold that holds the news of more events than this is written, so that a killed rebuild has not far to go back.
const FAR: i64 = 2_000_000;

type Page = Arc<Vec<Recorded>>;

/// Where one read model is in the pass over a ledger.
struct Place {
    projection: &'static dyn Projection,
    position: i64,
}

/// One pass over one ledger.
pub(super) struct Pass<'a> {
    pub pool: &'a PgPool,
    pub ledger: &'a Arc<dyn Ledger>,
    pub tenant: TenantId,
    pub generation: Generation<'a>,
    pub turns: &'a Arc<Turns>,
    pub target: i64,
}

impl Pass<'_> {
    /// Folds up to the target. `done` hears each position that rows are written up to.
    pub(super) async fn run(&self, mut done: impl FnMut(i64) + Send) -> Result<(), RebuildError> {
        let mut direct = Vec::new();
        let mut carried = Vec::new();
        let mut db = builder(self.pool).await.map_err(unavailable)?;
        for (projection, position) in self.places(&mut db).await.map_err(unavailable)? {
            let place = Place { projection, position };
            match projection.carried() {
                Some(fold) => carried.push((place, fold)),
                None => direct.push(place),
            }
        }
        let from = direct.iter().chain(carried.iter().map(|(place, _)| place)).map(|place| place.position).min();
        let from = from.unwrap_or(self.target);
        if from >= self.target {
            return Ok(());
        }
        let (to_direct, direct_pages) = mpsc::channel(1);
        let (to_carried, carried_pages) = mpsc::channel(1);
        let (told, mut telling) = mpsc::unbounded_channel();
        let reading = self.read(from, to_direct, to_carried);
        let writing = tokio::spawn(write(db, self.turns.clone(), self.tenant, direct, direct_pages, told));
        let folding = Folding {
            db: builder(self.pool).await.map_err(unavailable)?,
            tenant: self.tenant,
            ledger: self.ledger.clone(),
            turns: self.turns.clone(),
            target: self.target,
        };
        let folding = tokio::spawn(folding.run(carried, carried_pages));
        let telling = async {
            while let Some(position) = telling.recv().await {
                done(position);
            }
        };
        let (read, (), written, folded) = tokio::join!(reading, telling, writing, folding);
        // What stopped the others is said, rather than that they could not go on.
        let lost = |error: tokio::task::JoinError| RebuildError::from(Unavailable::new("the rebuild", error));
        written.map_err(lost)??;
        folded.map_err(lost)??;
        read
    }

    /// Where each read model is, made where that is nowhere; what is complete is left out.
    async fn places(&self, db: &mut PgConnection) -> Result<Vec<(&'static dyn Projection, i64)>, sqlx::Error> {
        let definitions: Vec<String> = self.generation.projections.iter().map(|of| definition::of(*of)).collect();
        sqlx::query(
            "INSERT INTO read_models_next.cursors (tenant_id, projection, position, definition)
             SELECT $1, name, 0, definition FROM unnest($2::text[], $3::text[]) AS n (name, definition)
             ON CONFLICT DO NOTHING",
        )
        .bind(self.tenant.0)
        .bind(self.generation.names())
        .bind(definitions)
        .execute(&mut *db)
        .await?;
        let found: Vec<(String, i64)> = sqlx::query_as(
            "SELECT projection, position FROM read_models_next.cursors WHERE tenant_id = $1 AND NOT complete",
        )
        .bind(self.tenant.0)
        .fetch_all(db)
        .await?;
        let place = |of: &&'static dyn Projection| {
            let (_, position) = found.iter().find(|(name, _)| name == of.name())?;
            Some((*of, *position))
        };
        Ok(self.generation.projections.iter().filter_map(place).collect())
    }

    /// Hands pages to both who want them, each at its own pace. Ends early when one of them does.
    async fn read(
        &self,
        mut position: i64,
        one: mpsc::Sender<Page>,
        other: mpsc::Sender<Page>,
    ) -> Result<(), RebuildError> {
        let read = |mut reader: Reader, after: i64| {
            tokio::spawn(async move {
                let page = reader.page(after).await;
                (reader, page)
            })
        };
        let reader = Reader::new(self.ledger.clone(), self.tenant, self.turns.clone(), self.target);
        let mut next = read(reader, position);
        while position < self.target {
            let (reader, page) = next.await.map_err(|error| Unavailable::new("the ledger", error))?;
            let page = page.map_err(from_ledger)?;
            let (Some(first), Some(last)) = (page.first(), page.last()) else {
                return Err(Unavailable::new("the ledger", format!("nothing after position {position}")).into());
            };
            if first.position.0 != position + 1 || last.position.0 - position != i64::try_from(page.len()).unwrap_or(0)
            {
                return Err(Unavailable::new("the ledger", format!("a hole after position {position}")).into());
            }
            position = last.position.0;
            next = read(reader, position);
            let page: Page = Arc::new(page);
            if one.send(page.clone()).await.is_err() || other.send(page).await.is_err() {
                break;
            }
        }
        next.abort();
        Ok(())
    }
}

/// The part of a page that a read model has not seen, as a batch.
fn unseen(tenant: TenantId, page: &[Recorded], position: i64) -> Batch<'_> {
    let from = page.partition_point(|event| event.position.0 <= position);
    Batch { tenant, events: page[from..].iter().collect(), stage: Stage::Building }
}

/// Writes the rows that come with each page, with the cursors of their read models.
async fn write(
    mut db: PgConnection,
    turns: Arc<Turns>,
    tenant: TenantId,
    mut places: Vec<Place>,
    mut pages: mpsc::Receiver<Page>,
    told: mpsc::UnboundedSender<i64>,
) -> Result<(), RebuildError> {
    while let Some(page) = pages.recv().await {
        let Some(end) = page.last().map(|event| event.position.0) else { continue };
        let _turn = turns.take().await;
        let mut tx = db.begin().await.map_err(unavailable)?;
        let mut moved = Vec::new();
        for place in places.iter_mut().filter(|place| place.position < end) {
            let batch = unseen(tenant, &page, place.position);
            if let Err(error) = place.projection.apply(&mut tx, &batch).await {
                tx.rollback().await.map_err(unavailable)?;
                return Err(poison(&mut db, place.projection, &batch, error).await?);
            }
            place.position = end;
            moved.push(place.projection.name());
        }
        move_cursors(&mut tx, tenant, &moved, end).await.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)?;
        // Nobody may listen any more.
        let _ = told.send(end);
    }
    Ok(())
}

/// Folds the rows that many events touch.
struct Folding {
    db: PgConnection,
    tenant: TenantId,
    ledger: Arc<dyn Ledger>,
    turns: Arc<Turns>,
    target: i64,
}

impl Folding {
    async fn run(
        mut self,
        mut carried: Vec<(Place, Box<dyn Carried>)>,
        mut pages: mpsc::Receiver<Page>,
    ) -> Result<(), RebuildError> {
        let mut since: Vec<i64> = carried.iter().map(|(place, _)| place.position).collect();
        while let Some(page) = pages.recv().await {
            let Some(end) = page.last().map(|event| event.position.0) else { continue };
            let turns = self.turns.clone();
            let _turn = turns.take().await;
            for ((place, fold), since) in carried.iter_mut().zip(&mut since) {
                let batch = unseen(self.tenant, &page, place.position);
                if let Err(error) = fold.take(&batch) {
                    return Err(poison(&mut self.db, place.projection, &batch, error).await?);
                }
                place.position = place.position.max(end);
                if end >= self.target || end - *since >= FAR || fold.weight() >= HEAVY {
                    self.write(place, fold.as_mut(), *since).await?;
                    *since = place.position;
                }
            }
            // Together they may hold no more than a few of them could.
            while carried.iter().map(|(_, fold)| fold.weight()).sum::<usize>() >= FULL {
                let heaviest = carried.iter_mut().zip(&mut since).max_by_key(|((_, fold), _)| fold.weight());
                let Some(((place, fold), since)) = heaviest else { break };
                self.write(place, fold.as_mut(), *since).await?;
                *since = place.position;
            }
        }
        Ok(())
    }

    async fn write(&mut self, place: &Place, fold: &mut dyn Carried, since: i64) -> Result<(), RebuildError> {
        let first = since == 0;
        if !first {
            let alone = [place.projection];
            Generation { projections: &alone }.key(&mut self.db).await.map_err(unavailable)?;
        }
        let mut tx = self.db.begin().await.map_err(unavailable)?;
        match fold.write(&mut tx, self.tenant, first).await {
            Ok(()) => {
                let names = [place.projection.name()];
                move_cursors(&mut tx, self.tenant, &names, place.position).await.map_err(unavailable)?;
                tx.commit().await.map_err(unavailable)?;
                Ok(())
            }
            Err(error) => {
                tx.rollback().await.map_err(unavailable)?;
                Err(if error.blames_event() { self.find(place, since).await? } else { fault(error) })
            }
        }
    }

    /// Which event it is that a fold of many cannot be written for: they are applied one page after the other.
    async fn find(&mut self, place: &Place, since: i64) -> Result<RebuildError, RebuildError> {
        let alone = [place.projection];
        Generation { projections: &alone }.key(&mut self.db).await.map_err(unavailable)?;
        let mut tx = self.db.begin().await.map_err(unavailable)?;
        let mut position = since;
        while position < place.position {
            let limit = PART.min(place.position - position);
            let page = self.ledger.read(self.tenant, Position(position), limit).await.map_err(from_ledger)?;
            let batch = unseen(self.tenant, &page, position);
            let found = first_poison(&mut tx, self.tenant, place.projection, &batch.events).await.map_err(fault)?;
            if let Some((event, error)) = found {
                return Ok(RebuildError::of(place.projection, event, &error));
            }
            position = page.last().map_or(place.position, |event| event.position.0);
        }
        Ok(Unavailable::new("the read model", "rows that are fine one by one are refused together").into())
    }
}

async fn move_cursors(db: &mut PgConnection, tenant: TenantId, names: &[&str], to: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE read_models_next.cursors SET position = $3 WHERE tenant_id = $1 AND projection = ANY($2)")
        .bind(tenant.0)
        .bind(names)
        .bind(to)
        .execute(db)
        .await?;
    Ok(())
}
