//! The query parameters of lists, for the OpenAPI document; they are read by `extract::Query`.

use utoipa::IntoParams;

/// The part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// At most so many rows; 100 unless told, at most 1000. What makes no sense counts as absent.
    #[param(example = 20)]
    pub limit: Option<i64>,
    /// After so many rows.
    pub offset: Option<i64>,
}

/// A search.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// Part of a name or id, without regard to case; at most 200 characters.
    pub search: Option<String>,
}

/// Which chats.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChatParams {
    /// Part of a name, id, saved name or email address, or tag's name, without regard to case; at most 200 characters.
    pub search: Option<String>,
    /// Assigned to the caller.
    pub assigned_to_me: Option<bool>,
    /// Assigned to this group, one of the caller's; for admins any.
    pub assigned_group: Option<i64>,
    /// With this tag.
    pub chat_tag_id: Option<i64>,
    /// With messages that the caller has not received.
    pub unread: Option<bool>,
    /// With a message at or after, POSIX seconds.
    pub messages_since_time: Option<i64>,
    /// With a message before, POSIX seconds.
    pub messages_before_time: Option<i64>,
}

/// Which messages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessageParams {
    /// At or after, POSIX seconds.
    pub since_time: Option<i64>,
    /// Before, POSIX seconds.
    pub before_time: Option<i64>,
    /// Marks what is answered as received by the caller.
    pub mark_as_received: Option<bool>,
    /// Part of a text, caption, file name and the like, without regard to case; at most 200 characters.
    pub search: Option<String>,
    /// Of chats assigned to the caller.
    pub assigned_to_me: Option<bool>,
    /// Of chats assigned to this group, one of the caller's; for admins any.
    pub assigned_group: Option<i64>,
    /// Of chats with this tag.
    pub chat_tag_id: Option<i64>,
    /// From this side, or from customers.
    pub from_us: Option<bool>,
}

/// Which entries of a history.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryParams {
    /// Of this chat.
    pub wa_id: Option<String>,
    /// At or after, POSIX seconds.
    pub since_time: Option<i64>,
    /// Before, POSIX seconds.
    pub before_time: Option<i64>,
}

/// Which contacts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContactParams {
    /// Part of a name, phone number or email address, without regard to case; at most 200 characters.
    pub search: Option<String>,
    /// At most so many contacts of each address book; 100 unless told, at most 1000. What makes no sense counts as
    /// absent.
    #[param(example = 20)]
    pub limit: Option<i64>,
    /// Where to go on, out of `next`.
    pub pages: Option<String>,
}

/// Which saved responses.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TextParams {
    /// Part of the text, without regard to case; at most 200 characters.
    pub text: Option<String>,
}

/// Of which bulk message.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TaskParams {
    /// Of this bulk message.
    pub task: Option<String>,
}

/// Which deliveries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryParams {
    /// `pending`, `delivered` or `dead`.
    pub state: Option<String>,
    /// About this chat.
    pub wa_id: Option<String>,
    /// Made at or after, POSIX seconds.
    pub since_time: Option<i64>,
    /// Made before, POSIX seconds.
    pub before_time: Option<i64>,
}

/// Which part of a history, and in which form.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditParams {
    /// As it was at this moment: a position, `@` and POSIX seconds, or a time as `2026-01-06T10:00:00Z`; now, unless
    /// told.
    pub at: Option<String>,
    /// Recorded at or after: POSIX seconds, or a time as `2026-01-06T10:00:00Z`.
    pub from: Option<String>,
    /// Recorded before: POSIX seconds, or a time as `2026-01-06T10:00:00Z`.
    pub until: Option<String>,
    /// Only events of these stored names, as `ChatTagged`; several with commas.
    pub kind: Option<String>,
    /// Beyond this position.
    pub after: Option<i64>,
    /// At most so many events; 100 unless told, at most 1000, in another form than JSON 10000. What makes no sense
    /// counts as absent.
    #[param(example = 20)]
    pub limit: Option<i64>,
    /// `json`, `csv`, `ndjson` or `html`; unless told, what `Accept` asks for, else `json`.
    pub format: Option<String>,
}

/// The moment of a state.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MomentParams {
    /// A position, `@` and POSIX seconds, or a time as `2026-01-06T10:00:00Z`; now, unless told.
    pub at: Option<String>,
}
