//! Why something for analysts could not be done, in words for the operator.

/// Why it could not.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// The name cannot be a reader's.
    #[error(
        "a role cannot be called {0:?} here: small letters, digits and _, a letter first, at most 63, none of the \
         server's own names"
    )]
    Name(String),
    /// The role exists and is no mere reader.
    #[error("the role {role} exists and may do more than read ({rights}); choose another name")]
    TooMighty {
        /// The role.
        role: String,
        /// What it may do.
        rights: String,
    },
    /// Our own role may not create roles.
    #[error(
        "our own role {own} may not create roles on this server. Let an administrator run\n  CREATE ROLE {role} LOGIN \
         PASSWORD '…';\nand run this command again"
    )]
    MayNotCreate {
        /// Our own role.
        own: String,
        /// The role that was wanted.
        role: String,
    },
    /// Our own role may not change that one.
    #[error(
        "the role {role} exists and our own role {own} may not set its password; leave the password out, and let an \
         administrator set it"
    )]
    MayNotChange {
        /// Our own role.
        own: String,
        /// The role.
        role: String,
    },
    /// The password cannot be used.
    #[error("the password must have 12 to 128 printable ASCII characters")]
    Password,
    /// The role reads nothing.
    #[error("no role {role} reads the views; there are: {}", listed(.known))]
    UnknownReader {
        /// The name that was given.
        role: String,
        /// Those that do.
        known: Vec<String>,
    },
    /// There is no such view.
    #[error("no view is called {view}; there are: {}", listed(.known))]
    UnknownView {
        /// The name that was given.
        view: String,
        /// All views.
        known: Vec<String>,
    },
    /// The view has no time to cut by.
    #[error("the view {0} has no time, so it cannot be cut by since or until")]
    Timeless(String),
    /// The database.
    #[error("the database cannot be used")]
    Database(#[from] sqlx::Error),
    /// The file.
    #[error("{file} cannot be written")]
    File {
        /// Its path.
        file: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A value that the file's format cannot hold.
    #[error("the file could not be made")]
    Format(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
