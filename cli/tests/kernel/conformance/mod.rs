//! `serve` judged frame by frame, as any host might be: the rows of RFC behaviour that say what goes
//! in and what comes out, on a real wire; and those of who asks, for `ping` and `arp`.

mod addresses;
mod arp;
mod client;
mod ethernet;
mod form;
mod fragments;
mod icmp;
mod ip;
mod minute;
mod packet;
mod security;
mod wire;
mod witness;

use libtest_mimic::Trial;

use self::wire::Wire;

pub(crate) use self::minute::trials as minute;

pub(crate) fn tests() -> Vec<Trial> {
    let themes = [ethernet::ROWS, arp::ROWS, ip::ROWS, fragments::ROWS, icmp::ROWS, security::ROWS];
    let rows = themes.into_iter().flatten();
    rows.map(|(name, row)| {
        Trial::test(*name, move || {
            row(&mut Wire::new()?);
            Ok(())
        })
    })
    .chain(arp::others())
    .chain(ethernet::others())
    .chain(ip::others())
    .chain(security::others())
    .chain(addresses::others())
    .chain(form::others())
    .chain(client::tests())
    .chain([witness::trial()])
    .collect()
}

/// What is shown, and how, with a host and its gateway on the wire.
type Row = (&'static str, fn(&mut Wire));
