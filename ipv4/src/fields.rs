use std::iter;

/// The options in `octets` (RFC 791 §3.1), each with its type first, until the end of the list.
///
/// # Errors
/// Which octet is wrong, where an option has an impossible length; nothing comes after it.
pub(crate) fn fields(octets: &[u8]) -> impl Iterator<Item = Result<&[u8], usize>> {
    let mut at = 0;
    iter::from_fn(move || {
        let next = field(octets, at)?;
        at += next.map_or(octets.len(), <[u8]>::len);
        Some(next)
    })
}

/// The option at `at`; `None` at the end of the list, and errors as those of [`fields`].
pub(crate) fn field(octets: &[u8], at: usize) -> Option<Result<&[u8], usize>> {
    let rest = octets.get(at..)?;
    Some(match *rest {
        [] | [END, ..] => return None,
        [NO_OPERATION, ..] => Ok(&rest[..1]),
        [_] => Err(at),
        [_, len, ..] if len < 2 || usize::from(len) > rest.len() => Err(at + 1),
        [_, len, ..] => Ok(&rest[..len.into()]),
    })
}

/// The types of the options in `octets`, in order, the end of the list included.
pub(crate) fn types(octets: &[u8]) -> impl Iterator<Item = u8> {
    let end = octets.get(whole(octets)).copied().filter(|kind| *kind == END);
    fields(octets).map_while(Result::ok).map(|option| option[0]).chain(end)
}

/// How many octets the options take that have a possible length.
pub(crate) fn whole(octets: &[u8]) -> usize {
    fields(octets).map_while(Result::ok).map(<[u8]>::len).sum()
}

/// End of option list (RFC 791 §3.1).
const END: u8 = 0;

/// No operation (RFC 791 §3.1).
pub(crate) const NO_OPERATION: u8 = 1;
