//! Keeps a cluster running: one that dies while we live is started again, on the same port, so that the connection pool
//! finds it back.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::{place::Place, process, process::Postgres};

/// How often the cluster is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Watches a Postgres from a thread of its own, whatever runtime asks for it.
pub(super) struct Keeper(Arc<Mutex<Option<Postgres>>>);

impl Keeper {
    pub(super) fn start(postgres: Postgres, place: Place, programs: PathBuf, port: u16) -> Self {
        let kept = Arc::new(Mutex::new(Some(postgres)));
        let watched = kept.clone();
        thread::spawn(move || {
            while look(&watched, &place, &programs, port) {
                thread::sleep(LOOK);
            }
        });
        Self(kept)
    }

    /// Stops it for good. Whether that was done in time.
    pub(super) fn stop(&mut self, at_most: Duration) -> bool {
        let postgres = lock(&self.0).take();
        postgres.is_none_or(|mut postgres| postgres.stop(at_most))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(10));
    }
}

/// Starts a dead one again; whether there is still one to keep.
fn look(kept: &Mutex<Option<Postgres>>, place: &Place, programs: &std::path::Path, port: u16) -> bool {
    let mut kept = lock(kept);
    let Some(postgres) = kept.as_mut() else { return false };
    if postgres.runs() {
        return true;
    }
    tracing::error!("the private cluster died; starting it again");
    // What is left of the dead one is waited for and cleared away, as at any start.
    if let Err(error) = process::settle(&place.cluster()) {
        tracing::error!(%error, "what the dead cluster left behind cannot be cleared away");
    }
    match Postgres::spawn(place, programs, port) {
        Ok(postgres) => *kept = Some(postgres),
        Err(error) => tracing::error!(%error, "the private cluster does not start again"),
    }
    true
}

fn lock(kept: &Mutex<Option<Postgres>>) -> MutexGuard<'_, Option<Postgres>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
