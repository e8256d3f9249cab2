//! The published handshake: the simple one of RFC 8448, section 3, opened with the secrets printed there.

use crate::tls::{
    KeyLog, Keys, Lane, Limits, MessageType, Observed, Observer, StepKind, Trials, Unopened, Unseen,
};

const RANDOM: &str = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7";
const CLIENT_HANDSHAKE: &str = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21";
const SERVER_HANDSHAKE: &str = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";
const CLIENT_TRAFFIC: &str = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
const SERVER_TRAFFIC: &str = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";

const CLIENT_HELLO: &str = "16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00020101001c00024001";
const SERVER_HELLO: &str = "160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";
const SERVER_FLIGHT: &str = "17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a7ca07612ef9f945cb960b4068905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf7b13bd9aefb0e57f271585b8ea9bb355c7c79020716cfb9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427325250c7d0e509289444c9b3a648f1d71035d2ed65b0e3cdd0cbae8bf2d0b227812cbb360987255cc744110c453baa4fcd610928d809810e4b7ed1a8fd991f06aa6248204797e36a6a73b70a2559c09ead686945ba246ab66e5edd8044b4c6de3fcf2a89441ac66272fd8fb330ef8190579b3684596c960bd596eea520a56a8d650f563aad27409960dca63d3e688611ea5e22f4415cf9538d51a200c27034272968a264ed6540c84838d89f72c24461aad6d26f59ecaba9acbbb317b66d902f4f292a36ac1b639c637ce343117b659622245317b49eeda0c6258f100d7d961ffb138647e92ea330faeea6dfa31c7a84dc3bd7e1b7a6c7178af36879018e3f252107f243d243dc7339d5684c8b0378bf30244da8c87c843f5e56eb4c5e8280a2b48052cf93b16499a66db7cca71e4599426f7d461e66f99882bd89fc50800becca62d6c74116dbd2972fda1fa80f85df881edbe5a37668936b335583b599186dc5c6918a396fa48a181d6b6fa4f9d62d513afbb992f2b992f67f8afe67f76913fa388cb5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614636c0b9b68c19ed2e31c0b3b66763038ebba42f3b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275592c12335ee340bbc4fddd502784016e4b3be7ef04dda49f4b440a30cb5d2af939828fd4ae3794e44f94df5a631ede42c1719bfdabf0253fe5175be898e750edc53370d2b";
const CLIENT_FINISHED: &str = "170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1caeacab6867d726c40546";
const CLIENT_DATA: &str = "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
const SERVER_DATA: &str = "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d";
const CLIENT_ALERT: &str = "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";
const SERVER_ALERT: &str = "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9";

/// The whole Certificate message: 445 bytes, one certificate of 432.
const CERTIFICATE: &str = "308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c300a06035504031303727361301e170d3136303733303031323335395a170d3236303733303031323335395a300e310c300a0603550403130372736130819f300d06092a864886f70d010101050003818d0030818902818100b4bb498f8279303d980836399b36c6988c0c68de55e1bdb826d3901a2461eafd2de49a91d015abbc9a95137ace6c1af19eaa6af98c7ced43120998e187a80ee0ccb0524b1b018c3e0b63264d449a6d38e22a5fda430846748030530ef0461c8ca9d9efbfae8ea6d1d03e2bd193eff0ab9a8002c47428a6d35a8d88d79f7f1e3f0203010001a31a301830090603551d1304023000300b0603551d0f0404030205a0300d06092a864886f70d01010b05000381810085aad2a0e5b9276b908c65f73a7267170618a54c5f8a7b337d2df7a594365417f2eae8f8a58c8f8172f9319cf36b7fd6c55b80f21a03015156726096fd335e5e67f2dbf102702e608ccae6bec1fc63a42a99be5c3eb7107c3c54e9b9eb2bd5203b1c3b84e0a8b2f759409ba3eac9d91d402dcc0cc8f8961229ac9187b42b4de1";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn log(lines: &[(&str, &str)]) -> KeyLog {
    let text: String = lines
        .iter()
        .map(|(label, secret)| format!("{label} {RANDOM} {secret}\n"))
        .collect();
    let mut log = KeyLog::new();
    assert_eq!(
        log.read(text.as_bytes(), 0).unwrap().secrets,
        u64::try_from(lines.len()).unwrap()
    );
    log
}

