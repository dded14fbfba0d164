//! Files and folders that only their owner may read.

use crate::commands::Failure;
use crate::environment;
use crate::options::InForce;
use std::fs;
use std::io;
use std::path::Path;
use yardarm_client::private_file;
use yardarm_node::{MasterKeys, OsEntropy};

/// Makes a folder, and those above it, for the owner only. One that exists is left as it is.
pub(crate) fn make_folder(path: &Path) -> Result<(), Failure> {
    private_file::make_folder(path)
        .map_err(|error| Failure::failed(format!("the folder {} cannot be made: {error}", path.display())))
}

/// The master keys: from the environment, from their file, or made and put there.
///
/// A key is made only for a store that does not exist yet: a new key would open nothing of an old one.
pub(crate) fn master_keys(options: &InForce) -> Result<MasterKeys, Failure> {
    if let Some(text) = environment::secret("YARDARM_MASTER_KEY") {
        return MasterKeys::parse(&text)
            .map_err(|error| Failure::usage(format!("YARDARM_MASTER_KEY: {error}")));
    }
    let path = options.master_key_path();
    let shown = path.display();
    match fs::read_to_string(&path) {
        Ok(text) => MasterKeys::parse(&text).map_err(|error| Failure::failed(format!("{shown}: {error}"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !options.database().exists() => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                make_folder(folder)?;
            }
            let text = format!(
                "# Yardarm's master key: opens the secrets in the store. Keep it apart from backups of the store.\n{}\n",
                *MasterKeys::generate(&OsEntropy)
            );
            private_file::create(&path, text.as_bytes())
                .map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
            MasterKeys::parse(&text).map_err(|error| Failure::failed(error.to_string()))
        }
        Err(error) => Err(Failure::failed(format!(
            "the master key {shown} cannot be read: {error}. The store's secrets open with that key only; \
             put it back, or name it with --master-key-file or YARDARM_MASTER_KEY."
        ))),
    }
}
