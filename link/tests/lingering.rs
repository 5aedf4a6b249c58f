//! Sockets whose closing is left to the kernel, in private namespaces.

use std::{
    env, fs, io,
    process::{Command, ExitCode},
    thread,
    time::Duration,
};

use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;

use sidestack_link::{
    FrameIo, FrameTx, Options, PacketSocket, Ring,
    namespace::{self, Namespace, veth},
};

fn main() -> ExitCode {
    if env::var_os(SHORT_LIVED).is_some() {
        return short_lived();
    }
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let tests = vec![
        Trial::test(
            "sockets_left_to_the_kernel_are_gone_before_long_and_no_descriptor_stays",
            gone,
        ),
        Trial::test("many_in_a_row_are_all_gone_before_long", many),
        Trial::test(
            "a_process_that_leaves_its_sockets_ends_well_and_they_are_gone_before_long",
            process,
        ),
    ];
    libtest_mimic::run(&one_at_a_time(), tests).exit_code()
}

fn gone() -> Tested {
    let net = Net::new()?;
    for options in [lingering(), lingering().ring(Ring::LOW_DELAY), lingering().ring(Ring::CAPTURE)]
    {
        let before = descriptors()?;
        let mut socket = net.near.run(|| options.open("near0"))?;
        assert_eq!(net.sockets()?, 2);
        socket.transmit(60, &mut |_| ())?;
        socket.flush()?;
        drop(socket);
        assert_eq!(descriptors()?, before);
        net.see_them_gone()?;
    }
    Ok(())
}

fn many() -> Tested {
    let net = Net::new()?;
    let before = descriptors()?;
    for _ in 0..50 {
        drop(net.near.run(|| lingering().open("near0"))?);
    }
    assert_eq!(descriptors()?, before);
    net.see_them_gone()
}

fn process() -> Tested {
    let net = Net::new()?;
    let program = env::current_exe()?;
    for _ in 0..5 {
        let ended = net.near.run(|| Command::new(&program).env(SHORT_LIVED, "1").output())?;
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!((ended.stdout, ended.stderr), (vec![], vec![]));
    }
    net.see_them_gone()
}

/// What a process does that opens a link and is done.
fn short_lived() -> ExitCode {
    match lingering().open("near0") {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

struct Net {
    near: Namespace,
    _far: Namespace,
}

impl Net {
    fn new() -> io::Result<Self> {
        let (near, far) = (Namespace::new()?, Namespace::new()?);
        veth(&near, "near0", NEAR, &far, "far0", FAR)?;
        Ok(Self { near, _far: far })
    }

    /// Packet sockets of the near end.
    fn sockets(&self) -> io::Result<usize> {
        let list = self.near.run(|| fs::read_to_string("/proc/thread-self/net/packet"))?;
        Ok(list.lines().count() - 1)
    }

    /// Waits until the near end has no packet sockets any more, 20 s at most.
    fn see_them_gone(&self) -> Tested {
        for _ in 0..2_000 {
            if self.sockets()? == 0 {
                return Ok(());
            }
            #[expect(clippy::disallowed_methods, reason = "the kernel tells nobody")]
            thread::sleep(Duration::from_millis(10));
        }
        Err(format!("{} sockets are still there", self.sockets()?).into())
    }
}

fn lingering() -> Options {
    PacketSocket::options().mac(MacAddr6::new(2, 0, 0, 0, 0, 9)).lingering(true)
}

/// Open descriptors of this process.
fn descriptors() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

/// They count the descriptors of the process.
fn one_at_a_time() -> Arguments {
    Arguments { test_threads: Some(1), ..Arguments::from_args() }
}

type Tested = Result<(), Failed>;

/// Set for a process that is to be [`short_lived`].
const SHORT_LIVED: &str = "SIDESTACK_TEST_SHORT_LIVED";

const NEAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);
