//! The shape of a served chain: what the list itself shows, with no trust store at hand.
//!
//! TLS asks for the leaf first and each certificate certifying the one before it (RFC 8446, section
//! 4.4.2; in TLS 1.2 strictly, RFC 5246, section 7.4.2). The links are told by names and key
//! identifiers, as a verifier finds its candidates (RFC 5280, section 6.1; RFC 4158, section 3.5); of
//! the signatures only that of a self-signed certificate is known. So a link here is what the
//! certificates claim, and proves nothing.

use std::borrow::Borrow;

use crate::pki::certificate::Certificate;

/// What a list of certificates, as it was sent, looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainShape {
    /// How many certificates were sent.
    pub len: usize,
    /// The places in the list from the leaf upwards, each issued by the next.
    pub path: Vec<usize>,
    /// How the list is ordered.
    pub order: Order,
    /// Where the path ends.
    pub top: Top,
    /// The places of the certificates that the path does not use, in order.
    pub extra: Vec<usize>,
}

/// How a list of certificates is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// Each certificate stands right before its issuer.
    InOrder,
    /// The leaf is first, but its issuers are not in their places.
    Misordered,
    /// The first certificate is an authority, and one that no other was issued by stands later.
    LeafNotFirst,
}

/// Where the path from the leaf ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Top {
    /// There is no certificate.
    Nothing,
    /// The leaf is self-signed, and no authority (`basicConstraints`).
    SelfSignedLeaf,
    /// The leaf is self-signed, and an authority.
    SelfSignedAuthority,
    /// The path ends in a self-signed certificate above the leaf.
    Root,
    /// The issuer of the last certificate was not sent: a root, or what lies between.
    IssuerNotSent,
    /// What the last certificate says of its issuer could not be read.
    Unread,
}

impl ChainShape {
    /// Looks at a list in the order in which it was sent. Only its first [`MAX_CHAIN_LEN`]
    /// certificates are looked at.
    #[must_use]
    pub fn of<C: Borrow<Certificate>>(sent: &[C]) -> Self {
        let seen: Vec<&Certificate> = sent
            .iter()
            .take(MAX_CHAIN_LEN)
            .map(Borrow::borrow)
            .collect();
        let leaf = leaf_of(&seen);
        let path = leaf.map_or_else(Vec::new, |leaf| path_from(leaf, &seen));
        let extra = (0..seen.len())
            .filter(|place| !path.contains(place))
            .collect();
        let order = if path.first().is_some_and(|&place| place > 0) {
            Order::LeafNotFirst
        } else if path
            .iter()
            .enumerate()
            .all(|(index, &place)| index == place)
        {
            Order::InOrder
        } else {
            Order::Misordered
        };
        Self {
            len: sent.len(),
            top: top_of(&path, &seen),
            path,
            order,
            extra,
        }
    }
}

/// The place of the certificate that the server is known by: the first one, unless it is an
/// authority for another one that is not.
fn leaf_of(seen: &[&Certificate]) -> Option<usize> {
    let first = seen.first()?;
    if first.ca != Some(true) {
        return Some(0);
    }
    let is_leaf = |candidate: &Certificate| {
        candidate.ca != Some(true) && !seen.iter().any(|other| is_issued_by(other, candidate))
    };
    Some(
        seen.iter()
            .position(|candidate| is_leaf(candidate))
            .unwrap_or(0),
    )
}

/// The way up from a leaf: the next certificate in the list is asked first, then all in order.
fn path_from(leaf: usize, seen: &[&Certificate]) -> Vec<usize> {
    let mut path = vec![leaf];
    let mut place = leaf;
    while let Some(&certificate) = seen.get(place) {
        if certificate.self_signed.holds() {
            break;
        }
        let next = place.saturating_add(1);
        let candidates = (next..seen.len()).take(1).chain(0..seen.len());
        let issuer = candidates.into_iter().find(|candidate| {
            !path.contains(candidate)
                && seen
                    .get(*candidate)
                    .is_some_and(|candidate| is_issued_by(certificate, candidate))
        });
        let Some(issuer) = issuer else { break };
        path.push(issuer);
        place = issuer;
    }
    path
}

fn top_of(path: &[usize], seen: &[&Certificate]) -> Top {
    let Some(&top) = path.last().and_then(|&place| seen.get(place)) else {
        return Top::Nothing;
    };
    match (top.self_signed.holds(), path.len(), top.ca) {
        (true, 1, Some(true)) => Top::SelfSignedAuthority,
        (true, 1, _) => Top::SelfSignedLeaf,
        (true, ..) => Top::Root,
        (false, ..) if !top.issuer.is_whole() => Top::Unread,
        (false, ..) => Top::IssuerNotSent,
    }
}

