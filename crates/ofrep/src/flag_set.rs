//! What there is to evaluate: the flags of an environment's configuration profiles, merged into one set.
//!
//! **Invariant:** where two profiles have a flag of the same key the earlier one has it, with all its attributes; what the
//! later one says of that flag is not seen.

use crate::tag::Identity;
use crate::write::Metadata;
use yardarm_flags::{CompiledFlags, Context, Resolution};

/// The flags of one configuration profile, in the version that the caller gets.
#[derive(Clone, Copy, Debug)]
pub struct Configuration<'a> {
    /// The profile's name.
    pub profile: &'a str,
    /// The version, as clients are told it.
    pub version: &'a str,
    /// The version's label.
    pub label: Option<&'a str>,
    /// Tells the flags of this version from those of any other: a hash of them.
    pub content: &'a [u8],
    /// The flags.
    pub flags: &'a CompiledFlags,
}

impl Configuration<'_> {
    pub(crate) fn metadata(&self) -> Metadata {
        Metadata::new(self.profile, self.version, self.label)
    }
}

/// The flags that one caller sees.
#[derive(Clone, Copy, Debug)]
pub struct FlagSet<'a> {
    /// Names the set in metadata and tells it from others: an application and an environment.
    pub id: &'a str,
    /// What the caller may see, as far as callers differ in that.
    pub scope: &'a str,
    /// The configurations, in the order in which they count.
    pub configurations: &'a [Configuration<'a>],
}

impl<'a> FlagSet<'a> {
    /// What `key` is for `context`, in which configuration and at which place that is. `None`: there is no such key.
    pub(crate) fn resolve(
        &self,
        key: &str,
        context: &Context<'_>,
    ) -> Option<(usize, &'a Configuration<'a>, Resolution<'a>)> {
        let flag = key.split_once('.').map_or(key, |(flag, _)| flag);
        let mut several = self.configurations.iter().enumerate();
        let (index, configuration) = match self.configurations {
            [only] => (0, only),
            _ => several.find(|(_, configuration)| configuration.flags.flag(flag).is_some())?,
        };
        Some((index, configuration, configuration.flags.resolve(key, context)?))
    }

    /// Whether a configuration before the one at `index` has the flag.
    fn is_hidden(&self, index: usize, flag: &str) -> bool {
        self.configurations.iter().take(index).any(|earlier| earlier.flags.flag(flag).is_some())
    }

    /// Hands every key and what it is for `context` to `each`, in the order of the keys' bytes. The number is the place of
    /// the key's configuration.
    pub(crate) fn resolve_all(
        &self,
        context: &Context<'_>,
        mut each: impl FnMut(usize, &'a str, Resolution<'a>),
    ) {
        if let [only] = self.configurations {
            only.flags.resolve_all(context).for_each(|(key, resolution)| each(0, key.as_str(), resolution));
            return;
        }
        let mut heads: Vec<_> = self
            .configurations
            .iter()
            .enumerate()
            .map(|(index, configuration)| (index, configuration.flags.resolve_all(context).peekable()))
            .collect();
        // Few configurations: looking at all of them for the next key is quicker than a heap.
        loop {
            let next =
                heads.iter_mut().filter_map(|(index, keys)| Some((keys.peek()?.0.as_str(), *index))).min();
            let Some((_, index)) = next else { return };
            let Some((key, resolution)) = heads.get_mut(index).and_then(|(_, keys)| keys.next()) else {
                return;
            };
            if !self.is_hidden(index, resolution.flag.as_str()) {
                each(index, key.as_str(), resolution);
            }
        }
    }

    /// What makes this set's answers what they are.
    pub(crate) fn identify(&self, identity: &mut Identity) {
        identity.part(self.id.as_bytes());
        identity.part(self.scope.as_bytes());
        for configuration in self.configurations {
            identity.part(configuration.profile.as_bytes());
            identity.part(configuration.version.as_bytes());
            identity.part(configuration.label.unwrap_or_default().as_bytes());
            identity.part(configuration.content);
        }
    }
}