fn all_secrets() -> KeyLog {
    log(&[
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", CLIENT_HANDSHAKE),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", SERVER_HANDSHAKE),
        ("CLIENT_TRAFFIC_SECRET_0", CLIENT_TRAFFIC),
        ("SERVER_TRAFFIC_SECRET_0", SERVER_TRAFFIC),
    ])
}

/// The conversation, its bytes in pieces of `size`. The ticket that the server sends with its first key is taken for lost.
fn observed(size: usize) -> Observer<u32> {
    let mut observer = Observer::new(Limits::default()).with_sealed_kept();
    let mut mark = 0;
    let mut say = |observer: &mut Observer<u32>, lane, hex: &str| {
        for piece in bytes(hex).chunks(size) {
            mark += 1;
            observer.on_bytes(lane, piece, mark);
        }
    };
    say(&mut observer, Lane::A, CLIENT_HELLO);
    say(&mut observer, Lane::B, SERVER_HELLO);
    say(&mut observer, Lane::B, SERVER_FLIGHT);
    say(&mut observer, Lane::A, CLIENT_FINISHED);
    say(&mut observer, Lane::B, "17030300de");
    observer.on_gap(Lane::B, 0xde, crate::tls::GapReason::Lost, 0);
    say(&mut observer, Lane::A, CLIENT_DATA);
    say(&mut observer, Lane::B, SERVER_DATA);
    say(&mut observer, Lane::A, CLIENT_ALERT);
    say(&mut observer, Lane::B, SERVER_ALERT);
    observer
}

#[test]
fn the_whole_conversation_is_opened_however_its_bytes_come() {
    let log = all_secrets();
    let wanted = [
        (Lane::A, StepKind::Message(MessageType::CLIENT_HELLO), 196),
        (Lane::B, StepKind::Message(MessageType::SERVER_HELLO), 90),
        (
            Lane::B,
            StepKind::Message(MessageType::ENCRYPTED_EXTENSIONS),
            40,
        ),
        (Lane::B, StepKind::Message(MessageType::CERTIFICATE), 445),
        (
            Lane::B,
            StepKind::Message(MessageType::CERTIFICATE_VERIFY),
            136,
        ),
        (Lane::B, StepKind::Message(MessageType::FINISHED), 36),
        (Lane::A, StepKind::Message(MessageType::FINISHED), 36),
        // The lost one.
        (Lane::B, StepKind::ApplicationData, 222),
        (Lane::A, StepKind::OpenedData, 50),
        (Lane::B, StepKind::OpenedData, 50),
        (Lane::A, StepKind::EncryptedAlert, 2),
        (Lane::B, StepKind::EncryptedAlert, 2),
    ];
    for size in [1, 2, 7, 100, 10_000] {
        let seen = observed(size)
            .finish_with(Some(Keys::new(&log, 0)), &mut Trials::default())
            .unwrap();
        assert_eq!(seen.certificates, Observed::Seen(vec![bytes(CERTIFICATE)]));
        assert!(seen.decrypted);
        assert_eq!(seen.unopened, None);
        assert!(!seen.certificate_requested);
        let steps: Vec<_> = seen
            .steps
            .iter()
            .map(|step| (step.lane, step.kind, step.len))
            .collect();
        assert_eq!(steps, wanted, "in pieces of {size}");
        let alerts: Vec<_> = seen
            .alerts
            .iter()
            .map(|alert| (alert.lane, alert.encrypted, alert.content()))
            .collect();
        let close_notify = Some((1, 0));
        assert_eq!(
            alerts,
            [(Lane::A, true, close_notify), (Lane::B, true, close_notify)]
        );
    }
}

