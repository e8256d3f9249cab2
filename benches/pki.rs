//! Certificates: what it costs to read one, to compare its names, and to look it up in the catalog.

#![expect(clippy::unwrap_used, reason = "a bench that cannot begin may end")]

use divan::{Bencher, black_box};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use tlstriage::pki::{Catalog, Certificate, Reference, covers};

fn main() {
    divan::main();
}

/// A leaf of an authority, with so many alternative names.
fn leaf(name_count: usize) -> Vec<u8> {
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::OrganizationName, "Example Trust Services");
    authority
        .distinguished_name
        .push(DnType::CommonName, "Example Issuing CA 1");
    let authority = Issuer::new(authority, KeyPair::generate().unwrap());
    let names: Vec<String> = (1..name_count)
        .map(|number| format!("host-{number}.example.com"))
        .collect();
    let mut leaf =
        CertificateParams::new([names, vec!["*.api.example.com".to_owned()]].concat()).unwrap();
    leaf.distinguished_name
        .push(DnType::CommonName, "api.example.com");
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    leaf.signed_by(&key, &authority).unwrap().der().to_vec()
}

fn self_signed() -> Vec<u8> {
    let mut params = CertificateParams::new(["api.example.com".to_owned()]).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "api.example.com");
    params
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .der()
        .to_vec()
}

#[divan::bench(args = [2, 100])]
fn read_a_leaf(bencher: Bencher<'_, '_>, name_count: usize) {
    let der = leaf(name_count);
    bencher.bench(|| Certificate::from_der(black_box(&der)));
}

#[divan::bench]
fn read_a_self_signed_one_and_check_its_signature(bencher: Bencher<'_, '_>) {
    let der = self_signed();
    bencher.bench(|| Certificate::from_der(black_box(&der)));
}

#[divan::bench]
fn read_a_damaged_one(bencher: Bencher<'_, '_>) {
    let mut der = leaf(2);
    der.truncate(der.len() - 1);
    bencher.bench(|| Certificate::from_der(black_box(&der)));
}

#[divan::bench(args = [2, 100])]
fn compare_the_names(bencher: Bencher<'_, '_>, name_count: usize) {
    let certificate = Certificate::from_der(&leaf(name_count));
    let reference = Reference::from_sni(b"eu.api.example.com").unwrap();
    bencher.bench(|| covers(black_box(&certificate), black_box(&reference)));
}

#[divan::bench]
fn look_up_one_that_is_not_in_the_catalog(bencher: Bencher<'_, '_>) {
    let certificate = Certificate::from_der(&leaf(2));
    bencher.bench(|| {
        Catalog::builtin()
            .recognise(black_box(&certificate))
            .is_some()
    });
}

#[divan::bench]
fn look_up_a_self_signed_one(bencher: Bencher<'_, '_>) {
    let certificate = Certificate::from_der(&self_signed());
    bencher.bench(|| {
        Catalog::builtin()
            .recognise(black_box(&certificate))
            .is_some()
    });
}
