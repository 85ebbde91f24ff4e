//! Given / when / then for chats.
