//! Media: files that were uploaded or that customers sent. The bytes are kept elsewhere, see the application's port.

mod command;
mod decide;
mod event;
mod file_type;
mod incoming;
mod links;
mod redact;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::MediaCommand;
pub use event::{MediaErased, MediaEvent, MediaFetchFailed, MediaOrigin, MediaStored};
pub use file_type::{Class, FileType, HEAD, Source};
pub use incoming::{IncomingFile, tidy};
pub use links::{Attachment, KINDS, attachments, own_path, path_of, with_attachments};
pub use refusal::MediaRefusal;
pub use state::Media;
