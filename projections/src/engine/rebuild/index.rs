//! The indexes of a new generation, made when its rows are there, and statistics for the planner.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chatledger_application::ports::Unavailable;
use sqlx::{Connection, PgConnection};
use tokio::{sync::mpsc, task::JoinSet};

use super::{Progress, Rebuild, RebuildError, Step, pace::Turns};
use crate::{
    engine::generation::{Index, builder},
    unavailable,
};

impl Rebuild<'_> {
    /// The indexes that folding did not need, and statistics for the planner. Two tables at a time: a table's indexes are
    /// made one after the other, on a connection that has its pages at hand.
    pub(super) async fn index(
        &self,
        db: &mut PgConnection,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<(), RebuildError> {
        let missing = self.generation.missing(db).await.map_err(unavailable)?;
        let tables = self.tables();
        let total = i64::try_from(missing.len() + tables.len()).unwrap_or(i64::MAX);
        let mut state = Progress { step: Step::Index, done: 0, total };
        progress(state);
        let mut work: HashMap<&'static str, Vec<Index>> = HashMap::new();
        for index in missing {
            work.entry(index.table).or_default().push(index);
        }
        // Those with most to do first, so that none is left alone at the end.
        let mut tables: Vec<_> =
            tables.into_iter().map(|table| (table, work.remove(table).unwrap_or_default())).collect();
        tables.sort_by_key(|(_, indexes)| indexes.len());
        let tables = Arc::new(Mutex::new(tables));
        let (told, mut telling) = mpsc::unbounded_channel();
        let mut workers = JoinSet::new();
        for _ in 0..2 {
            let db = builder(self.pool).await.map_err(unavailable)?;
            workers.spawn(make_indexes(db, self.turns.clone(), tables.clone(), told.clone()));
        }
        drop(told);
        while telling.recv().await.is_some() {
            state.done += 1;
            progress(state);
        }
        while let Some(made) = workers.join_next().await {
            made.map_err(|error| Unavailable::new("the rebuild", error))?.map_err(unavailable)?;
        }
        Ok(())
    }
}

/// Tables that wait for their indexes, the next one last.
type Waiting = Arc<Mutex<Vec<(&'static str, Vec<Index>)>>>;

async fn make_indexes(
    mut db: PgConnection,
    turns: Arc<Turns>,
    waiting: Waiting,
    told: mpsc::UnboundedSender<()>,
) -> Result<(), sqlx::Error> {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some((table, indexes)) = next else { return db.close().await };
        for index in indexes {
            let _turn = turns.take().await;
            let helpers = if turns.gentle() { 0 } else { 2 };
            sqlx::query(&format!("SET max_parallel_maintenance_workers = {helpers}")).execute(&mut db).await?;
            index.make(&mut db).await?;
            // Nobody may listen any more.
            let _ = told.send(());
        }
        let _turn = turns.take().await;
        sqlx::query(&format!("ANALYZE read_models_next.{table}")).execute(&mut db).await?;
        let _ = told.send(());
    }
}
