//! A memory before the name service, so that many calls to one name are one question.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use futures_util::{
    FutureExt, TryFutureExt,
    future::{BoxFuture, Shared},
};
use moka::sync::Cache;

use super::Resolve;

/// Names remembered at most.
const NAMES: u64 = 20_000;

/// An answer that many may wait for.
type Answer = Shared<BoxFuture<'static, Result<Vec<IpAddr>, io::ErrorKind>>>;

/// Answers as `resolve` does, for `long` from the question on; whoever asks meanwhile is told the same, also that there
/// is no such name.
#[must_use]
pub fn remembered(resolve: Resolve, long: Duration) -> Resolve {
    let known: Cache<String, Answer> = Cache::builder().max_capacity(NAMES).time_to_live(long).build();
    Arc::new(move |name| {
        let ask = || resolve(name.clone()).map_err(|error| error.kind()).boxed().shared();
        let answer = known.get_with_by_ref(&name, ask);
        Box::pin(answer.map_err(io::Error::from))
    })
}
