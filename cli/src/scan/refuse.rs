use super::args::{Color, Scan};
use crate::{args::Global, failure::Failure, value::LinkName};

/// Refuses what means nothing.
pub(super) fn refuse(global: &Global, args: &Scan) -> Result<(), Failure> {
    let in_lab = matches!(global.interface, Some(LinkName::Lab(_) | LinkName::KernelLab));
    let (flag, to) = match args {
        Scan { resolve: true, .. } if in_lab => ("-d", "a lab, where nobody has a name"),
        Scan { format: Some(_), .. } if global.json => ("-F", "-j"),
        Scan { plain: true, .. } if global.json => ("-x", "-j"),
        Scan { color: Color::Always, .. } if global.json => ("--color always", "-j"),
        Scan { plain: true, .. } if global.verbose => ("-v", "-x"),
        _ => return Ok(()),
    };
    Err(Failure::usage(format!("{flag} means nothing to {to}")))
}
