//! The files of a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// All files at and below `path`, in the order of their names. A `path` that is no directory is a list of one.
///
/// Symbolic links to files are followed, those to directories are not, so that there is an end. Pipes, sockets and
/// devices in a directory are passed over.
///
/// # Errors
///
/// When a directory cannot be read; the text names it.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(&directory).map_err(|error| about(&directory, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| about(&directory, &error))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| about(&path, &error))?;
            // `is_file` follows links; a link into the void is no file.
            if kind.is_dir() {
                directories.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
