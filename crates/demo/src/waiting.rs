//! Waiting for something that will happen, but never for ever.

use crate::failure::DemoError;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long anything is waited for. A machine that is busy with other things takes its time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked for.
const EVERY: Duration = Duration::from_millis(10);

/// The first answer of `look`.
///
/// # Errors
/// [`DemoError::TooLate`], naming `what`, if there is none within [`PATIENCE`].
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T, DemoError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(DemoError::TooLate { what: what.into(), seconds: PATIENCE.as_secs() });
        }
        sleep(EVERY).await;
    }
}
