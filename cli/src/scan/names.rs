use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
};

/// Looks up the names of addresses, on threads of its own: nobody else ever waits for it.
pub(super) struct Names {
    wanted: SyncSender<Ipv4Addr>,
    found: Receiver<(Ipv4Addr, Option<String>)>,
    /// Of whom the answer has come, and was not yet taken.
    known: HashMap<Ipv4Addr, Option<String>>,
}

impl Names {
    /// As the system looks them up.
    pub(super) fn of_system() -> Self {
        Self::by(|addr| dns_lookup::lookup_addr(&IpAddr::V4(addr)).ok())
    }

    fn by(lookup: fn(Ipv4Addr) -> Option<String>) -> Self {
        let (wanted, to_look_up) = sync_channel(MOST);
        let (tell, found) = channel();
        let to_look_up = Arc::new(Mutex::new(to_look_up));
        for _ in 0..TOGETHER {
            let (to_look_up, tell) = (Arc::clone(&to_look_up), tell.clone());
            // Without a thread, names are unknown: nobody is waiting for them.
            let _ = thread::Builder::new().spawn(move || work(&to_look_up, &tell, lookup));
        }
        Self { wanted, found, known: HashMap::new() }
    }

    /// Begins to look up the name of `addr`; if too many are wanted already, it has none.
    pub(super) fn want(&mut self, addr: Ipv4Addr) {
        if self.wanted.try_send(addr).is_err() {
            self.known.insert(addr, None);
        }
    }

    /// Its name, once it is known whether it has one.
    pub(super) fn take(&mut self, addr: Ipv4Addr) -> Option<Option<String>> {
        self.known.extend(self.found.try_iter());
        self.known.remove(&addr)
    }
}

fn work(
    wanted: &Mutex<Receiver<Ipv4Addr>>,
    tell: &Sender<(Ipv4Addr, Option<String>)>,
    lookup: fn(Ipv4Addr) -> Option<String>,
) {
    let next = || wanted.lock().ok()?.recv().ok();
    while let Some(addr) = next() {
        // The system gives the address itself where there is no name.
        let name = lookup(addr).filter(|name| *name != addr.to_string()).map(|name| clean(&name));
        if tell.send((addr, name)).is_err() {
            return;
        }
    }
}

/// A name is what a stranger says: nothing in it may move a cursor or end a column.
fn clean(name: &str) -> String {
    let shown = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    name.chars().take(LONGEST).map(shown).collect()
}

/// Names that can be waited for.
const MOST: usize = 4096;

/// Threads that wait for them.
const TOGETHER: usize = 8;

/// Of a name in the DNS (RFC 1035 §2.3.4).
const LONGEST: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_for(names: &mut Names, addr: Ipv4Addr) -> Option<String> {
        loop {
            if let Some(name) = names.take(addr) {
                return name;
            }
            thread::yield_now();
        }
    }

    #[test]
    fn each_address_gets_its_own_name_or_the_word_that_there_is_none() {
        let mut names = Names::by(|addr| match addr.octets()[3] {
            4 => None,
            5 => Some(addr.to_string()),
            n => Some(format!("host{n}.test\t\u{1b}[2J")),
        });
        let addrs = [2, 3, 4, 5].map(|n| Ipv4Addr::new(10, 0, 0, n));
        addrs.into_iter().for_each(|addr| names.want(addr));
        let [two, three, four, five] = addrs.map(|addr| wait_for(&mut names, addr));
        assert_eq!(two.as_deref(), Some("host2.test??[2J"));
        assert_eq!(three.as_deref(), Some("host3.test??[2J"));
        assert_eq!((four, five), (None, None));
    }

    #[test]
    fn a_lookup_that_never_ends_keeps_nobody_waiting() {
        let mut names = Names::by(|_| {
            loop {
                thread::park()
            }
        });
        for n in 0..2 * MOST as u32 {
            names.want(n.into());
        }
        let last = 2 * MOST as u32 - 1;
        assert_eq!(names.take(last.into()), Some(None), "too many are wanted");
        assert_eq!(names.take(0.into()), None, "not yet known");
    }
}
