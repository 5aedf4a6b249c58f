use std::path::Path;

use super::{Findings, MOST_HOSTS, Page};
use crate::{failure::Failure, session::Session};

/// A page that is to be written when a run is over, and what is found meanwhile.
pub(crate) struct Draft {
    page: Page,
    pub(crate) findings: Findings,
}

impl Draft {
    /// Of a run that begins now, with so many targets; its page goes to `path`.
    pub(crate) fn begin(
        title: &str,
        path: &Path,
        targets: u64,
        session: &Session,
    ) -> Result<Self, Failure> {
        if targets > MOST_HOSTS as u64 {
            let message = format!("--html: a page tells of {MOST_HOSTS} targets, not of {targets}");
            return Err(Failure::usage(message).hint("-j tells of any number"));
        }
        let (from, began) = (session.identity.network.ip(), session.time(session.now()));
        let mut findings = Findings::new(title, &session.name, from, began);
        findings.targets = targets;
        Ok(Self { page: Page::open(path)?, findings })
    }

    /// Writes it.
    pub(crate) fn finish(self, interrupted: bool, session: &mut Session) -> Result<(), Failure> {
        let Self { page, mut findings } = self;
        findings.interrupted = interrupted;
        findings.ended = session.time(session.now());
        findings.dropped = session.stack.link_mut().dropped();
        page.write(&findings)
    }
}
