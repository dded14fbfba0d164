//! What clients are told of a state: made once for each form that is asked for, and shared by all who are told.

use super::super::configuration::name;
use super::{state, tag};
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
use yardarm_node::Served;
use yardarm_wire::rollout_events;

/// One form for each set of versions that a client has already.
const FORMS: usize = 16;

/// A state, and its event in the forms in which it was asked for.
#[derive(Debug)]
pub(super) struct Told {
    served: Arc<Served>,
    seq: u64,
    /// Names all of it.
    pub(super) tag: Arc<str>,
    /// What its versions are called, in order.
    names: Vec<String>,
    forms: [OnceLock<Option<Bytes>>; FORMS],
}

impl Told {
    /// `seq`: up to where the log is known to be in `served`.
    pub(super) fn new(served: Arc<Served>, seq: u64) -> Self {
        let tag = tag(&served).into();
        let names = served.versions().map(|version| name(version)).collect();
        Self { served, seq, tag, names, forms: Default::default() }
    }

    /// Whether it is of this state.
    pub(super) fn is_of(&self, served: &Arc<Served>) -> bool {
        Arc::ptr_eq(&self.served, served)
    }

    /// The event for a client that has the state that `known` names: without the contents that it has by that. `None` never
    /// happens: it cannot be written.
    pub(super) fn event(&self, known: &str) -> Option<Bytes> {
        let form = self.names.iter().rev().fold(0, |form, name| form * 2 + usize::from(has(known, name)));
        self.forms.get(form)?.get_or_init(|| self.make(form)).clone()
    }

    /// `form`: a bit for each version, in order, that says whether the client has it.
    fn make(&self, form: usize) -> Option<Bytes> {
        let mut state = state(&self.served, self.seq);
        for (index, version) in state.versions_mut().enumerate() {
            if (form >> index) & 1 == 1 {
                (version.content, version.content_base64) = (None, None);
            }
        }
        let event = rollout_events::state(&self.tag, &state);
        event.inspect_err(|error| tracing::error!(%error, "an event cannot be written")).ok().map(Bytes::from)
    }
}

/// Whether the version `name` is one of those in the state that has the tag `known`.
fn has(known: &str, name: &str) -> bool {
    known.trim_matches('"').split('.').any(|part| part == name)
}
