//! The files of a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// All files at and below `path`, in the order of their names. A `path` that is no directory is a list of one.
///
/// Symbolic links to files are followed, those to directories are not, so that there is an end. Pipes, sockets and
/// devices in a directory are passed over. What cannot be read is told to `on_error`, in a text that names it, and the
/// rest is listed all the same.
pub fn files(path: &Path, mut on_error: impl FnMut(io::Error)) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut found = Vec::new();
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        if let Err(error) = list(&directory, &mut found, &mut directories) {
            on_error(about(&directory, &error));
        }
    }
    found.sort_unstable();
    found
}

/// Sorts the entries of one directory into files and directories.
fn list(
    directory: &Path,
    files: &mut Vec<PathBuf>,
    directories: &mut Vec<PathBuf>,
) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let path = entry.path();
        // `is_file` of a path follows links, and a link to a directory is none; a link into the void is neither.
        if kind.is_file() || (kind.is_symlink() && path.is_file()) {
            files.push(path);
        } else if kind.is_dir() {
            directories.push(path);
        }
    }
    Ok(())
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
