//! Who watches the till and tells the server: an alarm that is pushed, as a monitoring system would.

use crate::estate;
use crate::shop::Shop;
use crate::shop::till::Till;
use http::Method;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};
use yardarm_client::{Server, system_now};
use yardarm_wire::alarms::{Alarm, AlarmState, PutAlarmState};

/// The alarm fires when so many of a hundred sales are not paid.
pub(crate) const FIRES_AT_PERCENT: u64 = 5;

/// How often the till is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// How often the server is told although nothing has changed.
const ANYWAY: Duration = Duration::from_secs(10);

/// The watch over the till. It ends when this is dropped.
pub(crate) struct Watch {
    told: Arc<Mutex<Told>>,
    task: AbortHandle,
}

/// What the server was told.
#[derive(Default)]
struct Told {
    state: Option<AlarmState>,
    /// When it was last told that something is wrong.
    fired_at: Option<Timestamp>,
}

impl Watch {
    /// Begins to watch, and to tell `server`.
    pub(crate) fn begin(shop: Arc<Shop>, server: Server) -> Self {
        let told = Arc::<Mutex<Told>>::default();
        let task = tokio::spawn(watch(shop, server, told.clone())).abort_handle();
        Self { told, task }
    }

    /// When the server was last told that something is wrong.
    pub(crate) fn fired_at(&self) -> Option<Timestamp> {
        hold(&self.told).fired_at
    }

    /// Whether the server was last told that nothing is wrong.
    pub(crate) fn is_quiet(&self) -> bool {
        hold(&self.told).state == Some(AlarmState::Ok)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(shop: Arc<Shop>, server: Server, told: Arc<Mutex<Told>>) {
    let mut last: Option<(AlarmState, Instant)> = None;
    loop {
        let percent = shop.till(Till::unpaid_percent);
        let state = if percent >= FIRES_AT_PERCENT { AlarmState::Alarm } else { AlarmState::Ok };
        let changed = last.is_none_or(|(before, _)| before != state);
        if changed || last.is_some_and(|(_, at)| at.elapsed() > ANYWAY) {
            let at = system_now();
            let reason = Some(format!("{percent} % of the newest orders are unpaid"));
            let body = PutAlarmState { state, reason };
            // A server that is away is told again.
            if server.call::<Alarm>(Method::PUT, &estate::alarm_state_path(), Some(&body)).await.is_ok() {
                let mut told = hold(&told);
                told.state = Some(state);
                if changed && state == AlarmState::Alarm {
                    told.fired_at = Some(at);
                }
                last = Some((state, Instant::now()));
            }
        }
        sleep(EVERY).await;
    }
}

fn hold(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}
