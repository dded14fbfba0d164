//! Everything that is there while the story is told.

use crate::alarm::Watch;
use crate::audience::Audience;
use crate::customers::Customers;
use crate::estate::Estate;
use crate::failure::DemoError;
use crate::operator::Operator;
use crate::server_process::ServerProcess;
use crate::shop::Shop;
use crate::waiting::until;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// Everything that is there. What ends first is written first.
pub(super) struct Stage {
    pub(super) audience: Audience,
    pub(super) customers: Customers,
    pub(super) alarm: Watch,
    pub(super) shop: Arc<Shop>,
    pub(super) operator: Operator,
    pub(super) estate: Estate,
    pub(super) server: ServerProcess,
    /// Where the shop is.
    pub(super) page: String,
    /// What is worth knowing in the end.
    pub(super) figures: Vec<(&'static str, String)>,
    pub(super) serving: JoinSet<bool>,
    pub(super) folder: TempDir,
}

impl Stage {
    /// Deploys a change at once, by what a person types, and waits until every branch has it. Answers how long that took,
    /// from the beginning of the deployment.
    pub(super) async fn change_at_once(&self, flag: &str, values: &[&str]) -> Result<Duration, DemoError> {
        let mut arguments = vec!["flag", "set", flag];
        arguments.extend(values);
        arguments.extend(["--deploy", "--strategy", crate::estate::INSTANT, "--wait", "--yes"]);
        self.operator.types(&arguments).await?;
        let latest = self.estate.latest_deployment().await?;
        let version = latest.configuration_version.parse().unwrap_or_default();
        let at = self.everywhere(version).await?;
        Ok(between(latest.started_at.timestamp(), at))
    }

    /// When the last branch got `version`, which all of them will.
    pub(super) async fn everywhere(&self, version: u32) -> Result<Timestamp, DemoError> {
        let what = format!("every branch has version {version}");
        until(&what, || {
            let since: Option<Vec<_>> =
                self.shop.branches.iter().map(|branch| branch.has_since(version)).collect();
            since?.into_iter().max()
        })
        .await
    }

    /// Waits for so many more orders.
    pub(super) async fn orders(&self, count: u64) -> Result<(), DemoError> {
        let wanted = self.shop.till(|till| till.sales()) + count;
        until(&format!("{count} more orders"), || {
            self.shop.till(|till| (till.sales() >= wanted).then_some(()))
        })
        .await
    }

    /// Keeps a figure for the end.
    pub(super) fn keep(&mut self, what: &'static str, took: Duration) {
        self.figures.push((what, format!("{} ms", took.as_millis())));
    }

    /// Ends all of it.
    pub(super) async fn close(mut self) -> Result<(), DemoError> {
        drop((self.customers, self.alarm));
        self.serving.shutdown().await;
        self.server.kill().await?;
        self.folder.close().map_err(DemoError::machine("the story's folder stays behind"))
    }
}

/// From `start` to `end`; nothing if the clock was set back. The server tells times in whole milliseconds.
pub(super) fn between(start: Timestamp, end: Timestamp) -> Duration {
    end.duration_since(start).try_into().unwrap_or_default()
}
