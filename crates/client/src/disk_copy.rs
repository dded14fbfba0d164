//! The last answer of a server on disk, so that a program starts while no server can be reached.
//!
//! One file for each configuration of a server: a line of JSON that says what it is, then the answer as it came.
//! **Invariants:** a copy is the owner's only, replaced whole, and believed only if its hash is right and it is of the
//! configuration asked for.

use crate::place::Place;
use crate::private_file;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// What a copy calls its form.
const FORM: &str = "yardarm-rollout-1";

/// Room for the line that says what a copy is.
const DESCRIPTION_BYTES: usize = 16 * 1024;

/// Where the copy of one configuration is.
#[derive(Clone, Debug)]
pub(crate) struct DiskCopy {
    path: PathBuf,
    server: String,
    place: Place,
    /// Bytes of an answer.
    limit: usize,
}

/// The line before the answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    form: String,
    server: String,
    application: String,
    environment: String,
    profile: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// Of the answer.
    sha256: String,
}

/// An answer that was kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) etag: Option<String>,
    pub(crate) answer: Vec<u8>,
}

impl DiskCopy {
    /// The copy in `folder` of what `server` says about `place`. The folder is made.
    pub(crate) fn new(folder: &Path, server: &str, place: &Place, limit: usize) -> io::Result<Self> {
        private_file::make_folder(folder)?;
        let names = [server, &place.application, &place.environment, &place.profile];
        let name = hex(&Sha256::digest(names.join("\0")));
        let path = folder.join(format!("{}.rollout", name.get(..32).unwrap_or(&name)));
        Ok(Self { path, server: server.into(), place: place.clone(), limit })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the copy. Blocks while the disk writes.
    pub(crate) fn save(&self, etag: Option<&str>, answer: &[u8]) -> io::Result<()> {
        let mut file = serde_json::to_vec(&self.describe(etag, answer))?;
        file.push(b'\n');
        file.extend_from_slice(answer);
        private_file::replace(&self.path, &file)
    }

    /// Reads the copy; `None` if there is none. Blocks while the disk reads.
    pub(crate) fn load(&self) -> Result<Option<Kept>, UnusableCopy> {
        let Some(file) = private_file::read(&self.path, self.limit.saturating_add(DESCRIPTION_BYTES))? else {
            return Ok(None);
        };
        let end = file.iter().position(|byte| *byte == b'\n').ok_or(UnusableCopy::Damaged)?;
        let (line, rest) = file.split_at(end);
        let answer = rest.get(1..).unwrap_or_default();
        let found: Description = serde_json::from_slice(line).map_err(|_| UnusableCopy::Damaged)?;
        let wanted = self.describe(found.etag.as_deref(), answer);
        if found.form != wanted.form {
            return Err(UnusableCopy::OtherForm(found.form));
        }
        if found.sha256 != wanted.sha256 {
            return Err(UnusableCopy::Damaged);
        }
        let address = |of: &Description| {
            [&of.server, &of.application, &of.environment, &of.profile].map(ToString::to_string)
        };
        if address(&found) != address(&wanted) {
            return Err(UnusableCopy::OfAnother);
        }
        Ok(Some(Kept { etag: found.etag, answer: answer.to_vec() }))
    }

    fn describe(&self, etag: Option<&str>, answer: &[u8]) -> Description {
        Description {
            form: FORM.into(),
            server: self.server.clone(),
            application: self.place.application.clone(),
            environment: self.place.environment.clone(),
            profile: self.place.profile.clone(),
            etag: etag.map(Into::into),
            sha256: hex(&Sha256::digest(answer)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a `String` does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Why a copy is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableCopy {
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    #[error("it is damaged")]
    Damaged,
    #[error("its form is `{0}`, not `{FORM}`")]
    OtherForm(String),
    #[error("it is of another configuration")]
    OfAnother,
}

#[cfg(test)]
mod tests {
    use super::{DiskCopy, Kept, UnusableCopy};
    use crate::place::Place;
    use proptest::prelude::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const LIMIT: usize = 1_000;

    fn copy(folder: &std::path::Path, profile: &str) -> DiskCopy {
        DiskCopy::new(folder, "http://a", &Place::new("shop", "prod", profile), LIMIT).unwrap()
    }

    #[test]
    fn what_is_saved_is_loaded_and_is_the_owners_only() {
        let folder = tempfile::tempdir().unwrap();
        let one = copy(&folder.path().join("made/on/the/way"), "flags");
        assert_eq!(one.load().unwrap(), None);
        for (etag, answer) in [(Some("\"1\""), "first\nline"), (None, "")] {
            one.save(etag, answer.as_bytes()).unwrap();
            let kept = Kept { etag: etag.map(Into::into), answer: answer.into() };
            assert_eq!(one.load().unwrap(), Some(kept));
        }
        assert_eq!(fs::metadata(one.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_copy_of_another_configuration_is_not_taken_for_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (copy(folder.path(), "one"), copy(folder.path(), "other"));
        one.save(None, b"one").unwrap();
        assert_eq!(other.load().unwrap(), None);
        fs::copy(one.path(), other.path()).unwrap();
        assert!(matches!(other.load(), Err(UnusableCopy::OfAnother)));
    }

    #[test]
    fn a_copy_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let one = copy(folder.path(), "flags");
        fs::write(one.path(), vec![b'x'; 100_000]).unwrap();
        assert!(matches!(one.load(), Err(UnusableCopy::Unreadable(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_changed_byte_of_the_answer_is_noticed(at in 0_usize..40, bit in 0_u8..8) {
            let folder = tempfile::tempdir().unwrap();
            let one = copy(folder.path(), "flags");
            let answer = [b'a'; 40];
            one.save(Some("\"7\""), &answer).unwrap();
            let mut file = fs::read(one.path()).unwrap();
            let place = file.len() - answer.len() + at;
            file[place] ^= 1 << bit;
            fs::write(one.path(), &file).unwrap();
            prop_assert!(matches!(one.load(), Err(UnusableCopy::Damaged)));
        }

        #[test]
        fn whatever_is_on_the_disk_does_not_panic(file in proptest::collection::vec(any::<u8>(), 0..300)) {
            let folder = tempfile::tempdir().unwrap();
            let one = copy(folder.path(), "flags");
            fs::write(one.path(), &file).unwrap();
            prop_assert!(one.load().is_err());
        }
    }
}
