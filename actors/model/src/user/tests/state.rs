//! The encoding: small, canonical, and safe against any bytes.

use proptest::prelude::*;

use super::*;

#[test]
fn an_idle_user_is_small() {
    let mut bench = Bench::new();
    bench.event(0, add("prod-0123456789abcde", 1, 1_999));
    for minute in 1..8 {
        bench.event(minute, Kind::Logout(v1::Logout {}));
    }
    let with_session = encoded(&bench.user).len();
    bench.user.sessions = Default::default();
    bench.user.journey = Default::default();
    let idle = encoded(&bench.user).len();
    bench.user.dedup = Default::default();
    let cart_only = encoded(&bench.user).len();
    // Eight ids are 64 bytes of these; they are forgotten within the hour.
    assert!(
        idle <= 113 && cart_only <= 39 && with_session <= 128,
        "{idle} B, {cart_only} B, {with_session} B"
    );
    assert!(size_of::<User>() <= 256, "{} B hot", size_of::<User>());
}

#[test]
fn a_newer_format_is_said_to_be_one() {
    assert!(matches!(User::decode(&[2, 0]), Err(crate::actor::StateError::Newer { found: 2, newest: 1 })));
    assert!(matches!(User::decode(&[]), Err(crate::actor::StateError::Damaged(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// Whatever the bytes, reading them ends, and what could be read has one encoding.
    #[test]
    fn any_bytes_are_read_or_refused(parts in any::<u8>(), rest in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..200)) {
        let bytes: Vec<u8> = [1, parts].into_iter().chain(rest).collect();
        if let Ok(user) = User::decode(&bytes) {
            let first = encoded(&user);
            let again = User::decode(&first).expect("what was encoded can be decoded");
            prop_assert_eq!(encoded(&again), first);
            user.deadlines();
        }
    }
}
