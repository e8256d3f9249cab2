use toml::{Table, Value};

use super::*;
use crate::pki::testing;

/// A certificate as an entry of the catalog asks for it, key by key.
#[derive(Clone, Default)]
struct Shape {
    subject: Vec<(&'static str, String)>,
    issuer: Vec<(&'static str, String)>,
    dns: Vec<String>,
    extension: Option<String>,
}

impl Shape {
    fn of(id: &str, keys: &Table) -> Self {
        let mut shape = Self::default();
        for (key, value) in keys {
            if let Some((side, kind)) = attribute(key) {
                let value = match key.ends_with("_re") {
                    true => sample(id, key).to_owned(),
                    false => value.as_str().unwrap().to_owned(),
                };
                shape.side(side).push((kind, value));
            }
            match key.as_str() {
                "san" => shape.dns.extend(texts(value)),
                "san_re" => shape.dns.push(sample(id, key).to_owned()),
                "extension_oid" => shape.extension = value.as_str().map(str::to_owned),
                _ => {}
            }
        }
        if keys.get("self_signed") == Some(&Value::Boolean(true)) {
            shape.make_self_signed();
        } else if shape.issuer.is_empty() {
            shape.issuer.push(("CN", "some authority".to_owned()));
        }
        shape
    }

    /// The same but for one key, which does not match any more.
    fn but_for(&self, key: &str, keys: &Table) -> Self {
        let mut shape = self.clone();
        if let Some((side, kind)) = attribute(key) {
            let attributes = shape
                .side(side)
                .iter_mut()
                .filter(|(found, _)| *found == kind);
            attributes.for_each(|(_, value)| *value = format!("~{value}~"));
            if keys.get("self_signed") == Some(&Value::Boolean(true)) {
                // Whichever side was changed, the other follows.
                let changed = shape.side(side).clone();
                shape.subject.clone_from(&changed);
                shape.issuer = changed;
            }
            return shape;
        }
        match key {
            "self_signed" if shape.subject == shape.issuer => {
                shape.issuer.push(("ST", "elsewhere".to_owned()));
            }
            "self_signed" => shape.make_self_signed(),
            "san" => drop(shape.dns.pop()),
            "san_re" => shape.dns.iter_mut().for_each(|name| name.insert(0, '~')),
            "extension_oid" => shape.extension = Some("1.2.3".to_owned()),
            "empty_subject" => shape.subject.push(("CN", "someone".to_owned())),
            "no_subject_o" => shape.subject.push(("O", "someone".to_owned())),
            other => panic!("no near miss for {other}"),
        }
        shape
    }

    fn make_self_signed(&mut self) {
        let both = self.subject.iter().chain(&self.issuer);
        let mut all: Vec<(&'static str, String)> = Vec::new();
        for attribute in both {
            if !all.contains(attribute) {
                all.push(attribute.clone());
            }
        }
        self.subject.clone_from(&all);
        self.issuer = all;
    }

    fn side(&mut self, side: &str) -> &mut Vec<(&'static str, String)> {
        match side {
            "subject" => &mut self.subject,
            _ => &mut self.issuer,
        }
    }

    fn certificate(&self) -> Certificate {
        fn borrowed<'a>(attributes: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
            attributes
                .iter()
                .map(|(kind, value)| (*kind, value.as_str()))
                .collect()
        }
        let mut certificate = testing::certificate()
            .subject(&borrowed(&self.subject))
            .issuer(&borrowed(&self.issuer));
        if !self.dns.is_empty() {
            let names: Vec<&str> = self.dns.iter().map(String::as_str).collect();
            certificate = certificate.dns(&names);
        }
        if let Some(oid) = &self.extension {
            certificate = certificate.extension(oid, &[0]);
        }
        let certificate = certificate.read();
        assert_eq!(certificate.malformed, None);
        certificate
    }
}

/// `subject_cn_re` is the subject's CN.
fn attribute(key: &str) -> Option<(&str, &'static str)> {
    let (side, kind) = key.strip_suffix("_re").unwrap_or(key).split_once('_')?;
    let kind = match (side, kind) {
        ("subject" | "issuer", "cn") => "CN",
        ("subject" | "issuer", "o") => "O",
        ("subject" | "issuer", "ou") => "OU",
        ("subject" | "issuer", "l") => "L",
        ("subject" | "issuer", "c") => "C",
        _ => return None,
    };
    Some((side, kind))
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().unwrap().iter();
    texts
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// A text for each pattern of the built-in catalog, as it was seen in the wild.
fn sample(id: &str, key: &str) -> &'static str {
    match (id, key) {
        ("traefik-default", "san_re") => {
            "0123456789abcdef0123456789abcdef.00112233445566778899aabbccddeeff.traefik.default"
        }
        ("caddy-internal", _) => "Caddy Local Authority - ECC Intermediate",
        ("openshift-router-default", "subject_cn_re") => "*.apps.cluster.example.com",
        ("openshift-router-default", _) => "ingress-operator@1700000000",
        ("k3s-serving", _) => "k3s-server-ca@1700000000",
        ("rancher-dynamiclistener", _) => "dynamiclistener-ca@1700000000",
        ("weblogic-demo", _) => "CertGenCAB",
        ("mysql-autogen", "subject_cn_re") => {
            "MySQL_Server_8.0.36_Auto_Generated_Server_Certificate"
        }
        ("mysql-autogen", _) => "MySQL_Server_8.0.36_Auto_Generated_CA_Certificate",
        ("iis-wmsvc", _) => "WMSvc-SHA2-WEB01",
        ("webmin-selfsigned", _) => "Webmin Webserver on web01",
        ("cockpit-selfsigned", _) => "0123456789abcdef0123456789abcdef",
        ("synology-dsm", _) => "synology.com",
        ("citrix-adc-default", _) => "default ABCDEF",
        ("paloalto-factory", _) => "00112233aabb",
        ("sonicwall-https-mgmt", _) => "HTTPS Management Certificate for SonicWALL (self-signed)",
        ("sophos-appliance", _) => "SophosApplianceCertificate_C0",
        ("cyberoam-appliance", _) => "CyberoamApplianceCertificate_C0",
        ("cisco-ios-selfsigned", _) => "IOS-Self-Signed-Certificate-1234567890",
        ("cisco-firepower", _) => "firepower",
        ("pfsense-webconfigurator", _) => "pfSense-5f0c0ffee",
        ("pfsense-gui-default", "subject_o_re") => "pfSense GUI default Self-Signed Certificate",
        ("pfsense-gui-default", _) => "pfSense-0123456789abc",
        ("opnsense-webgui", _) => "OPNsense self-signed web certificate",
        ("opnsense-old", _) => "OPNsense.localdomain",
        ("vmware-horizon", _) => "VMware Horizon View default certificate",
        ("dell-idrac", _) => "iDRAC-ABC1234",
        ("lenovo-xcc", _) => "XCC-7X06-ABC",
        ("fastly-default", _) => "k.sni-600-default.ssl.fastly.net",
        ("akamai-default", _) => "a248.e.akamai.net",
        ("cloudflare-origin-ca", _) => "CloudFlare Origin SSL ECC Certificate Authority",
        ("apim-managed-default", _) => "*.azure-api.net",
        ("client-go-selfsigned", "subject_cn_re") => "node-1@1700000000",
        ("client-go-selfsigned", _) => "node-1-ca@1700000000",
        other => panic!("no sample for {other:?}"),
    }
}

#[test]
fn every_built_in_entry_recognises_its_certificate_and_no_near_miss() {
    let file: Table = toml::from_str(BUILTIN_TEXT).unwrap();
    let entries = file["certificate"].as_array().unwrap();
    let catalog = Catalog::builtin();
    assert_eq!(catalog.entries().len(), entries.len());
    let mut near_miss_count = 0;
    for (entry, table) in catalog.entries().zip(entries) {
        let keys = table["matcher"].as_table().unwrap();
        let shape = Shape::of(&entry.id, keys);
        let recognised = catalog
            .recognise(&shape.certificate())
            .map(|entry| entry.id.as_str());
        assert_eq!(recognised, Some(entry.id.as_str()));
        for key in keys.keys() {
            let miss = shape.but_for(key, keys).certificate();
            assert!(!entry.matcher.matches(&miss), "{} without {key}", entry.id);
            near_miss_count += 1;
        }
    }
    assert!(near_miss_count > 2 * entries.len());
}

#[test]
fn the_built_in_catalog_is_one() {
    let entries = parse(BUILTIN_TEXT).unwrap();
    for entry in &entries {
        assert!(entry.matcher.compile().is_ok(), "{}", entry.id);
        assert!(entry.source.is_some() && entry.evidence.is_some());
    }
    let generic = |entry: &&Entry| entry.strength == Strength::Generic;
    let first_generic = entries.iter().position(|entry| generic(&entry)).unwrap();
    assert!(
        entries[first_generic..].iter().all(|entry| generic(&entry)),
        "generic ones are last"
    );
}

#[test]
fn the_entries_of_a_file_come_first() {
    let certificate = testing::certificate()
        .subject(&[("CN", "TRAEFIK DEFAULT CERT")])
        .dns(&["0123456789abcdef0123456789abcdef.00112233445566778899aabbccddeeff.traefik.default"])
        .read();
    let id = |catalog: &Catalog| {
        catalog
            .recognise(&certificate)
            .map(|entry| entry.id.clone())
    };
    assert_eq!(id(Catalog::builtin()).as_deref(), Some("traefik-default"));
    let catalog = Catalog::builtin()
        .with_additions(&file("subject_cn_re = \"^TRAEFIK\""))
        .unwrap();
    assert_eq!(id(&catalog).as_deref(), Some("ours"));
    assert_eq!(
        catalog.entries().len(),
        Catalog::builtin().entries().len() + 1
    );
}

#[test]
fn what_was_not_read_matches_neither_way() {
    let whole = testing::certificate().issuer(&[("CN", "authority")]).der();
    let catalog = |matcher| Catalog::builtin().with_additions(&file(matcher)).unwrap();
    for matcher in [
        "self_signed = true",
        "self_signed = false",
        "empty_subject = true",
        "no_subject_o = true",
    ] {
        let catalog = catalog(matcher);
        for len in 0..60 {
            let cut = Certificate::from_der(&whole[..len]);
            assert!(!cut.subject.is_whole());
            assert!(catalog.recognise(&cut).is_none(), "{matcher} {len}");
        }
    }
}

fn file(matcher: &str) -> String {
    format!(
        "schema = 1\n\n[[certificate]]\nid = \"ours\"\nproduct = \"Ours\"\ncategory = \"generic\"\n\
         strength = \"exact\"\n[certificate.matcher]\n{matcher}\n"
    )
}

fn refused(text: &str) -> String {
    Catalog::builtin()
        .with_additions(text)
        .unwrap_err()
        .to_string()
}

#[test]
fn an_error_names_line_entry_and_key() {
    let unknown = refused(&file("subject_cm = \"x\""));
    assert!(
        unknown.starts_with("line 9, entry ours: ") && unknown.contains("`subject_cm`"),
        "{unknown}"
    );
    let wrong_type = refused(&file("self_signed = \"yes\""));
    assert!(
        wrong_type.starts_with("line 9, entry ours: "),
        "{wrong_type}"
    );
    let pattern = refused(&file("subject_cn = \"x\"\nsan_re = [\"a\", \"(\"]"));
    assert!(
        pattern.starts_with("line 4, entry ours, key san_re: "),
        "{pattern}"
    );
    let oid = refused(&file("extension_oid = \"1.x\""));
    assert!(
        oid.starts_with("line 9, entry ours: ") && oid.contains("`1.x`"),
        "{oid}"
    );
    let strength = refused(&file("subject_cn = \"x\"").replace("exact", "sure"));
    assert!(
        strength.starts_with("line 7, entry ours: ") && strength.contains("`sure`"),
        "{strength}"
    );
    let missing = refused(&file("subject_cn = \"x\"").replace("product = \"Ours\"", ""));
    assert!(
        missing.contains("entry ours: ") && missing.contains("`product`"),
        "{missing}"
    );
    let syntax = refused("schema = 1\nfoo bar");
    assert!(syntax.starts_with("line 2: "), "{syntax}");
    assert!(refused(&file("")).contains("entry ours: the matcher is empty"));
    assert_eq!(refused("schema = 2"), "schema 2, not 1");
    assert!(refused("").contains("`schema`"));
    let twice = format!(
        "{}{}",
        file("subject_cn = \"x\""),
        file("subject_cn = \"y\"").replace("schema = 1\n", "")
    );
    assert_eq!(refused(&twice), "line 4, entry ours: the id occurs twice");
}

#[test]
fn a_file_and_its_patterns_have_bounds() {
    assert!(refused(&" ".repeat(MAX_TEXT_LEN + 1)).contains("bytes, more than"));
    let large = refused(&file("subject_cn_re = \"(a{1000}){1000}\""));
    assert!(large.contains("key subject_cn_re: "), "{large}");
    let deep = format!(
        "subject_cn_re = \"{}a{}\"",
        "(".repeat(500),
        ")".repeat(500)
    );
    assert!(refused(&file(&deep)).contains("key subject_cn_re: "));
}
