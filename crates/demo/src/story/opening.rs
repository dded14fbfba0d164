//! A server is started, the shop opens, customers come.

use super::DemoSettings;
use super::stage::Stage;
use crate::alarm::Watch;
use crate::customers::Customers;
use crate::estate::{self, Estate};
use crate::failure::DemoError;
use crate::operator::Operator;
use crate::server_process::ServerProcess;
use crate::shop::{Shop, page};
use crate::waiting::until;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::task::JoinSet;
use yardarm_listen::{Bounds, Listener};

pub(super) async fn tell(settings: &DemoSettings) -> Result<Stage, DemoError> {
    let (audience, binary) = (settings.audience, &*settings.binary);
    audience.chapter(1, "The shop opens");
    let folder = tempfile::Builder::new()
        .prefix("yardarm-demo-")
        .tempdir()
        .map_err(DemoError::machine("the story has no folder"))?;
    let mut server = ServerProcess::new(binary, folder.path().join("server"));
    server.start().await?;
    let estate = Estate::found(estate::server(&server.url())?).await?;
    let shop = Arc::new(Shop::open(&estate.server, &folder.path().join("branches")).await?);
    let listener = Listener::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))
        .await
        .map_err(DemoError::machine("the shop has no address"))?;
    let address = listener.address().map_err(DemoError::machine("the shop has no address"))?;
    let routes = page::routes(shop.clone());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        yardarm_listen::serve(listener, routes, &Bounds::default(), std::future::pending()).await
    });
    let customers = Customers::come(&shop, address)?;
    let alarm = Watch::begin(shop.clone(), estate.server.clone());
    let stage = Stage {
        audience,
        customers,
        alarm,
        shop,
        operator: Operator::new(binary, &server.url(), audience),
        estate,
        server,
        page: format!("http://{address}/"),
        figures: vec![],
        serving,
        folder,
    };
    stage.everywhere(1).await?;
    until("the alarm is quiet", || stage.alarm.is_quiet().then_some(())).await?;
    stage.orders(20).await?;
    audience.narrate(
        "A server runs on an embedded store. Twenty branches follow its flags, each evaluates them by itself, and customers \
         order. An alarm watches how many orders are paid.",
    );
    audience.tell(&format!("  server    {}", stage.server.url()));
    audience.tell(&format!("  the shop  {}   (have a look: the page follows the flags)", stage.page));
    Ok(stage)
}
