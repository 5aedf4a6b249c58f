//! Frames as they are given.

use libtest_mimic::Trial;
use link::{EtherType, namespace::Namespace};

use crate::{
    net::Net,
    run::{Form, Run, Tested, both, run},
    tap::Tap,
};

pub(crate) fn tests() -> Vec<Trial> {
    [
        both("a_text_is_seen_whole_by_another_socket_on_loopback", hello),
        both("a_frame_given_in_hexadecimal_arrives_octet_for_octet", hex),
        both("what_is_no_frame_is_refused_and_nothing_is_sent", no_frame),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn hello(form: Form) -> Tested {
    let host = Namespace::new()?;
    let mut tap = Tap::open(&host, "lo")?;
    let args = ["send", "--ethertype", "0x0801", "--text", "Hello, world!", "-I", "lo"];
    let said = host.run(|| Run::start_here(form, args))?.ends(0)?;
    let seen = tap.seen()?;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].frame().payload(), b"Hello, world!");
    assert_eq!(seen[0].frame().ether_type(), EtherType(0x0801));
    assert_eq!(seen[0].octets.len(), 27);
    if form == Form::Json {
        let lengths: Vec<_> = said.of("frame").map(|frame| &frame["len"]).collect();
        assert_eq!(lengths, [27]);
    }
    Ok(())
}

fn hex(form: Form) -> Tested {
    let net = Net::bare()?;
    let mut tap = net.tap()?;
    let frame = "0200004d0001 02:00:00:00:00:99 88b5 00ff10";
    run(&net.here, form, &format!("send -c 3 -i 0.01 -I v0 {frame}"), 0)?;
    let octets = b"\x02\x00\x00\x4d\x00\x01\x02\x00\x00\x00\x00\x99\x88\xb5\x00\xff\x10";
    let seen = tap.seen()?;
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|frame| frame.octets == octets));
    Ok(())
}

fn no_frame(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let said = run(&net.here, form, "send -I v0 48454c4c4f", 2)?;
    assert_eq!(tap.seen()?.len(), 0);
    match form {
        Form::Text => assert!(said.errors.contains("5 octets are no frame"), "{said:#?}"),
        Form::Json => assert!(said.of("error").all(|error| error["kind"] == "usage")),
    }
    Ok(())
}