/// Whether `issuer` is, by name and key identifier, the issuer of `certificate`
/// (RFC 5280, sections 4.2.1.1 and 7.1).
fn is_issued_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let keys_differ = certificate
        .authority_key_id
        .as_ref()
        .zip(issuer.subject_key_id.as_ref())
        .is_some_and(|(asked, has)| asked != has);
    !keys_differ
        && certificate.sha256 != issuer.sha256
        && certificate.issuer.is_same_name(&issuer.subject)
}

/// Certificates of a list that are looked at. Verifiers stop at about ten in a path.
pub const MAX_CHAIN_LEN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::testing::{self, Builder};

    fn leaf() -> Certificate {
        issued("leaf", "middle").read()
    }
    fn middle() -> Certificate {
        issued("middle", "root").authority().read()
    }
    fn root() -> Certificate {
        issued("root", "root").authority().read()
    }
    fn issued(subject: &str, issuer: &str) -> Builder {
        testing::certificate()
            .subject(&[("CN", subject)])
            .issuer(&[("CN", issuer)])
    }

    fn shape(sent: &[Certificate]) -> (Vec<usize>, Order, Top, Vec<usize>) {
        let ChainShape {
            len,
            path,
            order,
            top,
            extra,
        } = ChainShape::of(sent);
        assert_eq!(len, sent.len());
        (path, order, top, extra)
    }

    #[test]
    fn a_list_in_order_ends_in_its_root_or_before_it() {
        assert_eq!(
            shape(&[leaf(), middle(), root()]),
            (vec![0, 1, 2], Order::InOrder, Top::Root, vec![])
        );
        assert_eq!(
            shape(&[leaf(), middle()]),
            (vec![0, 1], Order::InOrder, Top::IssuerNotSent, vec![])
        );
        assert_eq!(
            shape(&[leaf()]),
            (vec![0], Order::InOrder, Top::IssuerNotSent, vec![])
        );
        assert_eq!(shape(&[]), (vec![], Order::InOrder, Top::Nothing, vec![]));
    }

    #[test]
    fn a_list_out_of_order_says_so() {
        assert_eq!(
            shape(&[leaf(), root(), middle()]),
            (vec![0, 2, 1], Order::Misordered, Top::Root, vec![])
        );
        assert_eq!(
            shape(&[root(), middle(), leaf()]),
            (vec![2, 1, 0], Order::LeafNotFirst, Top::Root, vec![])
        );
    }

    #[test]
    fn what_the_path_does_not_use_is_extra() {
        let other = issued("other", "elsewhere").authority().read();
        assert_eq!(
            shape(&[leaf(), other.clone(), middle()]),
            (vec![0, 2], Order::Misordered, Top::IssuerNotSent, vec![1])
        );
        assert_eq!(
            shape(&[leaf(), middle(), other]),
            (vec![0, 1], Order::InOrder, Top::IssuerNotSent, vec![2])
        );
        assert_eq!(shape(&[leaf(), leaf()]).3, [1]);
    }

    #[test]
    fn a_self_signed_leaf_is_told_from_an_authority_served_as_leaf() {
        let alone = issued("leaf", "leaf").read();
        assert_eq!(shape(&[alone]).2, Top::SelfSignedLeaf);
        assert_eq!(shape(&[root()]).2, Top::SelfSignedAuthority);
        assert_eq!(shape(&[root(), root()]).3, [1]);
    }

    #[test]
    fn a_key_identifier_that_differs_breaks_a_link() {
        let leaf = issued("leaf", "middle").authority_key_id(&[1]).read();
        let old = issued("middle", "root")
            .authority()
            .subject_key_id(&[2])
            .read();
        let new = issued("middle", "root")
            .authority()
            .subject_key_id(&[1])
            .read();
        assert_eq!(shape(&[leaf.clone(), old.clone()]).0, [0]);
        assert_eq!(shape(&[leaf, old, new]).0, [0, 2]);
    }

    #[test]
    fn certificates_that_issue_each_other_end() {
        let a = issued("a", "b").authority().read();
        let b = issued("b", "a").authority().read();
        assert_eq!(
            shape(&[a, b]),
            (vec![0, 1], Order::InOrder, Top::IssuerNotSent, vec![])
        );
    }

    #[test]
    fn an_endless_list_is_looked_at_in_part() {
        let long = vec![leaf(); 1000];
        let shape = ChainShape::of(&long);
        assert_eq!(
            (shape.len, shape.path.len() + shape.extra.len()),
            (1000, MAX_CHAIN_LEN)
        );
    }
}
