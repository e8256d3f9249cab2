//! What the user knows of the gateway and of the servers behind it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::analysis::asked::{self, Asked};
use crate::analysis::filter::Network;
use crate::analysis::kinds::{Chain, Known};
use crate::flow::Endpoint;
use crate::pki::bundle::Given;
use crate::pki::trust::Unfit;
use crate::pki::{Certificate, Coverage, Roots};
use crate::time::Timestamp;
use crate::tls::ServerName;
use crate::verdict::{Expected, Gateway};

/// What the user expects: it sharpens a diagnosis, and is never taken for something seen.
#[derive(Debug, Default)]
pub struct Expectations {
    gateway: Option<Gateway>,
    clients: Vec<Network>,
    certificates: Vec<Certificate>,
    /// Of authorities, which may be sent behind those.
    authorities: Vec<Certificate>,
    roots: Option<Roots>,
    names: Vec<Arc<str>>,
    backends: Vec<(Arc<str>, IpAddr)>,
}

impl Expectations {
    /// Says which gateway the clients are. Version 2 of Azure's trusts well-known authorities.
    #[must_use]
    pub fn with_gateway(mut self, gateway: Gateway) -> Self {
        self.gateway = Some(gateway);
        if gateway == Gateway::AzureV2 {
            self.roots.get_or_insert_with(Roots::public);
        }
        self
    }

    /// Says where the gateway's instances are: all else holds for their flows alone.
    #[must_use]
    pub fn with_gateway_network(mut self, network: Network) -> Self {
        self.clients.push(network);
        self
    }

    /// Adds a certificate that the gateway was given as the server's.
    #[must_use]
    pub fn with_certificate(mut self, certificate: Certificate) -> Self {
        self.certificates.push(certificate);
        self
    }

    /// Adds a certificate of an authority that was given beside the server's: it may be sent behind it.
    #[must_use]
    pub fn with_authority(mut self, certificate: Certificate) -> Self {
        self.authorities.push(certificate);
        self
    }

    /// Adds a root that the gateway was given, beside those of well-known authorities.
    ///
    /// # Errors
    ///
    /// When the certificate cannot be a root.
    pub fn with_root(mut self, root: &Given) -> Result<Self, Unfit> {
        self.roots.get_or_insert_with(Roots::public).add(root)?;
        Ok(self)
    }

    /// Adds a name that the gateway ought to ask for.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.names.push(name.into());
        self
    }

    /// Adds the address of a server and the name that the gateway ought to ask for there.
    #[must_use]
    pub fn with_backend(mut self, name: &str, address: IpAddr) -> Self {
        self.backends.push((name.into(), address));
        self
    }

    /// Whether chains have to be kept as they were sent, since their path will be asked for.
    pub(super) const fn asks_for_paths(&self) -> bool {
        self.roots.is_some()
    }

    /// Which gateway a client is, as the user says.
    pub(super) fn gateway_at(&self, client: IpAddr) -> Option<Gateway> {
        self.gateway.filter(|_| self.is_gateway(client))
    }

    fn is_gateway(&self, client: IpAddr) -> bool {
        self.clients.is_empty() || self.clients.iter().any(|network| network.contains(client))
    }

    /// What of it holds for a flow that was shown this chain.
    pub(super) fn of<'a>(
        &'a self,
        client: IpAddr,
        server: &Endpoint,
        asked: &Asked,
        chain: Option<(&Chain, &Known)>,
        at: Timestamp,
    ) -> Expected<'a> {
        if !self.is_gateway(client) {
            return Expected::default();
        }
        let name = self.name_of(server, chain.map(|(_, leaf)| &leaf.certificate));
        let leaf = chain.map(|(_, leaf)| &leaf.certificate);
        Expected {
            gateway: self.gateway,
            is_gateway: self.gateway.is_some() || !self.clients.is_empty(),
            is_expected: leaf
                .filter(|_| self.concern(asked))
                .map(|leaf| self.knows(leaf)),
            path: self
                .roots
                .as_ref()
                .zip(chain)
                .and_then(|(roots, (chain, _))| chain.path(roots, at)),
            has_given_roots: self.roots.as_ref().is_some_and(Roots::has_given),
            name,
            covers_name: name.zip(leaf).map(|(name, leaf)| covers(leaf, name)),
        }
    }

    /// The certificates that a hidden one may be held against: those given for the flows of this client, if they have to do with
    /// what it asked for; and those of the authorities beside them.
    pub(super) fn certificates_for(
        &self,
        client: IpAddr,
        asked: &Asked,
    ) -> (&[Certificate], &[Certificate]) {
        if self.is_gateway(client) && self.concern(asked) {
            (&self.certificates, &self.authorities)
        } else {
            (&[], &[])
        }
    }

    /// Whether an expected certificate has to do with what the client asked for: it covers the
    /// name, or there was none.
    fn concern(&self, asked: &Asked) -> bool {
        match asked.name.seen() {
            Some(ServerName::Name(_)) => self
                .certificates
                .iter()
                .any(|certificate| asked.coverage(certificate).is_some_and(Coverage::covers)),
            Some(_) => !self.certificates.is_empty(),
            None => false,
        }
    }

    fn knows(&self, leaf: &Certificate) -> bool {
        let mut known = self.certificates.iter();
        known.any(|known| known.sha256 == leaf.sha256)
    }

    /// The name to ask this server for: its own, or of the others the one that its certificate
    /// covers.
    fn name_of(&self, server: &Endpoint, leaf: Option<&Certificate>) -> Option<&str> {
        let mut own = self.backends.iter();
        if let Some((name, _)) = own.find(|(_, address)| *address == server.ip) {
            return Some(name);
        }
        let covered = leaf.and_then(|leaf| self.names.iter().find(|name| covers(leaf, name)));
        covered.or(self.names.first()).map(|name| &**name)
    }
}

fn covers(leaf: &Certificate, name: &str) -> bool {
    asked::covers(leaf, name.as_bytes())
}
