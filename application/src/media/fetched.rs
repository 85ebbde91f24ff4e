//! Records what became of a file that a customer sent (R-MED-3).

use async_trait::async_trait;
use chatledger_domain::{
    MediaId, Position, TenantId,
    media::{Media, MediaCommand},
};

use crate::{
    application::Application,
    error::ApplicationError,
    ports::{Unavailable, media::RecordMedia},
    streams::StreamOf,
};

#[async_trait]
impl RecordMedia for Application {
    async fn record_media(
        &self,
        tenant: TenantId,
        media: MediaId,
        causation: Position,
        command: MediaCommand,
    ) -> Result<bool, Unavailable> {
        let name = media.to_string();
        let streams = [StreamOf::new::<Media>(&name)];
        let metadata = self.system("media", Some(causation));
        let done = self
            .streams
            .transact(tenant, &streams, &metadata, self.clock.now(), |decisions| {
                decisions.decide::<Media>(&name, command.clone())
            })
            .await
            .map_err(|error: ApplicationError| Unavailable::new("the ledger", error))?;
        Ok(!done.recorded.is_empty())
    }
}
