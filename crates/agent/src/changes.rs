//! Who wants to hear that what is held in an environment has changed.
//!
//! **Invariants:** nobody waits for a listener: of several changes a slow one hears once; what is announced is held
//! already; places that nobody listens to are forgotten.

use crate::name::Place;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// All listeners.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<HashMap<Place, watch::Sender<()>>>);

impl Changes {
    /// Hears of changes in `place` from now on.
    pub(crate) fn subscribe(&self, place: &Place) -> watch::Receiver<()> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !places.contains_key(place) {
            // As many remain as there are open connections, at most.
            places.retain(|_, sender| sender.receiver_count() > 0);
        }
        places.entry(place.clone()).or_default().subscribe()
    }

    /// Tells those who listen.
    pub(crate) fn announce(&self, place: &Place) {
        if let Some(sender) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(place) {
            sender.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(environment: &str) -> Place {
        Place { application: "shop".into(), environment: environment.into() }
    }

    #[test]
    fn only_those_who_listen_there_hear_and_the_others_are_forgotten() {
        let changes = Changes::default();
        let (prod, test) = (changes.subscribe(&place("prod")), changes.subscribe(&place("test")));
        for _ in 0..3 {
            changes.announce(&place("prod"));
        }
        changes.announce(&place("nobody's"));
        assert!(prod.has_changed().unwrap() && !test.has_changed().unwrap());
        drop(test);
        let _other = changes.subscribe(&place("other"));
        assert_eq!(changes.0.lock().unwrap().len(), 2);
    }
}
