//! Ping, as one host and another.

use libtest_mimic::Trial;
use link::{MacAddr6, Tag, namespace::KernelLab};
use nix::sys::signal::Signal;

use crate::{
    net::{FAR, FAR_MAC, Net, OUR_MAC, US},
    raw,
    run::{Form, Run, Tested, both, run},
    tap::{Arp, Seen},
};

pub(crate) fn tests() -> Vec<Trial> {
    let tests = [
        both("an_adopted_address_has_five_replies", five),
        both("the_kernels_ping_is_answered_while_the_program_runs", answering),
        both("a_bounded_run_cut_by_a_signal_says_what_it_had_and_ends_with_130", interrupted),
        both("a_host_beyond_the_gateway_is_reached", gateway),
        both("the_longest_datagram_is_echoed_by_a_kernel_and_comes_back_whole", longest),
        both("a_router_that_may_not_fragment_tells_its_mtu_and_the_next_request_heeds_it", mtu),
        both("what_the_kernels_recorded_on_the_way_is_shown", way),
        both("a_flood_to_a_kernel_loses_nothing", flood),
        both("at_the_hosts_own_address_only_its_kernel_answers", own),
        both("a_next_hop_given_by_its_mac_is_not_asked_for", via),
        both("an_adopted_mac_is_the_only_one_that_speaks", source_mac),
        both("in_a_vlan_every_frame_has_the_tag", vlan),
        both("two_programs_in_a_stack_of_vlans_answer_each_other", in_vlans),
        both("a_priority_tag_alone_is_no_vlan_and_a_kernel_without_one_answers", priority),
        both("the_hosts_own_address_with_a_priority_is_still_the_hosts", own_priority),
        both("a_mute_address_is_given_up_after_three_requests", mute),
    ];
    let figures =
        [("sigquit", Signal::SIGQUIT), ("sigusr1", Signal::SIGUSR1)].map(|(name, signal)| {
            Trial::test(format!("{name}_tells_the_figures_and_the_run_goes_on"), move || {
                figures(signal)
            })
        });
    tests.into_iter().flatten().chain(figures).collect()
}

fn five(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -c 5 -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let said = run(&net.here, form, args, 0)?;
    assert_eq!(said.replies(), [1, 2, 3, 4, 5]);
    assert_eq!(said.counts()?, (5, 5));
    match form {
        // On a busy machine the kernel may begin to stamp after the first reply.
        Form::Text => assert!(
            ["rx=kernel", "rx=user+kernel"].iter().any(|stamps| said.says(stamps)),
            "{said:#?}"
        ),
        Form::Json => {
            for reply in said.of("reply") {
                assert_eq!(reply["from_mac"], FAR_MAC.to_string().to_lowercase());
                assert!(reply["rtt_ns"].as_u64().is_some_and(|rtt| rtt > 0));
            }
        }
    }
    Ok(())
}

fn answering(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, args)?;
    program.until_reply(1)?;
    assert_eq!(raw::ping(&net.far, US)?, US);
    program.signal(Signal::SIGTERM)?;
    let (sent, received) = program.ends(0)?.counts()?;
    assert!(received >= 1 && sent - received <= 1);
    Ok(())
}

fn interrupted(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -c 1000 -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, args)?;
    program.until_reply(3)?;
    program.signal(Signal::SIGINT)?;
    let said = program.ends(130)?;
    let (sent, received) = said.counts()?;
    assert_eq!(received, said.replies().len() as u64);
    assert!(received >= 1 && sent - received <= 1);
    if form == Form::Json {
        assert!(said.of("summary").all(|summary| summary["interrupted"] == true));
    }
    Ok(())
}

fn figures(signal: Signal) -> Tested {
    let net = Net::new()?;
    let args = "ping -c 20 -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, Form::Text, args)?;
    program.until_reply(2)?;
    program.signal(signal)?;
    let said = program.ends(0)?;
    assert!(said.errors.contains(" packets, 0% loss, min/avg/max = "), "{said:#?}");
    assert_eq!(said.counts()?, (20, 20));
    Ok(())
}

