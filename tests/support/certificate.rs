//! Certificates (RFC 5280) that are the same every time: Ed25519 signatures have no randomness
//! (RFC 8032), and keys, dates and serial numbers are fixed.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A date: year, month, day.
pub type Date = (i32, u8, u8);

/// A certificate in the making, valid from 2023 to 2033, without names.
#[derive(Clone, Debug)]
pub struct Certificate {
    params: CertificateParams,
    seed: u8,
}

/// A certificate with the key that belongs to it.
#[derive(Debug)]
pub struct Issued {
    pub der: Vec<u8>,
    /// PKCS #8.
    pub key_der: Vec<u8>,
    params: CertificateParams,
}

impl Certificate {
    /// A server's certificate with this common name.
    pub fn new(common_name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.remove(DnType::CommonName);
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.not_before = date_time_ymd(2023, 1, 1);
        params.not_after = date_time_ymd(2033, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Names that differ get keys and serial numbers that differ, most of the time.
        let seed = common_name
            .bytes()
            .fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        params.serial_number = Some(vec![1, seed].into());
        Self { params, seed }
    }

    /// A client's certificate.
    pub fn client(common_name: &str) -> Self {
        let mut certificate = Self::new(common_name);
        certificate.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        certificate
    }

    /// An authority's certificate.
    pub fn authority(common_name: &str) -> Self {
        let mut certificate = Self::new(common_name);
        certificate.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        certificate.params.extended_key_usages.clear();
        certificate.params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        certificate
    }

    /// For these DNS names and IP addresses.
    pub fn names(mut self, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let params = CertificateParams::new(names).unwrap();
        self.params.subject_alt_names = params.subject_alt_names;
        self
    }

    /// Of this organization.
    pub fn organization(mut self, name: &str) -> Self {
        self.params
            .distinguished_name
            .push(DnType::OrganizationName, name);
        self
    }

    /// Valid from the first moment of one day to the first moment of the other.
    pub fn valid(mut self, from: Date, to: Date) -> Self {
        self.params.not_before = date_time_ymd(from.0, from.1, from.2);
        self.params.not_after = date_time_ymd(to.0, to.1, to.2);
        self
    }

    /// With another serial number, and another key.
    pub fn number(mut self, serial: u8) -> Self {
        self.params.serial_number = Some(vec![2, serial].into());
        self.seed = self.seed.wrapping_add(serial);
        self
    }

    /// Signed with its own key.
    pub fn self_signed(self) -> Issued {
        let key = key(self.seed);
        let der = self.params.self_signed(&key).unwrap().der().to_vec();
        Issued {
            der,
            key_der: key.serialize_der(),
            params: self.params,
        }
    }

    /// Signed with the key of `issuer`.
    pub fn signed_by(mut self, issuer: &Issued) -> Issued {
        self.params.use_authority_key_identifier_extension = true;
        let key = key(self.seed);
        let issuer_key = KeyPair::try_from(&issuer.key_der[..]).unwrap();
        let issuer = Issuer::from_params(&issuer.params, issuer_key);
        let der = self.params.signed_by(&key, &issuer).unwrap().der().to_vec();
        Issued {
            der,
            key_der: key.serialize_der(),
            params: self.params,
        }
    }
}

/// The Ed25519 key made of one byte, in the shape of RFC 8410, section 7.
fn key(seed: u8) -> KeyPair {
    let head = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    KeyPair::try_from(&[&head[..], &[seed; 32]].concat()[..]).unwrap()
}
