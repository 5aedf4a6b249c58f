//! ARP packets of any hardware, as people are shown them.

use proptest::prelude::*;
use sidestack_arp::AnyView;

#[test]
fn addresses_of_any_length_are_taken_as_they_are() {
    let packet = [0, 15, 8, 0, 2, 4, 0, 1, 0xaa, 0xbb, 10, 0, 0, 1, 0, 0, 10, 0, 0, 2, 0x55];
    let view = AnyView::read(&packet).unwrap();
    assert_eq!((view.hardware, view.protocol, view.operation), (15, 0x0800, 1));
    assert_eq!(view.sender_hardware, Some(&[0xaa, 0xbb][..]));
    assert_eq!(view.sender_protocol, Some(&[10, 0, 0, 1][..]));
    assert_eq!(view.target_hardware, Some(&[0, 0][..]));
    assert_eq!(view.target_protocol, Some(&[10, 0, 0, 2][..]));
    assert_eq!(view.flaw, None, "what follows is padding");
}

#[test]
fn an_address_that_is_cut_is_not_there_and_nothing_after_it() {
    let packet = [0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0];
    let view = AnyView::read(&packet).unwrap();
    assert_eq!(view.sender_hardware, Some(&[2, 0, 0, 0, 0, 1][..]));
    assert_eq!(view.sender_protocol, None);
    assert_eq!((view.target_hardware, view.target_protocol), (None, None));
    assert_eq!(view.flaw.map(|flaw| flaw.octet), Some(16));
}

#[test]
fn without_its_eight_octets_it_is_no_packet() {
    assert_eq!(AnyView::read(&[0; 7]).unwrap_err().octet, 7);
}

proptest! {
    #[test]
    fn no_octets_are_too_much(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = AnyView::read(&octets);
    }
}
