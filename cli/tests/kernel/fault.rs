//! What ping counts when the answers are not what they should be. Three requests each, unless said.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::{
    net::{FAR, Net},
    responder::{
        CHECKSUM, CODE, Fault, IDENTIFIER, IP_CHECKSUM, Packet, QUOTED, Responder, SEQUENCE, SOURCE,
    },
    run::{Form, Tested, run},
};

pub(crate) fn tests() -> Vec<Trial> {
    let none = Counts::default();
    let (three, corrupt) = (Counts { received: 3, ..none }, Counts { corrupt: 3, ..none });
    let (foreign, errors) = (Counts { foreign: 3, ..none }, Counts { errors: 3, ..none });
    let late = Counts { late: 3, ..none };
    vec![
        test("a_host_that_answers_well_is_counted_as_such", |q| at_once([q.reply()]), three),
        slow(
            "a_reply_that_comes_twice_counts_once",
            "-c 3 -i 0.05",
            twice,
            Counts { dup: 3, ..three },
        ),
        slow("a_reply_within_the_wait_counts", "-c 3 -i 0.05", |q| after(700, q.reply()), three),
        slow(
            "a_late_reply_is_shown_and_never_counts",
            "-c 3 -i 1",
            |q| after(1_500, q.reply()),
            late,
        ),
        test("replies_in_reverse_order_all_count", reverse, Counts { reordered: 2, ..three }),
        test(
            "a_wrong_icmp_checksum_is_corruption",
            |q| at_once([q.reply().raw(CHECKSUM, flip)]),
            corrupt,
        ),
        test(
            "a_wrong_header_checksum_is_no_answer",
            |q| at_once([q.reply().raw(IP_CHECKSUM, flip)]),
            none,
        ),
        test("a_changed_octet_of_data_is_corruption", changed, corrupt),
        test("a_reply_cut_short_is_corruption", |q| at_once([q.reply().resized(-20)]), corrupt),
        test("a_reply_drawn_out_is_corruption", |q| at_once([q.reply().resized(40)]), corrupt),
        test(
            "a_reply_with_a_code_is_corruption",
            |q| at_once([q.reply().with(CODE, five)]),
            corrupt,
        ),
        test(
            "a_reply_to_another_program_is_no_answer",
            |q| at_once([q.reply().with(IDENTIFIER, flip)]),
            none,
        ),
        test(
            "a_sequence_number_never_sent_is_foreign",
            |q| at_once([q.reply().with(SEQUENCE, ahead)]),
            foreign,
        ),
        test(
            "an_answer_from_another_address_is_foreign",
            |q| at_once([q.reply().with(SOURCE, ahead)]),
            foreign,
        ),
        test(
            "the_next_reply_forged_counts_nothing",
            |q| at_once([q.reply().with(SEQUENCE, next), q.reply()]),
            Counts { foreign: 3, ..three },
        ),
        test(
            "a_reply_in_fragments_of_eight_octets_counts",
            |q| at_once(q.reply().in_fragments()),
            three,
        ),
        test("an_unreachable_host_is_an_error", |q| at_once([q.error([3, 1])]), errors),
        test("a_filtering_router_is_an_error", |q| at_once([q.error([3, 13])]), errors),
        test("a_time_exceeded_is_an_error", |q| at_once([q.error([11, 0])]), errors),
        test("an_error_is_matched_whatever_routers_did_to_its_quote", mangled, errors),
        test(
            "an_error_with_a_label_stack_is_an_error",
            |q| at_once([q.labelled_error([11, 0])]),
            errors,
        ),
        test("a_parameter_problem_is_an_error", |q| at_once([q.error([12, 0])]), errors),
        test("source_quench_and_redirect_change_nothing", obsolete, three),
        test(
            "an_error_about_another_hosts_datagram_is_counted_apart",
            about_others,
            Counts { foreign: 9, ..three },
        ),
    ]
}

