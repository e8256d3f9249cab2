//! The configuration: what the user knows of a gateway, in a small TOML file.
//!
//! Its keys are those of the command line. One that is not known is refused with its place, since a
//! word that is not heeded is worse than none.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tlstriage::analysis::Network;
use tlstriage::verdict::Gateway;

use crate::cli::values::{self, Backend};

/// What stands in a file or on the command line.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    #[serde(deserialize_with = "gateway")]
    pub(crate) gateway: Option<Gateway>,
    #[serde(deserialize_with = "networks")]
    pub(crate) gateway_subnet: Vec<Network>,
    pub(crate) expected_cert: Vec<PathBuf>,
    pub(crate) trusted_root: Vec<PathBuf>,
    #[serde(deserialize_with = "names")]
    pub(crate) expected_name: Vec<String>,
    #[serde(deserialize_with = "backends")]
    pub(crate) backend: Vec<Backend>,
}

impl Config {
    /// Reads the text of a file that lies in `folder`, from where its paths count.
    ///
    /// # Errors
    ///
    /// When it is no TOML, or a key or a value in it is not known: with its line and column.
    pub(crate) fn from_toml(text: &str, folder: &Path) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|error| on_one_line(text, &error))?;
        for path in config
            .expected_cert
            .iter_mut()
            .chain(&mut config.trusted_root)
        {
            *path = folder.join(&*path);
        }
        Ok(config)
    }

    /// With what another one says: its gateway goes first, its lists come in addition.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.gateway = other.gateway.or(self.gateway);
        self.gateway_subnet.extend(other.gateway_subnet);
        self.expected_cert.extend(other.expected_cert);
        self.trusted_root.extend(other.trusted_root);
        self.expected_name.extend(other.expected_name);
        self.backend.extend(other.backend);
        self
    }
}

/// `line 3, column 5: …`: the library draws the line below, which a log cannot hold.
fn on_one_line(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    let Some(span) = error.span() else {
        return message;
    };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {message}")
}

fn gateway<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Gateway>, D::Error> {
    let text = String::deserialize(from)?;
    values::gateway(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

fn networks<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Network>, D::Error> {
    each(from, values::network)
}

fn names<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    each(from, values::host_name)
}

fn backends<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Backend>, D::Error> {
    each(from, values::backend)
}

fn each<'de, D, T>(from: D, read: fn(&str) -> Result<T, values::Error>) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let texts = Vec::<String>::deserialize(from)?;
    texts
        .iter()
        .map(|text| {
            read(text).map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::from_toml(text, Path::new("folder"))
    }

    #[test]
    fn a_file_says_all_that_the_command_line_can() {
        let config = read(
            r#"
            gateway = "azure-v2"
            gateway-subnet = ["10.1.0.0/24", "2001:db8::/64"]
            expected-cert = ["leaf.pem"]
            trusted-root = ["/etc/root.cer"]
            expected-name = ["api.contoso.com"]
            backend = ["api.contoso.com=10.1.2.3"]
            "#,
        )
        .unwrap();
        assert_eq!(config.gateway, Some(Gateway::AzureV2));
        assert_eq!(config.gateway_subnet.len(), 2);
        assert_eq!(config.expected_cert, [Path::new("folder").join("leaf.pem")]);
        assert_eq!(config.trusted_root, [Path::new("/etc/root.cer")]);
        assert_eq!(config.expected_name, ["api.contoso.com"]);
        assert_eq!(config.backend.len(), 1);
        assert!(read("").unwrap().backend.is_empty());
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_place() {
        for (text, place, word) in [
            ("gateway = \"azure-v3\"", "line 1, column 11", "azure-v1"),
            ("\n gatway = \"azure-v1\"", "line 2, column 2", "gatway"),
            (
                "gateway-subnet = [\"10.0.0.0/33\"]",
                "line 1",
                "10.0.0.0/33",
            ),
            ("expected-name = [\"a b\"]", "line 1", "a b"),
            ("backend = [\"10.1.2.3\"]", "line 1", "HOST=ADDRESS"),
            ("gateway = ", "line 1", "string"),
            ("expected-cert = \"one.pem\"", "line 1", "sequence"),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.contains(place) && error.contains(word) && !error.contains('\n'),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let file = read("gateway = \"azure-v1\"\nexpected-name = [\"a.example\"]").unwrap();
        let line = read("gateway = \"azure-v2\"\nexpected-name = [\"b.example\"]").unwrap();
        let both = file.and(line);
        assert_eq!(both.gateway, Some(Gateway::AzureV2));
        assert_eq!(both.expected_name, ["a.example", "b.example"]);
    }
}
