//! How often each variant of each flag was returned.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use yardarm_flags::Evaluation;
use yardarm_flags::document::FlagKey;

/// The most variants that are counted of one configuration: more than one document has.
const MOST: usize = 20_000;

/// Counters by flag and variant. A flag without variants counts under an empty one.
#[derive(Debug, Default)]
pub struct Counts(RwLock<Counters>);

#[derive(Debug, Default)]
struct Counters {
    flags: BTreeMap<Box<str>, BTreeMap<Box<str>, AtomicU64>>,
    counters: usize,
}

impl Counters {
    fn find(&self, flag: &str, variant: &str) -> Option<&AtomicU64> {
        self.flags.get(flag)?.get(variant)
    }
}

impl Counts {
    /// Counts a variant that was returned. Takes a lock for writing only the first time.
    pub fn count(&self, flag: &FlagKey, variant: Option<&str>) {
        let (flag, variant) = (flag.as_str(), variant.unwrap_or_default());
        if let Some(counter) = self.0.read().unwrap_or_else(PoisonError::into_inner).find(flag, variant) {
            counter.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut counters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if counters.find(flag, variant).is_none() {
            if counters.counters >= MOST {
                return;
            }
            counters.counters += 1;
        }
        let variants = counters.flags.entry(flag.into()).or_default();
        variants.entry(variant.into()).or_default().fetch_add(1, Ordering::Relaxed);
    }

    /// For counting what an iterator passes on.
    pub(crate) fn each<'f>(&self) -> impl FnMut(&(&'f FlagKey, Evaluation<'f>)) + '_ {
        |(flag, evaluation)| self.count(flag, evaluation.variant)
    }

    /// All counters: flag, variant, count.
    #[must_use]
    pub fn all(&self) -> Vec<(String, String, u64)> {
        let counters = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = vec![];
        for (flag, variants) in &counters.flags {
            for (variant, counter) in variants {
                all.push((flag.to_string(), variant.to_string(), counter.load(Ordering::Relaxed)));
            }
        }
        all
    }
}
