//! The table against a plain model of it: any history, the same frames and events at the same
//! times.
//!
//! `PROPTEST_CASES=10000 cargo test --release -p sidestack-arp --test model` tries ten thousand.

mod model {
    pub(crate) mod plain;
    pub(crate) mod real;
}

use arp::{Config, Trust};
use model::{plain::Plain, real::Real};
use proptest::{prelude::*, test_runner::Config as Cases};
use sidestack_arp as arp;

/// What happens, to one of six neighbours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Wait(u64),
    Send(u8),
    Further(u8),
    Resolve(u8),
    Advise(u8, bool),
    /// It asks for us, from a MAC address of its own or of another.
    Request(u8, u8),
    /// It tells everybody where it is.
    Gratuitous(u8, u8),
    /// It answers us, whether we asked or not.
    Reply(u8, u8),
}

fn act() -> impl Strategy<Value = Act> {
    let (who, mac) = (1_u8..7, 1_u8..4);
    prop_oneof![
        4 => prop_oneof![0_u64..1200, 0_u64..12_000, Just(1000)].prop_map(Act::Wait),
        3 => who.clone().prop_map(Act::Send),
        1 => who.clone().prop_map(Act::Further),
        1 => who.clone().prop_map(Act::Resolve),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, reached)| Act::Advise(who, reached)),
        1 => (who.clone(), mac.clone()).prop_map(|(who, mac)| Act::Request(who, mac)),
        1 => (who.clone(), mac.clone()).prop_map(|(who, mac)| Act::Gratuitous(who, mac)),
        2 => (who, mac).prop_map(|(who, mac)| Act::Reply(who, mac)),
    ]
}

proptest! {
    #![proptest_config(Cases { cases: cases(), ..Cases::default() })]
    #[test]
    fn any_history_has_the_frames_and_the_events_of_the_model(
        acts in proptest::collection::vec(act(), 1..60),
        trust in prop_oneof![Just(Trust::Solicited), Just(Trust::Update), Just(Trust::Confirm)],
        (capacity, requests, polls) in (2_usize..7, 1_u32..4, 0_u32..4),
    ) {
        // Reachable lasts as long as the lifetime: the model draws no lots.
        let reachable = std::time::Duration::from_secs(180);
        let config = Config { capacity, requests, polls, trust, reachable, ..Config::default() };
        let (mut real, mut plain) = (Real::new(config), Plain::new(config));
        for (nth, act) in acts.into_iter().chain([Act::Wait(400_000)]).enumerate() {
            let did = real.act(act, nth as u8);
            let expected = plain.act(act, nth as u8, &did);
            prop_assert_eq!(&did, &expected, "{:?}", act);
            prop_assert_eq!(real.rows(), plain.rows(), "{:?}", act);
            prop_assert_eq!(real.deadline(), plain.deadline(), "{:?}", act);
        }
        prop_assert_eq!(real.deadline(), None, "all is forgotten in the end");
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1000)
}
