//! Files that only their owner may read, replaced whole: after a crash the old or the new content is there.
//!
//! These functions block while the disk writes; a task asks for them on a thread that may.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Owner: read and write. Nobody else.
const OWNER_ONLY: u32 = 0o600;

/// Replaces the file, or makes it. Of one file there is one writer in a process.
///
/// # Errors
/// The folder is missing, or the disk refuses; the file is then as it was.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = beside(path)?;
    // What a process with our number has left behind when it crashed.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let written = create(&beside, content).and_then(|()| fs::rename(&beside, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        Some(_) | None => Ok(()),
    }
}

/// Writes a file that must not exist yet, and sees it to the disk.
///
/// # Errors
/// The file exists, its folder is missing, or the disk refuses.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Reads a file of at most `limit` bytes; `None` if there is none.
///
/// # Errors
/// The file cannot be read, or is longer.
pub fn read(path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    file.take(most.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {limit} bytes")));
    }
    Ok(Some(content))
}

/// Makes a folder, and those above it, for the owner only. One that exists is left as it is.
///
/// # Errors
/// It cannot be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Where the new content is written: in the same folder, so that renaming is one step; hidden, so that nobody reads it;
/// with the number of the process, so that two of them cannot write into one file.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{} names no file", path.display()))
    })?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    Ok(path.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use super::{beside, make_folder, read, replace};
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    fn names(folder: &std::path::Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_whole_and_is_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        for content in ["first", "second, longer", ""] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(read(&path, 64).unwrap().unwrap(), content.as_bytes());
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["copy"]);
    }

    #[test]
    fn what_a_crash_has_left_behind_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        fs::write(beside(&path).unwrap(), "half").unwrap();
        replace(&path, b"whole").unwrap();
        assert_eq!(read(&path, 64).unwrap().unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["copy"]);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        make_folder(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        assert!(replace(&path, b"cannot replace a folder").is_err());
        assert_eq!(names(folder.path()), ["copy"]);
        assert!(replace(&folder.path().join("missing/copy"), b"").is_err());
        assert!(replace(std::path::Path::new("/"), b"").is_err());
    }

    #[test]
    fn reading_is_bounded_and_absence_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        assert_eq!(read(&path, 4).unwrap(), None);
        replace(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap().unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
