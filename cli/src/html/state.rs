use std::fmt::{self, Write};

/// What is known of one address.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum State {
    /// It answers.
    Alive,
    /// It says where it is, and answers no echo.
    ArpOnly,
    /// Several stations claim it.
    Conflict,
    /// Somebody said that it cannot be reached.
    Unreachable,
    /// It answers, and did not before.
    New,
    /// It does not answer, and did before.
    Gone,
    /// Nothing came back.
    Silent,
}

impl State {
    pub(super) const ALL: [Self; 7] = [
        Self::Alive,
        Self::New,
        Self::ArpOnly,
        Self::Conflict,
        Self::Unreachable,
        Self::Gone,
        Self::Silent,
    ];

    /// Whether there is somebody at the address.
    pub(super) fn is_there(self) -> bool {
        matches!(self, Self::Alive | Self::New | Self::ArpOnly | Self::Conflict)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::ArpOnly => "ARP only",
            Self::Conflict => "conflict",
            Self::Unreachable => "unreachable",
            Self::New => "new",
            Self::Gone => "gone",
            Self::Silent => "silent",
        }
    }

    /// Its name in the style sheet, and that of its sign.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::ArpOnly => "arp-only",
            other => other.name(),
        }
    }

    /// What it looks like in a square of [`SIDE`]: a shape of its own, whatever the colour.
    fn shape(self) -> &'static str {
        match self {
            Self::Alive => r#"<rect x="3" y="3" width="16" height="16" rx="3"/>"#,
            Self::ArpOnly => {
                r#"<rect class="line" x="4" y="4" width="14" height="14" rx="2"/><path d="M4 18V4L18 18z"/>"#
            }
            Self::Conflict => {
                r#"<path d="M11 .5 21.5 11 11 21.5 .5 11z"/><path class="cut" d="M11 5.5v6.5M11 15v2"/>"#
            }
            Self::Unreachable => r#"<path class="line" d="M5 5 17 17M17 5 5 17"/>"#,
            Self::New => {
                r#"<rect x="3" y="3" width="16" height="16" rx="3"/><path class="cut" d="M11 6.5v9M6.5 11h9"/>"#
            }
            Self::Gone => r#"<circle class="line" cx="11" cy="11" r="6"/>"#,
            Self::Silent => r#"<circle cx="11" cy="11" r="2"/>"#,
        }
    }
}

/// The signs, to be referred to by those who place them.
pub(super) fn define_signs(out: &mut String) -> fmt::Result {
    out.push_str(r#"<svg class="defs" width="0" height="0" aria-hidden="true"><defs>"#);
    for state in State::ALL {
        let (class, shape) = (state.class(), state.shape());
        let field = format_args!(r#"<rect class="field" width="{SIDE}" height="{SIDE}"/>"#);
        write!(out, r#"<g id="{class}" class="sign {class}">{field}{shape}</g>"#)?;
    }
    out.push_str("</defs></svg>\n");
    Ok(())
}

/// The sign of `state` in a line of text.
pub(super) fn sign(out: &mut String, state: State) -> fmt::Result {
    let class = state.class();
    write!(
        out,
        r##"<svg class="inline" viewBox="0 0 {SIDE} {SIDE}" aria-hidden="true"><use href="#{class}"/></svg>"##
    )
}

/// The sides of a sign.
pub(super) const SIDE: usize = 22;
