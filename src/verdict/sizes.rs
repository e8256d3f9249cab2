//! Sizes of records that no rule tells apart, made one: handshakes of one kind are one then, whatever data went with them.
//!
//! Whoever reads a size of an [`Act`] has to be heard here; tests hold both against each other.

use crate::tls::{MessageType, StepKind};
use crate::verdict::reaction::{Act, LARGEST_EMPTY_CERTIFICATE, LARGEST_TICKET, Side};

/// Lengths become one where neither [`Course::reaction`] nor, in TLS 1.3, [`Flight::of`] tells them apart. `is_tls13` is what the server's
/// hello says, where it was seen.
///
/// [`Course::reaction`]: crate::verdict::Course::reaction
/// [`Flight::of`]: crate::verdict::Flight::of
pub fn unify_sizes(acts: &mut [Act], is_tls13: Option<bool>) {
    let answer = StepKind::Message(MessageType::SERVER_HELLO);
    // Below TLS 1.3 messages can be read, and nobody asks how long they are.
    let do_sizes_matter = is_tls13 != Some(false) || !acts.iter().any(|act| act.kind == answer);
    // Between the server's hello and the first word of the client behind it.
    let mut stands_in_flight = false;
    for act in acts {
        act.len = match act.kind {
            _ if !do_sizes_matter => 0,
            StepKind::ApplicationData if stands_in_flight && act.by == Side::Server => act.len,
            StepKind::ApplicationData
            | StepKind::OpenedData
            | StepKind::Message(MessageType::FINISHED) => unified(act.len),
            _ => 0,
        };
        match (act.by, act.kind) {
            (Side::Server, kind) if kind == answer => stands_in_flight = true,
            (Side::Client, StepKind::ApplicationData) => stands_in_flight = false,
            _ => {}
        }
    }
}

/// A length that stands for all that are taken alike.
const fn unified(len: u32) -> u32 {
    if len <= LARGEST_KNOWN {
        len
    } else if len <= LARGEST_TICKET {
        LARGEST_KNOWN + 1
    } else {
        LARGEST_TICKET + 1
    }
}

