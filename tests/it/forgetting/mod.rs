//! Forgetting a contact: nothing personal of it is left anywhere, and the ledger can still be proved.

mod redaction;
