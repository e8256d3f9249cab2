//! `--spool`: what a pipe brings is kept in a file as well, so that it can be read again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A file that keeps what a pipe brings.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Spool {
    /// Makes the file `name` in `folder`; one that is there is not replaced.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn create(folder: &Path, name: &str) -> io::Result<(Self, File)> {
        let path = folder.join(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        let spool = Self {
            path,
            failure: Arc::default(),
        };
        Ok((spool, file))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Why it is not complete.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }
}

/// A pipe whose bytes are kept as they are read. That they cannot be kept is no failure of the pipe.
pub(crate) struct Kept<R> {
    pipe: R,
    file: Option<File>,
    spool: Spool,
}

impl<R: Read> Kept<R> {
    pub(crate) const fn new(pipe: R, file: File, spool: Spool) -> Self {
        Self {
            pipe,
            file: Some(file),
            spool,
        }
    }
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.pipe.read(into)?;
        let bytes = into.get(..len).unwrap_or_default();
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(bytes)
        {
            self.file = None;
            let failure = &self.spool.failure;
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        Ok(len)
    }
}
