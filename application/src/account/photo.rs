//! Changes the photo of the profile (R-SET-1).

use bytes::{Bytes, BytesMut};
use chatledger_domain::{
    BlobId, Position, TenantId,
    business_profile::{BusinessProfile, BusinessProfileCommand, ProfilePhoto},
    media::{Class, FileType, Source},
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::PROFILE;
use crate::{
    application::{Application, Context},
    error::ApplicationError,
    media::{Intake, NoIntake, Taken},
    ports::whatsapp_account::{Account, AccountFault, Photo},
    streams::StreamOf,
};

fn is_image(file_type: &FileType) -> bool {
    file_type.class == Class::Image
}

impl Application {
    /// Sets the photo, at WhatsApp first.
    ///
    /// # Errors
    /// What the source says; no image, or one that is too large; WhatsApp's refusal, or why it could not be asked.
    /// Nothing is recorded then.
    pub async fn change_photo<E: From<ApplicationError>>(
        &self,
        context: &Context,
        declared: Option<&str>,
        chunks: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), E> {
        let account = self.account(context.tenant).await?;
        let taken = self.take_photo(context.tenant, declared, Source::Client, chunks).await?;
        let blob = taken.blob;
        let done = self.send_photo(context, &account, taken).await;
        if done.is_err() {
            self.drop_blob(context.tenant, blob).await;
        }
        Ok(done?)
    }

    async fn send_photo(&self, context: &Context, account: &Account, taken: Taken) -> Result<(), ApplicationError> {
        let tenant = context.tenant;
        let lost = || AccountFault::Away("the photo's bytes are lost".to_owned());
        let chunks = self.media.get(tenant, taken.blob, None).await?.ok_or_else(lost)?;
        let add = async |mut bytes: BytesMut, chunk: Bytes| {
            bytes.extend_from_slice(&chunk);
            Ok(bytes)
        };
        let bytes = chunks.try_fold(BytesMut::new(), add).await?.freeze();
        let photo = Photo { mime_type: taken.file_type.mime_type.clone(), bytes };
        self.whatsapp_accounts.set_photo(account, &photo).await?;
        let change = BusinessProfileCommand::ChangePhoto { photo: kept(taken), done_by: context.actor.user };
        self.record_photo(tenant, &context.metadata(), change).await.map(drop)
    }

    /// Takes the photo away, at WhatsApp first; whether there was one.
    ///
    /// # Errors
    /// WhatsApp's refusal, or why it could not be asked.
    pub async fn remove_photo(&self, context: &Context) -> Result<bool, ApplicationError> {
        let known: BusinessProfile = self.streams.state(context.tenant, PROFILE).await?;
        if known.photo.is_none() {
            return Ok(false);
        }
        let account = self.account(context.tenant).await?;
        match self.whatsapp_accounts.delete_photo(&account).await {
            // It is gone already, as was wished.
            Ok(()) | Err(AccountFault::NotFound) => {}
            Err(fault) => return Err(fault.into()),
        }
        let remove = BusinessProfileCommand::RemovePhoto { done_by: context.actor.user };
        self.record_photo(context.tenant, &context.metadata(), remove).await?;
        Ok(true)
    }

    /// Looks at the photo. A photo that cannot be had leaves the profile as it was seen.
    pub(super) async fn refresh_photo(
        &self,
        account: &Account,
        tenant: TenantId,
        as_of: Position,
    ) -> Result<(), ApplicationError> {
        let photo = match self.whatsapp_accounts.photo(account).await {
            Ok(photo) => photo,
            Err(fault) => {
                tracing::warn!(?fault, "the profile's photo cannot be had");
                return Ok(());
            }
        };
        let mut taken = None;
        if let Some(Photo { mime_type, bytes }) = photo {
            let chunks = stream::once(async { Ok::<_, ApplicationError>(bytes) }).boxed();
            match self.take_photo(tenant, Some(&mime_type), Source::WhatsApp, chunks).await {
                Ok(photo) => taken = Some(photo),
                Err(error) => {
                    tracing::warn!(?error, "the profile's photo cannot be kept");
                    return Ok(());
                }
            }
        }
        let blob = taken.as_ref().map(|taken| taken.blob);
        let see = BusinessProfileCommand::SeePhoto { photo: taken.map(kept), as_of };
        let is_new = self.record_photo(tenant, &self.system("refresh", None), see).await?;
        if let Some(blob) = blob.filter(|_| !is_new) {
            self.drop_blob(tenant, blob).await;
        }
        Ok(())
    }

    async fn take_photo<E: From<ApplicationError>>(
        &self,
        tenant: TenantId,
        declared: Option<&str>,
        source: Source,
        chunks: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Taken, E> {
        let blob = BlobId(self.random.uuid());
        let intake = Intake { store: &*self.media, tenant, blob, declared, source, wanted: is_image };
        intake.take(chunks).await.map_err(|why| match why {
            NoIntake::Source(fault) => fault,
            NoIntake::Empty => ApplicationError::EmptyFile.into(),
            NoIntake::TooLarge(file_type) => ApplicationError::FileTooLarge(file_type.class).into(),
            NoIntake::Unwanted(file_type) => ApplicationError::FileNotWanted(file_type.mime_type).into(),
            NoIntake::Store(fault) => ApplicationError::from(fault).into(),
        })
    }

    /// Whether anything was recorded.
    async fn record_photo(
        &self,
        tenant: TenantId,
        metadata: &std::sync::Arc<crate::ports::ledger::Metadata>,
        command: BusinessProfileCommand,
    ) -> Result<bool, ApplicationError> {
        let streams = [StreamOf::new::<BusinessProfile>(PROFILE)];
        let work = |d: &mut crate::streams::Decisions<'_>| d.decide::<BusinessProfile>(PROFILE, command.clone());
        let done = self.streams.transact(tenant, &streams, metadata, self.clock.now(), work).await?;
        self.settle(tenant, done.position()).await;
        Ok(done.position().is_some())
    }

    /// Bytes that no event names do no harm, so a fault is only logged.
    async fn drop_blob(&self, tenant: TenantId, blob: BlobId) {
        if let Err(error) = self.media.delete(tenant, blob).await {
            tracing::warn!(%error, "the bytes of a photo stay behind");
        }
    }
}

fn kept(taken: Taken) -> ProfilePhoto {
    let Taken { blob, file_type, size, sha256 } = taken;
    ProfilePhoto { blob, mime_type: file_type.mime_type, size, sha256 }
}
