//! Frames, decoded.

use serde_json::{Value, json};

use crate::said::{run, sniffed};

#[test]
fn a_frame_that_was_sent_comes_back_decoded() {
    let run = run("send -j -c 2 --ethertype 0x0801 --text Hello -I lab:pace=0");
    let numbers: Vec<&Value> = run.of("frame").map(|frame| &frame["n"]).collect();
    assert_eq!(numbers, [1, 2]);
    let frame = run.of("frame").next().expect("the first");
    assert_eq!((&frame["dir"], &frame["len"]), (&json!("out"), &json!(19)));
    assert_eq!((&frame["eth"]["type"], &frame["vlan"]), (&json!(0x0801), &Value::Null));
    assert_eq!(run.one("start")["src"], Value::Null, "whoever only sends has no address");
}

#[test]
fn a_frame_in_a_vlan_and_one_with_a_length_are_frames_as_well() {
    let tagged = run("send -j --vlan 42:5 --ethertype 0x0801 --text Hello -I lab:pace=0");
    assert_eq!(tagged.one("frame")["vlan"], json!([{ "prio": 5, "id": 42 }]));
    let hex = "ffffffffffff 02000a000001 0003 424203";
    let old = run(&format!("send -j {hex} -I lab:pace=0"));
    assert_eq!(old.one("frame")["eth"]["len802_3"], 3);
}

#[test]
fn an_echo_that_was_sent_comes_back_decoded_to_its_message() {
    let hex = "02000000000a 02000a000001 0800 4500001c00070000 40010000 0a000001 0a000002";
    let run = run(&format!("send -j --vlan 42 -I lab:pace=0 {hex} 0800f7f700070001"));
    let frame = run.one("frame");
    assert_eq!((&frame["len"], &frame["eth"]["type"]), (&json!(46), &json!(0x0800)));
    assert_eq!(frame["vlan"], json!([{ "prio": 0, "id": 42 }]));
    assert_eq!((&frame["icmp"]["ident"], &frame["icmp"]["seq"]), (&json!(7), &json!(1)));
    assert_eq!(
        (&frame["ip"]["checksum_status"], &frame["icmp"]["checksum_status"]),
        (&json!(0), &json!(1))
    );
}

#[test]
fn a_capture_is_its_frames_layer_by_layer() {
    let macs = "02000000000a02000000000b";
    let ip = "45c0002000074000400100000a0000010a000002";
    let frames = [
        format!("{macs}08060001080006040001_02000000000b0a0000010000000000000a000002"),
        format!("{macs}0806_000f_0800_02_04_0002_aabb0a000001ccdd0a000002"),
        format!("{macs}810060078100002a0800_{ip}_0800f7f700070001_61626364"),
        format!("{macs}0003424203"),
        format!("{macs}0800_{ip}_0304000000000578_45000014"),
        format!("{macs}0800_{ip}_0d00000000010002_00000005"),
        "0200".to_owned(),
    ];
    let frames = frames.map(|frame| frame.replace('_', ""));
    let frames: Vec<(&str, u32)> = frames.iter().map(|frame| (frame.as_str(), 0)).collect();
    let run = sniffed("layers", &frames);
    let of = |n: usize| run.of("frame").nth(n).expect("so many frames");
    assert_eq!(run.one("start")["stamps"], Value::Null);
    assert_eq!((&of(0)["dir"], &of(0)["stamp"]), (&Value::Null, &Value::Null));
    assert_eq!(of(0)["ts"], "1970-01-01T00:00:05.000000001Z");
    assert_eq!(
        (&of(0)["arp"]["sha"], &of(0)["malformed"]),
        (&json!("02:00:00:00:00:0b"), &Value::Null)
    );
    assert_eq!((&of(1)["arp"]["sha"], &of(1)["arp"]["tpa"]), (&json!("aa:bb"), &json!("10.0.0.2")));
    assert_eq!(of(2)["vlan"], json!([{ "prio": 3, "id": 7 }, { "prio": 0, "id": 42 }]));
    assert_eq!((&of(2)["ip"]["df"], &of(2)["icmp"]["seq"]), (&json!(1), &json!(1)));
    assert_eq!(of(3)["eth"].get("type"), None);
    assert_eq!(of(3)["eth"]["len802_3"], 3);
    assert_eq!((&of(4)["icmp"]["mtu"], &of(4)["icmp"]["quoted"]), (&json!(1_400), &Value::Null));
    assert_eq!(of(4)["malformed"]["layer"], "quoted");
    assert_eq!((&of(5)["icmp"]["orig"], of(5)["icmp"].get("recv")), (&json!(5), None));
    assert_eq!((of(6).get("eth"), &of(6)["malformed"]["octet"]), (None, &json!(2)));
    assert_eq!(run.exit, 0);
}

#[test]
fn extensions_of_an_error_are_told_with_their_octets() {
    let quoted = format!("4500008000070000401100000a0000010a000002{}", "00".repeat(108));
    let extensions = "2000da2b 00080101 000641ff".replace(' ', "");
    let frame = format!(
        "02000000000a02000000000b0800450000a800074000400100000a0000010a0000020b00000000200000\
         {quoted}{extensions}"
    );
    let run = sniffed("extensions", &[(&frame, 0)]);
    let icmp = &run.one("frame")["icmp"];
    assert_eq!(icmp["ext"], json!([{ "class": 1, "type": 1, "payload": "00:06:41:ff" }]));
    assert_eq!((&icmp["length_words"], &icmp["ext_version"]), (&json!(32), &json!(2)));
    assert_eq!(icmp["quoted"]["total_len"], 128);
}

#[test]
fn a_capture_of_nothing_is_a_start_and_figures_and_an_end() {
    let run = sniffed("nothing", &[]);
    assert_eq!(run.types(), ["start", "stats", "end"]);
    let stats = run.one("stats");
    assert_eq!((&stats["frames"], &stats["dropped"]), (&json!(0), &Value::Null));
    assert_eq!(stats["skipped"], json!(0));
}

#[test]
fn a_frame_that_is_too_short_is_an_error_after_the_start() {
    let run = run("send -j 48454c4c4f -I lab:pace=0");
    assert_eq!(run.types(), ["start", "error", "end"]);
    assert_eq!((&run.one("error")["kind"], run.exit), (&json!("usage"), 2));
}
