//! What the flows of a run share: certificates, chains, kinds of client, kinds of answer.
//!
//! Each is parsed and described once, however many flows show it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA256, digest};

use crate::analysis::asked::Asked;
use crate::analysis::describe;
use crate::analysis::keyring::Keyring;
use crate::analysis::kinds::{Acts, Answer, Chain, Client, Known};
use crate::analysis::ledger::{self, ChainId, Large};
use crate::analysis::scratch;
use crate::analysis::seen::StoryAlert;
use crate::analysis::trying::Trying;
use crate::hash::Keyed;
use crate::pki::{Catalog, Certificate, ChainShape};
use crate::pool::Pool;
use crate::reassembly::Limits;
use crate::report::HandshakeReport;
use crate::tls::{
    CertificatePool, Certificates, ClientHello, InnerHello, Observed, ServerHello, ServerName,
};
use crate::verdict::Act;

/// The pools of a run.
#[derive(Debug)]
pub(super) struct Shared {
    certificates: Pool<Known>,
    chains: Pool<Chain>,
    clients: Pool<Client>,
    answers: Pool<Answer>,
    names: Pool<Asked>,
    courses: Pool<Acts>,
    handshakes: Pool<HandshakeReport>,
    /// The certificate messages as they were sent.
    pub(super) lists: Arc<CertificatePool>,
    /// The chains of those lists that are kept, by their numbers.
    chains_by_list: Mutex<HashMap<usize, Arc<Chain>, Keyed>>,
    pub(super) catalog: Arc<Catalog>,
    /// Whether chains are kept as they were sent.
    keeps_ders: bool,
    pub(super) keyring: Keyring,
    pub(super) trying: Trying,
    keyed: Keyed,
}

impl Shared {
    /// Empty pools within `limits`.
    pub(super) fn new(
        limits: &Limits,
        seed: u64,
        catalog: Arc<Catalog>,
        keeps_ders: bool,
        keyring: Keyring,
    ) -> Self {
        Self {
            certificates: Pool::new(limits.certificates_total, seed),
            chains: Pool::new(limits.certificates_total / 8, seed),
            clients: Pool::new(SHAPES_LEN, seed),
            answers: Pool::new(SHAPES_LEN, seed),
            names: Pool::new(SHAPES_LEN, seed),
            courses: Pool::new(SHAPES_LEN, seed),
            handshakes: Pool::new(SHAPES_LEN, seed),
            lists: Arc::new(CertificatePool::new(LISTS_LEN, seed)),
            chains_by_list: Mutex::new(HashMap::with_hasher(Keyed::new(seed))),
            catalog,
            keeps_ders,
            keyring,
            trying: Trying::new(),
            keyed: Keyed::new(seed),
        }
    }

