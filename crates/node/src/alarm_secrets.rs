//! Secrets of alarms: what whoever pushes an alarm's state has to show.
//!
//! A secret is `yda_` and 256 random bits. **Invariants:** nothing but its hash is kept; it is good for one alarm; it is
//! recognised by the world in memory.

use crate::error::Error;
use crate::node::{Cause, Node};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;
use yardarm_domain::{AlarmArn, AlarmSource, PutAlarm, TokenHash};
use zeroize::Zeroizing;

/// What every secret begins with, so that it is recognised where it should not be.
const PREFIX: &str = "yda_";

impl Node {
    /// Carries out `command`. An alarm whose state is pushed gets a secret if it has none, or if `new_secret` asks for
    /// another one: the only time that it is shown.
    ///
    /// # Errors
    /// The command is refused, or the log does not answer.
    pub async fn put_alarm(
        &self,
        command: PutAlarm,
        new_secret: bool,
        cause: Cause,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        let view = self.newest_view().await?;
        let has_one = view.world.alarms().get(&command.arn).is_some_and(|alarm| alarm.secret.is_some());
        let secret =
            (command.source == AlarmSource::Pushed && (new_secret || !has_one)).then(|| self.draw_secret());
        let command = PutAlarm { secret: secret.as_ref().map(|secret| hash(secret)), ..command };
        self.execute(command, cause).await?;
        Ok(secret)
    }

    /// The alarm whose secret `text` is. `None`: of none.
    #[must_use]
    pub fn alarm_of_secret(&self, text: &str) -> Option<AlarmArn> {
        if !text.starts_with(PREFIX) {
            return None;
        }
        let shown = hash(text);
        let view = self.view();
        let mut alarms = view.world.alarms().values();
        let found =
            alarms.find(|alarm| alarm.secret.is_some_and(|secret| bool::from(secret.0.ct_eq(&shown.0))));
        found.map(|alarm| alarm.arn.clone())
    }

    fn draw_secret(&self) -> Zeroizing<String> {
        let mut secret = Zeroizing::new([0; 32]);
        self.shared().entropy.fill(&mut *secret);
        Zeroizing::new(format!("{PREFIX}{}", *Zeroizing::new(URL_SAFE_NO_PAD.encode(*secret))))
    }
}

fn hash(text: &str) -> TokenHash {
    let mut hash = [0; 32];
    for (slot, byte) in hash.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
        *slot = *byte;
    }
    TokenHash(hash)
}