fn gateway(form: Form) -> Tested {
    let lab = KernelLab::new()?;
    let args = "ping -c 3 -i 0.05 -I lab0 -S 10.0.0.1/24 --no-probe --gateway 10.0.0.254 10.0.1.2";
    let said = run(&lab.here, form, args, 0)?;
    assert_eq!(said.replies(), [1, 2, 3]);
    match form {
        Form::Text => assert!(said.says("icmp_seq=1 ttl=63 ")),
        Form::Json => assert!(said.of("reply").all(|reply| reply["ttl"] == 63)),
    }
    Ok(())
}

fn longest(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -c 2 -i 0.05 -s 65507 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let said = run(&net.here, form, args, 0)?;
    assert_eq!(said.replies(), [1, 2]);
    match form {
        Form::Text => assert!(said.says("65515 bytes from 10.77.0.1: icmp_seq=2 ")),
        Form::Json => assert!(said.of("reply").all(|reply| reply["bytes"] == 65_515)),
    }
    Ok(())
}

fn mtu(form: Form) -> Tested {
    let lab = KernelLab::new()?;
    lab.beyond.set_mtu(KernelLab::INTERFACE, 1400)?;
    lab.router.set_mtu("beyond", 1400)?;
    let args =
        "-c 2 -i 0.05 -s 1400 -I lab0 -S 10.0.0.1/24 --no-probe --gateway 10.0.0.254 10.0.1.2";
    let said = run(&lab.here, form, &format!("ping {args}"), 0)?;
    assert_eq!(said.replies(), [2], "the second leaves in fragments");
    match form {
        Form::Text => assert!(
            said.says("From 10.0.0.2 icmp_seq=1 Frag needed and DF set (mtu = 1400)"),
            "{said:#?}"
        ),
        Form::Json => assert!(said.of("icmp_error").all(|error| error["mtu"] == 1400)),
    }
    let said = run(&lab.here, form, &format!("ping -M do {args}"), 1)?;
    assert!(said.replies().is_empty(), "{said:#?}");
    if form == Form::Text {
        let long = "icmp_seq=2 not sent: a message of 1408 octets does not fit: at most 1380 do";
        assert!(said.says(long), "{said:#?}");
    }
    Ok(())
}

fn way(form: Form) -> Tested {
    let lab = KernelLab::new()?;
    let args = "ping -c 1 -R -I lab0 -S 10.0.0.1/24 --no-probe --gateway 10.0.0.254 10.0.1.2";
    let said = run(&lab.here, form, args, 0)?;
    let way = ["10.0.1.254", "10.0.1.2", "10.0.1.2", "10.0.0.2"];
    match form {
        Form::Text => assert!(said.says("RR:\t10.0.1.254") && said.says("\t10.0.1.2")),
        Form::Json => {
            let recorded = said.of("recorded").next().ok_or("nothing was recorded")?;
            let stops = recorded["stops"].as_array().ok_or("no stops")?;
            let stops: Vec<_> = stops.iter().filter_map(|stop| stop["ip"].as_str()).collect();
            assert_eq!(stops, way);
        }
    }
    Ok(())
}

fn flood(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -f -l 4 -c 5000 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let said = run(&net.here, form, args, 0)?;
    assert_eq!(said.counts()?, (5000, 5000));
    Ok(())
}

fn own(form: Form) -> Tested {
    let net = Net::new()?;
    net.here.add_address("v0", US, 24)?;
    let mut tap = net.tap()?;
    let mut program = Run::start(&net.here, form, "ping -i 0.05 -I v0 10.77.0.1")?;
    program.until_reply(1)?;
    assert_eq!(raw::ping(&net.far, US)?, US);
    program.until_reply(5)?; // what else was to come has come
    program.signal(Signal::SIGINT)?;
    let said = program.ends(0)?;
    let seen = tap.seen()?;
    let answers = |frame: &&Seen| frame.is_ipv4() && frame.frame().payload()[20] == ECHO_REPLY;
    assert_eq!(seen.iter().filter(answers).count(), 1);
    let claims = |frame: &&Seen| frame.arp().is_some_and(|arp| arp.operation == 2);
    assert!(seen.iter().filter(claims).count() <= 1, "{seen:?}");
    assert!(seen.iter().all(|frame| frame.src() == OUR_MAC));
    if form == Form::Text {
        let note = "10.77.0.10 is the host's own: its kernel answers ARP and echo for it";
        assert!(said.errors.contains(note), "{said:#?}");
    }
    Ok(())
}

