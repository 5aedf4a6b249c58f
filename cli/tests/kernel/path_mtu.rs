//! The path MTU, where the kernel forwards.

use libtest_mimic::Trial;
use link::namespace::KernelLab;

use crate::run::{Form, Tested, both, run};

pub(crate) fn tests() -> Vec<Trial> {
    let tests = [
        both("PMTU-6_what_the_kernel_tells_as_a_router_is_confirmed_by_a_probe", told),
        both("PMTU-6_a_black_hole_between_kernels_is_found_to_the_octet", silent),
    ];
    tests.into_iter().flatten().collect()
}

fn told(form: Form) -> Tested {
    let lab = KernelLab::new()?;
    lab.beyond.set_mtu(KernelLab::INTERFACE, 1400)?;
    lab.router.set_mtu("beyond", 1400)?;
    // 1,200 and 1,500 octets; 1,400 as was told; 1,401 and 1,400 three times each.
    found(&lab, form, "9 probes in ")
}

fn silent(form: Form) -> Tested {
    let lab = KernelLab::new()?;
    // A veth takes 4 octets more than its MTU, for a tag, and drops what is longer.
    lab.beyond.set_mtu(KernelLab::INTERFACE, 1396)?;
    found(&lab, form, "")
}

fn found(lab: &KernelLab, form: Form, by: &str) -> Tested {
    let args = "-W 0.5 -I lab0 -S 10.0.0.1/24 --no-probe --gateway 10.0.0.254 10.0.1.2";
    let said = run(&lab.here, form, &format!("route --mtu {args}"), 0)?;
    match form {
        Form::Text => {
            let line = format!("10.0.1.2: path MTU 1400 of 1500 on lab0, {by}");
            assert!(said.says(&line), "{said:#?}");
        }
        Form::Json => {
            let found = said.of("path_mtu").next().ok_or("nothing was said of it")?;
            assert_eq!((&found["mtu"], &found["link_mtu"]), (&1400.into(), &1500.into()));
        }
    }
    Ok(())
}
