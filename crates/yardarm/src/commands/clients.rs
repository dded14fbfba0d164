//! Clients of a deployment and versions known to be good, for `yardarm deployment`.

use super::output::{Output, Table, print_json};
use super::{Failure, say};
use crate::api::Api;
use http::Method;
use yardarm_wire::clients::{ClientStanding, DeploymentClients};
use yardarm_wire::native::Items;
use yardarm_wire::recovery::KnownGood;

/// The clients that acknowledge what they are given, and where they stand.
pub(super) fn of_deployment(api: &Api, target: &str, output: Output) -> Result<(), Failure> {
    let found: DeploymentClients = api.call(Method::GET, target, None::<&()>)?;
    match output {
        Output::Json => print_json(&found)?,
        Output::Table => show(&found),
    }
    Ok(())
}

/// The last versions whose bake passed and that were not reverted.
pub(super) fn known_good(api: &Api, target: &str, output: Output) -> Result<(), Failure> {
    let found: Items<KnownGood> = api.call(Method::GET, target, None::<&()>)?;
    match output {
        Output::Json => print_json(&found)?,
        Output::Table => show_good(&found.items),
    }
    Ok(())
}

fn show_good(versions: &[KnownGood]) {
    let mut table = Table::new(["VERSION", "LABEL", "DEPLOYMENT", "COMPLETED", "SHA-256"]);
    for good in versions {
        table.row([
            &*good.version.to_string(),
            good.label.as_deref().unwrap_or(""),
            &*good.deployment_number.to_string(),
            &*good.completed_at.timestamp().to_string(),
            &*good.sha256,
        ]);
    }
    table.print();
}

fn show(found: &DeploymentClients) {
    let mut table = Table::new(["CLIENT", "SOFTWARE", "STANDS", "SINCE", "HEARD OF", "REASON"]);
    // Who is in the way comes first.
    for standing in
        [ClientStanding::Refused, ClientStanding::Lags, ClientStanding::Applied, ClientStanding::NotExposed]
    {
        for client in found.items.iter().filter(|client| client.standing == standing) {
            table.row([
                &*client.client,
                &*client.software,
                client.standing.as_str(),
                &client.since.timestamp().to_string(),
                &client.heard_at.timestamp().to_string(),
                client.reason.as_deref().unwrap_or(""),
            ]);
        }
    }
    table.print();
    let DeploymentClients { exposed, applied, refused, lagging, .. } = found;
    say(format!("{exposed} exposed: {applied} have applied it, {refused} refused it, {lagging} lag."));
    if let Some(holds) = &found.holds {
        say(format!("The deployment holds. {holds}"));
    }
}
