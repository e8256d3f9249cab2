//! Which file a name leads to, so that no output overwrites an input.
//!
//! Two names are the same file when they lead to the same inode, through whatever links. Devices
//! and pipes are no files in this sense: many may write to `/dev/null`.

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};

/// What two names of the same file have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// Its device and its number there.
    #[cfg(unix)]
    Inode(u64, u64),
    /// Its name without links and detours; also of a file that is still to be made.
    Path(PathBuf),
}

impl Identity {
    /// Of the file that `path` leads to, or that would be made there.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                Self::of_metadata(&metadata).or_else(|| fs::canonicalize(path).ok().map(Self::Path))
            }
            Ok(_) => None,
            Err(_) => Self::of_name(path, MAX_LINKS),
        }
    }

    /// Of an open file.
    pub(crate) fn of_file(file: &File) -> Option<Self> {
        let metadata = file.metadata().ok().filter(Metadata::is_file)?;
        Self::of_metadata(&metadata)
    }

    #[cfg(unix)]
    fn of_metadata(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(Self::Inode(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of_metadata(_: &Metadata) -> Option<Self> {
        None
    }

    /// Of a file that is still to be made, maybe behind links that lead nowhere yet.
    fn of_name(path: &Path, links_left: u8) -> Option<Self> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        if let (Ok(target), Some(left)) = (fs::read_link(path), links_left.checked_sub(1)) {
            return Self::of_name(&folder.join(target), left);
        }
        Some(Self::Path(
            fs::canonicalize(folder).ok()?.join(path.file_name()?),
        ))
    }
}

/// As many as Linux follows.
const MAX_LINKS: u8 = 40;