/// Records that are known by their sizes are not larger: alerts, Finished, an empty Certificate with it.
const LARGEST_KNOWN: u32 = 127;
const _: () = assert!(LARGEST_KNOWN > LARGEST_EMPTY_CERTIFICATE);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verdict::{ClearAlert, Close, Closing, Course, Flight, Reaction};

    fn kind() -> impl Strategy<Value = StepKind> {
        prop_oneof![
            6 => Just(StepKind::ApplicationData),
            1 => Just(StepKind::OpenedData),
            1 => Just(StepKind::EncryptedHandshake),
            1 => Just(StepKind::EncryptedAlert),
            1 => Just(StepKind::ChangeCipherSpec),
            1 => Just(StepKind::Message(MessageType::FINISHED)),
            1 => Just(StepKind::Message(MessageType::CERTIFICATE)),
            1 => Just(StepKind::Message(MessageType::CLIENT_HELLO)),
            1 => Just(StepKind::Message(MessageType::SERVER_HELLO)),
        ]
    }

    /// Sizes that mean something, those beside them, and any.
    fn len() -> impl Strategy<Value = u32> {
        let known = prop::sample::select(vec![
            11, 19, 21, 23, 25, 35, 36, 37, 41, 45, 52, 53, 61, 69, 77, 85, 93, 101, 127, 128, 281,
            823, 4096,
        ]);
        prop_oneof![
            8 => known.clone(),
            1 => known.prop_map(|len| len + 1),
            1 => 0_u32..140,
            1 => 0_u32..18_000,
        ]
    }

    fn act() -> impl Strategy<Value = Act> {
        let by = prop_oneof![Just(Side::Client), Just(Side::Server)];
        (by, kind(), len()).prop_map(|(by, kind, len)| Act { by, kind, len })
    }

    /// Anything, and what a handshake of TLS 1.3 begins with before anything.
    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let hellos = [
            (Side::Client, MessageType::CLIENT_HELLO, 300),
            (Side::Server, MessageType::SERVER_HELLO, 122),
        ];
        let hellos = hellos.map(|(by, kind, len)| Act {
            by,
            kind: StepKind::Message(kind),
            len,
        });
        let flight = [23, 823, 281, 53].map(|len| Act {
            by: Side::Server,
            kind: StepKind::ApplicationData,
            len,
        });
        (0_usize..3, prop::collection::vec(act(), 0..14)).prop_map(move |(begun, rest)| {
            let begin: &[&[Act]] = &[&hellos, &flight];
            let begin = begin.iter().take(begun).copied().flatten();
            begin.copied().chain(rest).collect()
        })
    }

    /// What the client does behind its Finished, which keys opened, and a server that may send something.
    fn opened(finished: u32, rest: &[(Side, StepKind, u32)]) -> Reaction {
        let acts = [
            (
                Side::Client,
                StepKind::Message(MessageType::CLIENT_HELLO),
                300,
            ),
            (
                Side::Server,
                StepKind::Message(MessageType::SERVER_HELLO),
                122,
            ),
            (
                Side::Client,
                StepKind::Message(MessageType::FINISHED),
                finished,
            ),
        ];
        let acts = acts.iter().chain(rest);
        let mut acts: Vec<Act> = acts
            .map(|(by, kind, len)| Act {
                by: *by,
                kind: *kind,
                len: *len,
            })
            .collect();
        unify_sizes(&mut acts, Some(true));
        Course {
            acts: &acts,
            alerts: &[],
            close: Some(Close {
                by: Side::Client,
                how: Closing::Fin,
            }),
            is_tls13: true,
            hash_len: Some(32),
        }
        .reaction()
    }

    #[test]
    fn the_size_of_an_opened_finished_still_tells_an_alert_from_data() {
        let data = |len| (Side::Client, StepKind::ApplicationData, len);
        // Who does not pad Finished sends an alert of 19 bytes, and 35 are data.
        assert_eq!(opened(36, &[data(19)]), Reaction::LeftAfterHandshake);
        assert_eq!(opened(36, &[data(35)]), Reaction::Accepted);
        assert_eq!(opened(52, &[data(35)]), Reaction::LeftAfterHandshake);
    }

    #[test]
    fn what_is_longer_than_a_ticket_still_is() {
        for kind in [StepKind::ApplicationData, StepKind::OpenedData] {
            let served = |len| opened(36, &[(Side::Server, kind, len)]);
            assert_eq!(served(LARGEST_TICKET), Reaction::LeftAfterHandshake);
            assert_eq!(served(LARGEST_TICKET + 1), Reaction::Finished);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn nobody_tells_the_sizes_apart_that_were_made_one(
            acts in acts(),
            is_tls13 in prop::option::of(any::<bool>()),
            close in prop::option::of((any::<bool>(), any::<bool>())),
            alert in prop::option::of((any::<bool>(), any::<bool>())),
            hash_len in prop_oneof![Just(None), Just(Some(32)), Just(Some(48))],
        ) {
            let mut unified = acts.clone();
            unify_sizes(&mut unified, is_tls13);
            let by = |is_client| if is_client { Side::Client } else { Side::Server };
            let close = close.map(|(by_client, is_fin)| Close {
                by: by(by_client),
                how: if is_fin { Closing::Fin } else { Closing::Rst },
            });
            let alerts: Vec<ClearAlert> = alert
                .iter()
                .map(|(by_client, is_fatal)| ClearAlert {
                    by: by(*by_client),
                    is_fatal: *is_fatal,
                    code: 48,
                })
                .collect();
            let reaction = |acts| Course {
                acts,
                alerts: &alerts,
                close,
                is_tls13: is_tls13 == Some(true),
                hash_len,
            }
            .reaction();
            prop_assert_eq!(reaction(&acts), reaction(&unified));
            if is_tls13 != Some(false) {
                for hash_len in [32, 48] {
                    prop_assert_eq!(Flight::of(&acts, hash_len), Flight::of(&unified, hash_len));
                }
            }
            let mut again = unified.clone();
            unify_sizes(&mut again, is_tls13);
            prop_assert_eq!(again, unified);
        }
    }
}
