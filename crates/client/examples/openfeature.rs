//! A program that reads a flag by OpenFeature whenever it changes, evaluated in its own process.
//!
//! `cargo run -p yardarm-client --example openfeature -- APPLICATION ENVIRONMENT PROFILE FLAG` against `yardarm serve`.
//! `YARDARM_URL` and `YARDARM_TOKEN` say which server and with which token; towards `yardarm serve --dev` on this machine
//! neither is needed.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "an example")]

use open_feature::{EvaluationContext, OpenFeature};
use std::env;
use std::error::Error;
use std::sync::Arc;
use yardarm_client::{
    Credentials, HttpClient, HttpSettings, LiveFlags, LiveSettings, Place, Provider, Server,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: openfeature APPLICATION ENVIRONMENT PROFILE FLAG");
    let (place, flag) = (Place::new(&next()?, &next()?, &next()?), next()?);

    let url = env::var("YARDARM_URL").unwrap_or_else(|_| "http://127.0.0.1:4770".into());
    let credentials = match env::var("YARDARM_TOKEN") {
        Ok(token) => Credentials::token(&token).ok_or("YARDARM_TOKEN is no token")?,
        Err(_) => Credentials::signature("yardarm", "yardarm-dev-secret", "us-east-1"),
    };
    let server = Server::new(HttpClient::new(&HttpSettings::default())?, url.parse()?, credentials);

    // The copies make a start without the server possible.
    let copies = Some(env::temp_dir().join("yardarm-example"));
    let settings = LiveSettings { copies, ..LiveSettings::default() };
    let flags = Arc::new(LiveFlags::start(server, place, settings).await);
    OpenFeature::singleton_mut().await.set_provider(Provider::new([flags.clone()])).await;

    let client = OpenFeature::singleton().await.create_client();
    let user = EvaluationContext::default().with_targeting_key("user-17").with_custom_field("country", "DE");
    let mut changes = flags.watch_changes();
    loop {
        let freshness = flags.freshness();
        match client.get_bool_details(&flag, Some(&user), None).await {
            Ok(told) => println!("{flag} is {} ({:?}, {freshness:?})", told.value, told.reason),
            // No value is no reason to stop: the program's own default applies.
            Err(error) => println!("{flag} is off by default: {:?} ({freshness:?})", error.message),
        }
        changes.changed().await?;
    }
}