    /// The chain of these certificates.
    pub(super) fn chain(&self, certificates: &Certificates) -> Arc<Chain> {
        let Some(number) = certificates.number() else {
            return self.chain_of(certificates).0;
        };
        // Under the lock nothing can stop half-way.
        let by_list = || {
            let lock = self.chains_by_list.lock();
            lock.unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(chain) = by_list().get(&number) {
            return Arc::clone(chain);
        }
        let (chain, is_kept) = self.chain_of(certificates);
        if is_kept {
            by_list().insert(number, Arc::clone(&chain));
        }
        chain
    }

    /// The chain, and whether it is kept.
    fn chain_of(&self, ders: &[Vec<u8>]) -> (Arc<Chain>, bool) {
        let known: Vec<_> = ders.iter().map(|der| self.certificate(der)).collect();
        let mut key = Vec::with_capacity(known.len() * 32);
        for known in &known {
            key.extend_from_slice(&known.certificate.sha256);
        }
        let kept: usize = if self.keeps_ders {
            ders.iter().map(Vec::len).sum()
        } else {
            0
        };
        // A certificate for which the pool had no room is in no other hands, and must not be kept by
        // its chain instead.
        let is_pooled = known.iter().all(|known| Arc::strong_count(known) > 1);
        let len = if is_pooled {
            size_of::<Chain>() + known.len() * 8 + kept
        } else {
            usize::MAX
        };
        let beyond = ledger::len_beyond_usual(ders.iter().map(Vec::len));
        self.chains.get_or_make_whether(
            &key,
            |_| len,
            || {
                let shape = ChainShape::of(
                    &known
                        .iter()
                        .map(|known| &known.certificate)
                        .collect::<Vec<_>>(),
                );
                Chain {
                    certificates: known,
                    shape,
                    ders: self.keeps_ders.then(|| ders.into()),
                    large: (beyond > 0).then(|| Large {
                        id: chain_id(&key),
                        len: beyond.saturating_add(kept),
                    }),
                    paths: Mutex::default(),
                }
            },
        )
    }

    fn certificate(&self, der: &[u8]) -> Arc<Known> {
        // What is kept of a certificate is smaller than the certificate, and there twice; as text
        // it is there once more.
        self.certificates
            .get_or_make(der, der.len() * 2 + TEXT_LEN, || {
                let certificate = Certificate::from_der(der);
                let default = self.catalog.recognise(&certificate).map(describe::product);
                let (row, leaf) = describe::certificate(&certificate);
                Known {
                    subject: describe::subject(&certificate, &row),
                    certificate,
                    row: row.into(),
                    leaf: leaf.into(),
                    default,
                }
            })
    }

    /// The kind of a ClientHello, of which `inner` was opened.
    pub(super) fn client(&self, hello: &ClientHello, inner: Option<&InnerHello>) -> Arc<Client> {
        let ech = describe::ech(hello, inner);
        scratch::bytes(|key| {
            describe::put_client_key(key, hello, ech);
            self.clients
                .get_or_make(key, 8 * key.len(), || describe::client(hello, ech))
        })
    }

    /// The kind of a ServerHello, with the group that its key exchange names.
    pub(super) fn answer(&self, hello: &ServerHello, curve: Option<u16>) -> Arc<Answer> {
        scratch::bytes(|key| {
            describe::put_answer_key(key, hello, curve);
            let len = size_of::<Answer>() + 64;
            self.answers
                .get_or_make(key, len, || describe::answer(hello, curve))
        })
    }

    /// What a ClientHello says of the server's name.
    pub(super) fn asked(&self, name: Observed<ServerName>) -> Arc<Asked> {
        let (tag, bytes): (u8, &[u8]) = match &name {
            Observed::Seen(ServerName::Absent) => (0, &[]),
            Observed::Seen(ServerName::Empty) => (1, &[]),
            Observed::Seen(ServerName::Invalid(bytes)) => (2, bytes),
            Observed::Seen(ServerName::IpLiteral(text)) => (3, text.as_bytes()),
            Observed::Seen(ServerName::Name(bytes)) => (4, bytes),
            Observed::Seen(_) => (5, &[]),
            // Rare, and there are many reasons.
            Observed::Unseen(_) => return Arc::new(Asked::of(name, self.keyed)),
        };
        scratch::bytes(|key| {
            key.push(tag);
            key.extend_from_slice(bytes);
            let len = size_of::<Asked>() + 3 * key.len();
            // The name is copied only where it is a new one.
            self.names
                .get_or_make(key, len, || Asked::of(name.clone(), self.keyed))
        })
    }

    /// What both sides did, with sizes that nobody tells apart made one.
    pub(super) fn course(
        &self,
        acts: &[Act],
        alerts: impl ExactSizeIterator<Item = StoryAlert> + Clone,
    ) -> Arc<Acts> {
        let lists_len = size_of_val(acts) + alerts.len() * size_of::<StoryAlert>();
        let len = size_of::<Acts>() + lists_len;
        scratch::bytes(|key| {
            key.extend_from_slice(&u32::try_from(acts.len()).unwrap_or(u32::MAX).to_be_bytes());
            for act in acts {
                key.extend_from_slice(&describe::act_key(act));
            }
            for alert in alerts.clone() {
                key.extend_from_slice(&describe::alert_key(&alert));
            }
            self.courses.get_or_make(key, len, || {
                let handshake = self.handshake(acts);
                Acts::new(acts.into(), alerts.collect(), handshake)
            })
        })
    }

    /// What both sides did, in words: of whatever length it was.
    fn handshake(&self, acts: &[Act]) -> Arc<HandshakeReport> {
        let key: Vec<u8> = acts.iter().flat_map(describe::step_key).collect();
        // As words they take about five times as much.
        let len = size_of::<HandshakeReport>() + 5 * size_of_val(acts);
        self.handshakes
            .get_or_make(&key, len, || describe::handshake(acts))
    }
}

/// Tells chains apart by the hashes of their certificates.
fn chain_id(hashes: &[u8]) -> ChainId {
    let digest = digest(&SHA256, hashes);
    let begin = digest.as_ref().first_chunk().copied();
    ChainId::from_be_bytes(begin.unwrap_or_default())
}

/// A chain with nothing around it.
#[cfg(test)]
pub(super) fn describe_chain(ders: &[Vec<u8>]) -> Chain {
    let shared = Shared::new(
        &Limits::default(),
        7,
        Arc::new(Catalog::builtin().clone()),
        false,
        Keyring::default(),
    );
    let (chain, _) = shared.chain_of(ders);
    drop(shared);
    Arc::into_inner(chain).expect("nobody else holds it")
}

/// Bytes of the lists of certificates that are known as they were sent: of some hundreds.
const LISTS_LEN: usize = 4 * 1024 * 1024;
/// What the text of a certificate takes beside its names.
const TEXT_LEN: usize = 1024;
/// Bytes for each of the pools of hellos and courses.
const SHAPES_LEN: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls;

