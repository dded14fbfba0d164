//! Records, their numbers and the hash chain that ties each to the one before.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Position in the log. The first record has 1; zero stands for the empty log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first record.
    pub const ZERO: Self = Self(0);

    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-256 over a record, including the digest of the record before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What the first record names as the one before it.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A record before it has a place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// When it was decided, milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Who asked for it: an access key id, or a name that none has, for what a node does by itself.
    pub actor: String,
    /// The request that caused it.
    pub request_id: String,
    /// Why, when somebody said so.
    pub reason: Option<String>,
    /// Stable name of the event, for example `application-created`.
    pub kind: String,
    /// Version of the event's body.
    pub version: u16,
    /// The event itself: JSON text.
    pub body: String,
}

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its position.
    pub seq: Seq,
    /// Digest of the record before it; [`Digest::ZERO`] for the first.
    pub previous: Digest,
    /// Digest of this record.
    pub digest: Digest,
    /// What was recorded.
    pub draft: Draft,
}

impl Record {
    /// Gives `draft` its place after the record whose digest is `previous`.
    #[must_use]
    pub fn seal(seq: Seq, previous: Digest, draft: Draft) -> Self {
        Self { seq, previous, digest: digest(seq, previous, &draft), draft }
    }

    /// Whether the digest is the one this content must have.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        digest(self.seq, self.previous, &self.draft) == self.digest
    }
}

/// Every field is preceded by its length, so that no two records share an encoding.
fn digest(seq: Seq, previous: Digest, draft: &Draft) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(seq.0.to_be_bytes());
    hasher.update(previous.0);
    hasher.update(draft.time_ms.to_be_bytes());
    hasher.update(draft.version.to_be_bytes());
    hasher.update([u8::from(draft.reason.is_some())]);
    let reason = draft.reason.as_deref().unwrap_or_default();
    for field in [&draft.actor, &draft.request_id, reason, &draft.kind, &draft.body] {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    Digest(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drafts() -> impl Strategy<Value = Draft> {
        // Few letters, so that fields often agree and boundaries between them are what differs.
        let text = || "[ab]{0,3}";
        (any::<i64>(), text(), text(), proptest::option::of(text()), text(), any::<u16>(), text()).prop_map(
            |(time_ms, actor, request_id, reason, kind, version, body)| Draft {
                time_ms,
                actor,
                request_id,
                reason,
                kind,
                version,
                body,
            },
        )
    }

    /// Every way to change one field.
    fn changes() -> [fn(&mut Record); 9] {
        [
            |record| record.seq = Seq(record.seq.0 ^ 1),
            |record| record.previous.0[31] ^= 1,
            |record| record.draft.time_ms ^= 1,
            |record| record.draft.actor.push('a'),
            |record| record.draft.request_id.push('a'),
            |record| {
                record.draft.reason = match record.draft.reason.take() {
                    Some(_) => None,
                    None => Some(String::new()),
                }
            },
            |record| record.draft.kind.push('a'),
            |record| record.draft.version ^= 1,
            |record| record.draft.body.push('a'),
        ]
    }

    proptest! {
        #[test]
        fn the_digest_depends_on_every_field(draft in drafts(), seq: u64, previous: [u8; 32]) {
            let record = Record::seal(Seq(seq), Digest(previous), draft);
            prop_assert!(record.is_intact());
            for (field, change) in changes().into_iter().enumerate() {
                let mut changed = record.clone();
                change(&mut changed);
                prop_assert!(!changed.is_intact(), "field {field}");
            }
        }

        #[test]
        fn different_drafts_have_different_digests(a in drafts(), b in drafts(), time_ms: i64, version: u16) {
            // With the numbers the same, only texts and where they end can tell the two apart.
            let [a, b] = [a, b].map(|draft| Draft { time_ms, version, ..draft });
            let same = digest(Seq(1), Digest::ZERO, &a) == digest(Seq(1), Digest::ZERO, &b);
            prop_assert_eq!(same, a == b);
        }

        #[test]
        fn text_moved_across_a_boundary_changes_the_digest(draft in drafts()) {
            let Draft { actor, request_id, reason, kind, body, .. } = draft.clone();
            let moved = [
                Draft { actor: String::new(), request_id: actor.clone() + &request_id, ..draft.clone() },
                Draft { actor: actor + &request_id, request_id: String::new(), ..draft.clone() },
                Draft { kind: String::new(), body: kind.clone() + &body, ..draft.clone() },
                Draft { reason: reason.map(|reason| reason + &kind), kind: String::new(), ..draft.clone() },
            ];
            for other in moved.into_iter().filter(|other| *other != draft) {
                prop_assert_ne!(digest(Seq(1), Digest::ZERO, &draft), digest(Seq(1), Digest::ZERO, &other));
            }
        }
    }

    #[test]
    fn the_digest_of_a_known_record_never_changes() {
        let draft = Draft {
            time_ms: 1_767_225_600_000,
            actor: "AKIAEXAMPLE".into(),
            request_id: "4f1c".into(),
            reason: Some("first".into()),
            kind: "application-created".into(),
            version: 1,
            body: "{\"name\":\"shop\"}".into(),
        };
        let first = Record::seal(Seq(1), Digest::ZERO, draft.clone());
        let second = Record::seal(Seq(2), first.digest, Draft { reason: None, ..draft });
        assert_eq!(
            first.digest.to_string(),
            "360bd41cbe5a4ab6c6f8aaed5aa054aeaeb5c5e913cc7148608fbed8465bd56f"
        );
        assert_eq!(
            second.digest.to_string(),
            "7c0b3c3e98c391302728ae6534d8f7f2825786306fd503860b7e2b87c5f69ff8"
        );
    }
}