fn via(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let args = "ping -c 3 -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe --via 02:00:00:4d:00:01";
    let said = run(&net.here, form, &format!("{args} 10.77.0.1"), 0)?;
    assert_eq!(said.replies(), [1, 2, 3]);
    let seen = tap.seen()?;
    assert!(seen.iter().filter_map(Seen::arp).all(|arp| arp.operation == 2), "{seen:?}");
    assert_eq!(seen.iter().filter(|frame| frame.is_ipv4()).count(), 3);
    Ok(())
}

fn source_mac(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let args = "ping -i 0.05 -I v0 -S 10.77.0.10/24 --source-mac 02:00:00:00:00:50 --no-probe";
    let mut program = Run::start(&net.here, form, &format!("{args} 10.77.0.1"))?;
    program.until_reply(3)?;
    assert_eq!(raw::ping(&net.far, US)?, US);
    program.signal(Signal::SIGINT)?;
    program.ends(0)?;
    let seen = tap.seen()?;
    assert!(seen.len() >= 5);
    for frame in seen {
        assert_eq!(frame.src(), MacAddr6::new(2, 0, 0, 0, 0, 0x50));
    }
    Ok(())
}

fn vlan(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let args = "ping -c 1 -w 0.4 -I v0 -S 10.77.0.10/24 --no-probe --vlan 42:5";
    let said = run(&net.here, form, &format!("{args} 10.77.0.1"), 1)?;
    assert_eq!(said.counts()?, (0, 0));
    match form {
        Form::Text => assert!(said.says("+1 not sent, 100% packet loss"), "{said:#?}"),
        Form::Json => assert_eq!(said.total("unsent")?, 1),
    }
    let seen = tap.seen()?;
    let [question] = &seen[..] else { return Err(format!("{seen:?}").into()) };
    assert_eq!(question.frame().tags().collect::<Vec<_>>(), [Tag::new(42, 5)]);
    assert_eq!(question.arp(), Some(Arp::request(US, FAR)));
    Ok(())
}

fn in_vlans(form: Form) -> Tested {
    let net = Net::bare()?;
    let args = "ping -i 0.05 -s 1400 --no-probe --vlan 100 --vlan 42:3";
    let far = format!("{args} -I f0 -S 10.77.0.1/24 10.77.0.10");
    let near = format!("{args} -I v0 -S 10.77.0.10/24 10.77.0.1");
    let mut far = Run::start(&net.far, form, &far)?;
    let mut near = Run::start(&net.here, form, &near)?;
    for program in [&mut far, &mut near] {
        program.until(if form == Form::Text { " ttl=64 " } else { r#""ttl":64"# })?;
    }
    for program in [near, far] {
        program.signal(Signal::SIGINT)?;
        assert!(program.ends(0)?.counts()?.1 >= 1);
    }
    Ok(())
}

fn priority(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let args = "ping -c 3 -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe --vlan 0:5";
    let said = run(&net.here, form, &format!("{args} 10.77.0.1"), 0)?;
    assert_eq!(said.replies(), [1, 2, 3]);
    for frame in tap.seen()? {
        assert_eq!(frame.frame().tags().collect::<Vec<_>>(), [Tag::new(0, 5)]);
    }
    Ok(())
}

/// The kernel answers at that address, so nobody probes for it, and no VLAN hides it.
fn own_priority(form: Form) -> Tested {
    let net = Net::new()?;
    net.here.add_address("v0", US, 24)?;
    let mut tap = net.tap()?;
    let said = run(&net.here, form, "ping -c 2 -i 0.05 -I v0 --vlan 0:5 10.77.0.1", 0)?;
    assert_eq!(said.replies(), [1, 2]);
    assert!(tap.seen()?.iter().all(|frame| frame.arp() != Some(Arp::probe(US))));
    Ok(())
}

fn mute(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let args = "ping -c 1 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.99";
    let said = run(&net.here, form, args, 1)?;
    let asked: Vec<_> = tap.seen()?.iter().filter_map(Seen::arp).collect();
    assert_eq!(asked, [Arp::request(US, [10, 77, 0, 99].into()); 3]);
    match form {
        Form::Text => assert!(said.says("10.77.0.99: no ARP reply on v0 after 3 requests")),
        Form::Json => {
            let reasons: Vec<_> = said.of("unsent").map(|unsent| &unsent["reason"]).collect();
            assert_eq!(reasons, ["unresolved"]);
        }
    }
    Ok(())
}

const ECHO_REPLY: u8 = 0;