    /// One that chooses TLS 1.2 and a suite with certificates.
    fn server_hello() -> Vec<u8> {
        let mut hello = vec![3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0xc0, 0x2f, 0]);
        hello
    }

    #[test]
    fn a_chain_keeps_no_certificate_for_which_there_was_no_room() {
        let limits = Limits::default().with_certificates_total(8 * 1024);
        let catalog = Arc::new(Catalog::builtin().clone());
        let shared = Shared::new(&limits, 7, catalog, false, Keyring::default());
        let (small, large) = ([vec![1; 100]], [vec![1; 100], vec![2; 60_000]]);
        // As they come from the wire: each in a list of its own, which is kept.
        let chain = |ders: &[Vec<u8>]| {
            let with_len = |bytes: &[u8]| {
                let len = u32::try_from(bytes.len()).unwrap().to_be_bytes();
                [&len[1..], bytes].concat()
            };
            let list = ders
                .iter()
                .flat_map(|der| with_len(der))
                .collect::<Vec<_>>();
            let mut observer = tls::Observer::new(tls::Limits::default()).with_pool(&shared.lists);
            let message = [&[11][..], &with_len(&with_len(&list))].concat();
            let hello = [&[2][..], &with_len(&server_hello())].concat();
            for message in [hello, message] {
                for record in message.chunks(1 << 14) {
                    let len = u16::try_from(record.len()).unwrap().to_be_bytes();
                    observer.on_bytes(tls::Lane::B, &[&[22, 3, 3], &len[..], record].concat(), ());
                }
            }
            let handshake = observer.finish().unwrap();
            let certificates = handshake.certificates.seen().unwrap().clone();
            assert!(certificates.number().is_some());
            shared.chain(&certificates)
        };
        let kept = Arc::downgrade(&chain(&small));
        assert!(kept.upgrade().is_some());
        let chain = chain(&large);
        let leaf = Arc::downgrade(chain.certificates.last().unwrap());
        drop(chain);
        assert!(leaf.upgrade().is_none());
    }
}