#[test]
fn without_its_secret_each_part_stays_closed() {
    let none = KeyLog::new();
    let seen = observed(100)
        .finish_with(Some(Keys::new(&none, 0)), &mut Trials::default())
        .unwrap();
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Encrypted));
    assert_eq!(seen.unopened, Some(Unopened::NoKey));
    assert!(!seen.decrypted);

    // A secret that is known only later is none.
    let mut late = KeyLog::new();
    let line = format!("SERVER_HANDSHAKE_TRAFFIC_SECRET {RANDOM} {SERVER_HANDSHAKE}");
    late.read(line.as_bytes(), 9).unwrap();
    let seen = observed(100)
        .finish_with(Some(Keys::new(&late, 8)), &mut Trials::default())
        .unwrap();
    assert_eq!(seen.unopened, Some(Unopened::NoKey));
    let seen = observed(100)
        .finish_with(Some(Keys::new(&late, 9)), &mut Trials::default())
        .unwrap();
    assert_eq!(seen.certificates.seen().map(Vec::len), Some(1));

    let wrong = log(&[("SERVER_HANDSHAKE_TRAFFIC_SECRET", CLIENT_HANDSHAKE)]);
    let seen = observed(100)
        .finish_with(Some(Keys::new(&wrong, 0)), &mut Trials::default())
        .unwrap();
    assert_eq!(seen.unopened, Some(Unopened::KeyDoesNotOpen));
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Encrypted));
}

#[test]
fn bytes_that_are_missing_in_the_flight_are_said_to_be_missing() {
    let log = all_secrets();
    let mut observer = Observer::new(Limits::default()).with_sealed_kept();
    observer.on_bytes(Lane::A, &bytes(CLIENT_HELLO), 1);
    observer.on_bytes(Lane::B, &bytes(SERVER_HELLO), 2);
    let flight = bytes(SERVER_FLIGHT);
    observer.on_bytes(Lane::B, &flight[..300], 3);
    let mut torn = observer.clone();
    torn.on_gap(Lane::B, 79, crate::tls::GapReason::Lost, 4);
    torn.on_bytes(Lane::B, &flight[379..], 4);
    let seen = torn
        .finish_with(Some(Keys::new(&log, 0)), &mut Trials::default())
        .unwrap();
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Gap));
    assert_eq!(seen.unopened, None);
    let seen = observer
        .finish_with(Some(Keys::new(&log, 0)), &mut Trials::default())
        .unwrap();
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::CaptureEnded));
}

#[test]
fn what_is_kept_of_a_direction_is_bounded() {
    let limits = Limits {
        max_sealed_len: 100,
        ..Limits::default()
    };
    let mut observer = Observer::new(limits).with_sealed_kept();
    observer.on_bytes(Lane::A, &bytes(CLIENT_HELLO), 1);
    observer.on_bytes(Lane::B, &bytes(SERVER_HELLO), 2);
    observer.on_bytes(Lane::B, &bytes(SERVER_FLIGHT), 3);
    let record = [&[23, 3, 3, 0x40, 0][..], &[7; 0x4000]].concat();
    for _ in 0..1000 {
        observer.on_bytes(Lane::B, &record, 4);
        assert!(observer.held_len() < 40_000);
    }
    let log = all_secrets();
    let seen = observer
        .finish_with(Some(Keys::new(&log, 0)), &mut Trials::default())
        .unwrap();
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Limit));
}

#[test]
fn every_flipped_byte_of_the_flight_is_refused() {
    let log = all_secrets();
    let flight = bytes(SERVER_FLIGHT);
    for at in 5..flight.len() {
        let mut flipped = flight.clone();
        flipped[at] ^= 1;
        let mut observer = Observer::new(Limits::default()).with_sealed_kept();
        observer.on_bytes(Lane::A, &bytes(CLIENT_HELLO), 1);
        observer.on_bytes(Lane::B, &bytes(SERVER_HELLO), 2);
        observer.on_bytes(Lane::B, &flipped, 3);
        let seen = observer
            .finish_with(Some(Keys::new(&log, 0)), &mut Trials::default())
            .unwrap();
        assert_eq!(seen.certificates, Observed::Unseen(Unseen::Encrypted));
        assert_eq!(seen.unopened, Some(Unopened::KeyDoesNotOpen));
    }
}
