//! Customers who come and order, over HTTP: one queue at each branch, calm or at a peak.

use crate::failure::DemoError;
use crate::shop::Shop;
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;
use yardarm_client::{HttpClient, HttpSettings};

/// How long it takes until the next customer comes to a branch.
const CALM: Duration = Duration::from_millis(150);
const PEAK: Duration = Duration::from_millis(10);

/// How long a customer waits for an order, at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// The order in which customers come: a step that is prime to their number, so that all of them come in turn.
const NEXT: u32 = 147;

/// The customers. They go home when this is dropped.
pub(crate) struct Customers {
    shared: Arc<Shared>,
    _queues: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    came: AtomicU32,
    /// Who got neither an order nor a word about the payment: the shop itself was not there.
    turned_away: AtomicU64,
    peak: AtomicBool,
}

impl Customers {
    /// Has them come to the shop at `address`.
    pub(crate) fn come(shop: &Shop, address: SocketAddr) -> Result<Self, DemoError> {
        let http = HttpClient::new(&HttpSettings::default())?;
        let shared = Arc::<Shared>::default();
        let mut queues = JoinSet::new();
        for branch in &shop.branches {
            let (http, shared) = (http.clone(), shared.clone());
            queues.spawn(queue(http, format!("http://{address}/{}/orders", branch.town()), shared));
        }
        Ok(Self { shared, _queues: queues })
    }

    /// Whether there is a crowd.
    pub(crate) fn peak(&self, peak: bool) {
        self.shared.peak.store(peak, Ordering::Relaxed);
    }

    /// How many found no shop at all.
    pub(crate) fn turned_away(&self) -> u64 {
        self.shared.turned_away.load(Ordering::Relaxed)
    }
}

async fn queue(http: HttpClient, orders: String, shared: Arc<Shared>) {
    loop {
        let customer = shared.came.fetch_add(1, Ordering::Relaxed).wrapping_mul(NEXT);
        let served = match format!("{orders}?customer={customer}").parse::<Uri>() {
            Ok(uri) => order(&http, uri).await,
            Err(_) => false,
        };
        if !served {
            shared.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        sleep(if shared.peak.load(Ordering::Relaxed) { PEAK } else { CALM }).await;
    }
}

/// Answers whether the shop did.
async fn order(http: &HttpClient, uri: Uri) -> bool {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let answer = http.send(request, PATIENCE).await;
    answer.is_ok_and(|answer| matches!(answer.status(), StatusCode::CREATED | StatusCode::BAD_GATEWAY))
}