/// What the summary has to say; of what was sent, nothing is missing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Counts {
    received: u64,
    dup: u64,
    late: u64,
    corrupt: u64,
    foreign: u64,
    errors: u64,
    reordered: u64,
}

/// But for the fourth, which keeps the run from ending before the third's double has come.
fn twice(request: &Packet) -> Vec<(Duration, Packet)> {
    match request.sequence() {
        4 => after(300, request.reply()),
        _ => at_once([request.reply(), request.reply()]),
    }
}

fn reverse(request: &Packet) -> Vec<(Duration, Packet)> {
    after(150 * (3 - u64::from(request.sequence())), request.reply())
}

fn changed(request: &Packet) -> Vec<(Duration, Packet)> {
    let reply = request.reply();
    at_once([reply.with(reply.last(), flip)])
}

fn obsolete(request: &Packet) -> Vec<(Duration, Packet)> {
    at_once([request.error([4, 0]), request.error([5, 1]), request.reply()])
}

/// Its service, its length in the wrong order, its identification, its hops, its checksum.
fn mangled(request: &Packet) -> Vec<(Duration, Packet)> {
    let changed = [1, 2, 3, 4, 8, 10].map(|at| QUOTED + at);
    let error = request.error([11, 0]);
    at_once([changed.into_iter().fold(error, |error, at| error.with(at, |octet| octet ^ 0x55))])
}

/// Of another program, of another host, to another host.
fn about_others(request: &Packet) -> Vec<(Duration, Packet)> {
    let error = request.error([3, 1]);
    let others = [IDENTIFIER, SOURCE, SOURCE + 4].map(|at| error.with(QUOTED + at, flip));
    at_once(others.into_iter().chain([request.reply()]))
}

fn at_once(packets: impl IntoIterator<Item = Packet>) -> Vec<(Duration, Packet)> {
    packets.into_iter().map(|packet| (Duration::ZERO, packet)).collect()
}

fn after(millis: u64, packet: Packet) -> Vec<(Duration, Packet)> {
    vec![(Duration::from_millis(millis), packet)]
}

fn flip(octet: u8) -> u8 {
    octet ^ 1
}

fn next(octet: u8) -> u8 {
    octet + 1
}

fn ahead(octet: u8) -> u8 {
    octet + 100
}

fn five(_: u8) -> u8 {
    5
}

/// With a wait that is short, but not for whom answers at once.
fn test(name: &str, fault: Fault, counts: Counts) -> Trial {
    told_to(name, "-c 3 -i 0.05 -W 0.8", fault, counts)
}

/// With a wait of a second.
fn slow(name: &str, args: &str, fault: Fault, counts: Counts) -> Trial {
    told_to(name, &format!("{args} -W 1"), fault, counts)
}

fn told_to(name: &str, args: &str, fault: Fault, counts: Counts) -> Trial {
    let args = format!("ping {args} -I v0 -S 10.77.0.10/24 --no-probe {FAR}");
    Trial::test(name, move || counted(&args, fault, counts))
}

fn counted(args: &str, fault: Fault, counts: Counts) -> Tested {
    let net = Net::bare()?;
    let responder = Responder::start(&net, fault)?;
    let code = i32::from(counts.received == 0);
    let said = run(&net.here, Form::Json, args, code)?;
    responder.stop()?;
    let total = |key| said.total(key);
    let counted = Counts {
        received: total("received")?,
        dup: total("dup")?,
        late: total("late")?,
        corrupt: total("corrupt")?,
        foreign: total("foreign")?,
        errors: total("errors")?,
        reordered: total("reordered")?,
    };
    assert_eq!(counted, counts);
    let sent = 3;
    assert_eq!((total("sent")?, total("unsent")?), (sent, 0));
    let lost = said.of("timeout").count() as u64;
    assert_eq!(counts.received + counts.errors + lost, sent, "each has one end");
    Ok(())
}
