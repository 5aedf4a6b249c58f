//! What routers say of the path, truly or not: only ever what to probe next.

use std::time::Duration;

use sidestack_stack as stack;
use stack::{
    MtuSearch,
    icmp::Outcome,
    path_mtu::{Config, Error, Event},
};

use super::{
    SECOND,
    path::{HOP, passed, run, search, telling, told, way},
    thrice,
};
use crate::{
    packet::{Ip, error},
    wire::{BEYOND, GATEWAY, MS, US},
};

// PMTU-6
#[test]
fn what_a_router_says_is_probed_next_and_one_octet_more_three_times() {
    let run = search(&mut telling(1400, 1400), BEYOND, Config::default());
    assert_eq!(run.sizes(), [vec![1200, 1500, 1400], thrice(1401, 1400)].concat());
    assert_eq!((run.found, run.took), (Ok(1400), HOP * 2 * 9), "a round trip each");
    let run = search(&mut telling(600, 600), BEYOND, Config::default());
    assert_eq!(run.sizes(), [vec![1200, 600], thrice(601, 600)].concat());
    assert_eq!((run.found, run.took), (Ok(600), HOP * 2 * 8));
}

// PMTU-6
#[test]
fn where_a_router_does_not_say_how_much_it_takes_the_usual_sizes_are_probed_downward() {
    let run = search(&mut telling(1400, 0), BEYOND, Config::default());
    let down = vec![1200, 1500, 1492, 1480, 1476, 1450, 1420, 1400];
    assert_eq!(run.sizes(), [down, thrice(1401, 1400)].concat());
    assert_eq!((run.found, run.took), (Ok(1400), HOP * 2 * 14));
}

// PMTU-6
#[test]
fn each_router_of_a_path_that_narrows_is_listened_to() {
    let mut wire = way(|heard| {
        let narrowest = [1492, 1420, 1300].into_iter().find(|mtu| heard.packet().len() > *mtu);
        narrowest.map_or_else(|| passed(heard, 1300), |mtu| told(heard.packet(), mtu as u16))
    });
    let run = search(&mut wire, BEYOND, Config::default());
    assert_eq!(run.sizes(), [vec![1200, 1500, 1492, 1420, 1300], thrice(1301, 1300)].concat());
    assert_eq!(run.found, Ok(1300));
}

// PMTU-6
#[test]
fn no_lie_makes_the_path_seem_narrower_or_wider_than_it_is() {
    for says in [1, 67, 68, 100, 576, 1199, 1200, 1399, 1401, 1499, 1500, 1501, 65_535] {
        let mut wire = telling(1400, says);
        assert_eq!(search(&mut wire, BEYOND, Config::default()).found, Ok(1400), "{says}");
        assert_eq!(wire.host.path_mtu(wire.now(), BEYOND), Some(1400), "{says}");
    }
}

// PMTU-6
#[test]
fn a_lie_about_what_was_delivered_is_refuted_by_the_answer_that_follows() {
    for says in [68, 600, 1199, 1400, 1499] {
        let mut wire = way(move |heard| {
            [told(heard.packet(), says), vec![(MS, passed(heard, 1500).remove(0).1)]].concat()
        });
        let run = search(&mut wire, BEYOND, Config::default());
        assert_eq!(run.found, Ok(1500), "{says}");
        assert_eq!(wire.host.path_mtu(wire.now(), BEYOND), Some(1500));
    }
}

// PMTU-4, PMTU-6
#[test]
fn what_somebody_off_the_path_forges_is_not_probed_for_and_changes_nothing() {
    let forge = |says: u16, guess: fn(&mut Vec<u8>)| {
        let mut wire = way(move |heard| {
            let mut quote = heard.packet()[..28].to_vec();
            guess(&mut quote);
            let [high, low] = says.to_be_bytes();
            let forged = Ip::icmp(GATEWAY, US, &error(3, 4, [0, 0, high, low], &quote));
            [vec![(Duration::ZERO, forged.octets())], vec![(MS, passed(heard, 1500).remove(0).1)]]
                .concat()
        });
        let run = search(&mut wire, BEYOND, Config::default());
        assert_eq!((run.found, run.sizes()), (Ok(1500), vec![1200, 1500]), "{says}");
        assert_eq!(run.took, (HOP * 2 + MS) * 2);
        assert_eq!(wire.host.path_mtu(wire.now(), BEYOND), Some(1500));
    };
    for says in [68, 600, 1400] {
        forge(says, |quote| quote[22] ^= 1); // the checksum, which covers the cookie
        forge(says, |quote| quote[24] ^= 1); // another identifier
        forge(says, |quote| quote[16..20].copy_from_slice(&[10, 9, 9, 9]));
    }
}

// PMTU-6
#[test]
fn other_errors_say_nothing_of_sizes_and_are_no_reason_to_probe_faster() {
    let mut wire = way(|heard| {
        let message = error(3, 1, [0; 4], &heard.packet()[..28]);
        vec![(Duration::ZERO, Ip::icmp(GATEWAY, US, &message).octets())]
    });
    let run = search(&mut wire, BEYOND, Config::default());
    assert_eq!(run.sizes(), thrice(1200, 68));
    assert_eq!(
        run.sent.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5].map(|n| SECOND * n)
    );
    let Err(Error::Unreachable { last: Outcome::Error(last) }) = run.found else {
        panic!("{:?}", run.found)
    };
    assert_eq!((last.icmp_type, last.code, run.took), (3, 1, SECOND * 6));
}

// PMTU-6
#[test]
fn a_path_that_narrows_in_the_middle_of_a_search_is_found_as_it_has_become() {
    for narrow in [1300, 1000] {
        let mut wire = telling(1400, 1400);
        let mut search = MtuSearch::new(wire.now(), BEYOND, Config::default(), &wire.host);
        let run = run(&mut wire, &mut search, |wire, event| {
            let Event::Ended(ended) = event else { return };
            if ended.size == 1400 && matches!(ended.outcome, Outcome::Reply { .. }) {
                wire.answer = super::silent(narrow).answer;
            }
        });
        assert_eq!(run.found, Ok(narrow as u16));
    }
}
