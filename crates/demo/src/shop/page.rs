//! The shop over HTTP: orders for customers, and a page for whoever wants to watch.
//!
//! `POST /{town}/orders?customer=17` orders; `GET /` is the page.

use super::Shop;
use super::customer::Customer;
use super::order::{Banner, Receipt};
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::sync::Arc;
use yardarm_listen::Router;

/// The routes of the shop.
pub(crate) fn routes(shop: Arc<Shop>) -> Router {
    Router::new().route("/", get(page)).route("/{town}/orders", post(order)).with_state(shop)
}

#[derive(Deserialize)]
struct OrderQuery {
    customer: u32,
}

/// A receipt as customers get it.
#[derive(Serialize)]
struct Printed<'a> {
    banner: Option<&'a Banner>,
    segment: &'a str,
    discount: u32,
    recommendations: u32,
    #[serde(rename = "newCheckout")]
    new_checkout: bool,
}

async fn order(
    State(shop): State<Arc<Shop>>,
    Path(town): Path<String>,
    Query(OrderQuery { customer }): Query<OrderQuery>,
) -> Response {
    let Some(branch) = shop.branch(&town) else { return StatusCode::NOT_FOUND.into_response() };
    let Receipt { offer, paid, .. } = shop.sell(branch, &Customer::numbered(customer)).await;
    let printed = Printed {
        banner: offer.banner.as_ref(),
        segment: &offer.segment,
        discount: offer.discount,
        recommendations: offer.recommendations,
        new_checkout: offer.new_checkout,
    };
    let status = if paid { StatusCode::CREATED } else { StatusCode::BAD_GATEWAY };
    match serde_json::to_vec(&printed) {
        Ok(body) => (status, [(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn page(State(shop): State<Arc<Shop>>) -> Html<String> {
    Html(html(&shop))
}

/// What a person who walks by is offered: somebody without a card, whom rollouts reach last.
const PASSER_BY: u32 = 3;

fn html(shop: &Shop) -> String {
    let passer_by = Customer::numbered(PASSER_BY);
    let offer = shop.branches.first().map(|branch| branch.offer(&passer_by)).unwrap_or_default();
    let banner = match &offer.banner {
        Some(Banner { name, description, price }) => format!(
            "<section class=\"banner\"><h2>{}</h2><p>{}</p><strong>€ {price:.2}</strong></section>",
            escaped(name),
            escaped(description)
        ),
        None => "<section class=\"banner none\"><h2>Coffee, as always</h2></section>".to_owned(),
    };
    let (sales, unpaid, unpaid_percent, wait) = shop.till(|till| {
        (till.sales(), till.unpaid(), till.unpaid_percent(), till.middle_wait(std::time::Duration::ZERO))
    });
    let wait = wait.map_or_else(|| "–".to_owned(), |wait| format!("{} ms", wait.as_millis()));
    let mut rows = String::new();
    for branch in &shop.branches {
        let offer = branch.offer(&passer_by);
        let state = if branch.is_current() { "current" } else { "from memory" };
        let _ = write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{state}</td></tr>",
            branch.town(),
            if offer.new_checkout { "new" } else { "old" },
            offer.recommendations,
        );
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"1\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Lambda Latte</title><style>{STYLE}</style></head>\
         <body><h1>Lambda Latte</h1>{banner}<dl><div><dt>orders</dt><dd>{sales}</dd></div><div><dt>unpaid</dt>\
         <dd>{unpaid}</dd></div><div class=\"{alarm}\"><dt>unpaid lately</dt><dd>{unpaid_percent} %</dd></div><div><dt>wait</dt>\
         <dd>{wait}</dd></div></dl><table><thead><tr><th>branch</th><th>checkout</th><th>recommendations</th><th>flags</th>\
         </tr></thead><tbody>{rows}</tbody></table></body></html>",
        alarm = if unpaid_percent >= crate::alarm::FIRES_AT_PERCENT { "alarm" } else { "" },
    )
}

const STYLE: &str = "\
    body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#2b211c;background:#fbf7f3}\
    h1{margin:0 0 1rem}.banner{background:#7a1f2b;color:#fff;border-radius:.75rem;padding:1rem 1.5rem}\
    .banner h2,.banner p{margin:0}.banner strong{font-size:1.5rem}.none{background:#6f5b4c}\
    dl{display:flex;flex-wrap:wrap;gap:1rem;margin:1rem 0}dl div{flex:1;background:#fff;border:1px solid #e5dad0;\
    border-radius:.75rem;padding:.5rem 1rem}dt{color:#756558}dd{margin:0;font-size:1.5rem;font-variant-numeric:tabular-nums}\
    dl .alarm{background:#b3261e;color:#fff}dl .alarm dt{color:#fff}table{width:100%;border-collapse:collapse}\
    th,td{text-align:left;padding:.15rem .5rem;border-bottom:1px solid #e5dad0}";

/// Text for HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_a_flag_says_is_shown_and_not_obeyed() {
        assert_eq!(escaped("<b>\"a\" & b</b>"), "&lt;b&gt;&quot;a&quot; &amp; b&lt;/b&gt;");
    }
}
