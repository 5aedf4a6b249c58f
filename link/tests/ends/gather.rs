//! Frames of any link, a given number of them.

use std::time::Duration;

use libtest_mimic::Failed;

use sidestack_link::{Facts, Frame, Link};

#[derive(Clone)]
pub(crate) struct Got {
    pub(crate) octets: Vec<u8>,
    pub(crate) facts: Facts,
}

/// The next `count` frames that are `wanted`, exactly.
pub(crate) fn gather(
    link: &mut dyn Link,
    count: usize,
    wanted: fn(&Frame<'_>) -> bool,
) -> Result<Vec<Got>, Failed> {
    let mut got = Vec::new();
    let end = link.now() + PATIENCE;
    while got.len() < count {
        let now = link.now();
        if now > end {
            return Err(format!("{} frames instead of {count}", got.len()).into());
        }
        link.recv(now, &mut |frame, _| {
            if wanted(&frame) {
                got.push(Got { octets: frame.octets().to_vec(), facts: frame.facts() });
            }
        })?;
        if got.len() < count {
            link.wait(Some(end), None)?;
        }
    }
    assert_eq!(got.len(), count);
    Ok(got)
}

/// Longer than anything takes that will happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
