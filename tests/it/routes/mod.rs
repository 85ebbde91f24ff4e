//! Tests made from the route table: every endpoint is asked for what is another tenant's, and by everybody.
//!
//! `cases.txt` says how each endpoint is asked; `matrix.md` what each kind of user is answered. An endpoint without a
//! case fails [`cases`]; a change of an answer is a change of the matrix, to be read in review.

mod authorisation;
mod cases;
mod forms;
mod isolation;
mod things;
