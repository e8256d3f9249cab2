//! What the user knows of the gateway: options and configuration become values of the library,
//! before any capture is read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;
use tlstriage::analysis::Expectations;
use tlstriage::pki::bundle::{self, Given};
use tlstriage::pki::trust::Unfit;
use tlstriage::time::{Precision, Timestamp};

use crate::cli::args::Arguments;
use crate::cli::config::Config;

/// Why an option or a file that it names cannot be used.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{}: more than {max_len} bytes are too many", path.display())]
    TooLong { path: PathBuf, max_len: u64 },
    #[error("{}: not UTF-8 text", path.display())]
    NotText { path: PathBuf },
    #[error("{}: {error}", path.display())]
    Config { path: PathBuf, error: String },
    #[error("{}: {error}", path.display())]
    Certificate { path: PathBuf, error: bundle::Error },
    #[error("{}: it holds only certificates of authorities; hand over the server's own", path.display())]
    NoLeaf { path: PathBuf },
    #[error("{}: certificate {place}: {error}", path.display())]
    Root {
        path: PathBuf,
        place: usize,
        error: Unfit,
    },
    #[error("{}: certificate {place} expired on {date}, so no gateway trusts it as a root", path.display())]
    Expired {
        path: PathBuf,
        place: usize,
        date: String,
    },
}

/// What the arguments and the configurations say.
///
/// # Errors
///
/// When a configuration cannot be read.
pub(crate) fn config(arguments: &Arguments) -> Result<Config, Error> {
    let mut config = Config::default();
    for path in &arguments.config {
        let text = String::from_utf8(read(path, MAX_CONFIG_LEN)?)
            .map_err(|_| Error::NotText { path: path.clone() })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let file = Config::from_toml(&text, folder).map_err(|error| Error::Config {
            path: path.clone(),
            error,
        })?;
        config = config.and(file);
    }
    Ok(config.and(Config {
        gateway: arguments.gateway,
        gateway_subnet: arguments.gateway_subnet.clone(),
        expected_cert: arguments.expected_cert.clone(),
        trusted_root: arguments.trusted_root.clone(),
        expected_name: arguments.expected_name.clone(),
        backend: arguments.backend.clone(),
    }))
}

/// Reads the files that are named, and puts all together.
///
/// # Errors
///
/// When one of them cannot be what it is to be.
pub(crate) fn expect(config: Config) -> Result<Expectations, Error> {
    let mut expectations = Expectations::default();
    if let Some(gateway) = config.gateway {
        expectations = expectations.with_gateway(gateway);
    }
    for network in config.gateway_subnet {
        expectations = expectations.with_gateway_network(network);
    }
    for path in &config.expected_cert {
        let mut has_leaf = false;
        for given in certificates(path)? {
            // A file with the whole chain is handed over as often as one with the leaf.
            if given.certificate.ca != Some(true) || given.certificate.self_signed.holds() {
                expectations = expectations.with_certificate(given.certificate);
                has_leaf = true;
            } else {
                expectations = expectations.with_authority(given.certificate);
            }
        }
        if !has_leaf {
            return Err(Error::NoLeaf { path: path.clone() });
        }
    }
    for path in &config.trusted_root {
        for (at, given) in certificates(path)?.iter().enumerate() {
            let place = at + 1;
            let end = given.certificate.not_after;
            if let Some(end) = end.filter(|end| now().is_some_and(|now| now > *end)) {
                return Err(Error::Expired {
                    path: path.clone(),
                    place,
                    date: end.to_rfc3339(Precision::Seconds).to_string(),
                });
            }
            expectations = expectations.with_root(given).map_err(|error| Error::Root {
                path: path.clone(),
                place,
                error,
            })?;
        }
    }
    for name in &config.expected_name {
        expectations = expectations.with_name(name);
    }
    for backend in &config.backend {
        expectations = expectations.with_backend(&backend.name, backend.address);
    }
    Ok(expectations)
}

fn certificates(path: &Path) -> Result<Vec<Given>, Error> {
    let bytes = read(path, MAX_FILE_LEN)?;
    bundle::certificates(&bytes).map_err(|error| Error::Certificate {
        path: path.to_owned(),
        error,
    })
}

fn read(path: &Path, max_len: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(max_len + 1).read_to_end(&mut bytes))
        .map_err(|error| Error::File {
            path: path.to_owned(),
            error,
        })?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max_len {
        return Err(Error::TooLong {
            path: path.to_owned(),
            max_len,
        });
    }
    Ok(bytes)
}

/// The time of the run: only for whether a root that is handed over is still one.
#[expect(
    clippy::disallowed_methods,
    reason = "a gateway trusts no root that has expired, and nothing that is told depends on it"
)]
fn now() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos())
        .ok()
        .map(Timestamp::from_nanos)
}

/// The library has a limit of its own on a list of certificates.
const MAX_FILE_LEN: u64 = 16 << 20;
/// A configuration is some lines.
const MAX_CONFIG_LEN: u64 = 1 << 20;
