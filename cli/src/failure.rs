use std::{fmt, io};

use link::{OpenError, TapError, namespace::Refusal};

/// Why a command could not do its work: what was wrong, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) errno: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What kind of failure, and so which exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Usage,
    Permission,
    Link,
    /// Whoever read our output has gone.
    ClosedPipe,
}

impl Failure {
    /// Something on the command line cannot be understood or done.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, errno: None, message: message.into(), hint: None }
    }

    /// The link or the system failed.
    pub(crate) fn link(message: impl Into<String>) -> Self {
        Self { kind: Kind::Link, errno: None, message: message.into(), hint: None }
    }

    /// The link `name` failed in the middle of the work.
    pub(crate) fn gone(name: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotConnected => Self::link(error.to_string()), // it says which
            _ => Self::link(format!("{name}: {error}")),
        }
    }

    /// The link `name` cannot be opened.
    pub(crate) fn open(error: OpenError) -> Self {
        match error {
            OpenError::NotPermitted { .. } => Self {
                kind: Kind::Permission,
                errno: Some("EPERM"),
                message: error.to_string(),
                hint: Some(remedy()),
            },
            OpenError::NoSuchInterface { interface } => Self {
                errno: Some("ENODEV"),
                hint: Some("`sidestack interfaces` lists those there are".into()),
                ..Self::link(format!("{interface}: no such interface"))
            },
            _ => Self::link(error.to_string()),
        }
    }

    /// The tap cannot be opened.
    pub(crate) fn tap(error: TapError) -> Self {
        match &error {
            TapError::NotPermitted { tap } => Self {
                kind: Kind::Permission,
                errno: Some("EPERM"),
                message: format!("tap:{tap}: no permission to make this tap, or to attach to it"),
                hint: Some(format!(
                    "sudo ip tuntap add dev {tap} mode tap user \"$USER\"\n  \
                     sudo ip link set {tap} up\n  or go on without privilege: -I lab, or -I kernel-lab"
                )),
            },
            TapError::NoTun { tap, source } => {
                Self::link(format!("tap:{tap}: there are no taps without /dev/net/tun: {source}"))
                    .hint("sudo modprobe tun; a container must be given that device")
            }
            TapError::Name { .. } | TapError::SameMac { .. } => Self::usage(format!("tap:{error}")),
            TapError::Io { tap, source } => {
                Self::link(format!("tap:{tap}: cannot be opened: {source}"))
            }
            _ => Self::link(format!("tap:{error}")),
        }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn code(&self) -> u8 {
        match self.kind {
            Kind::Usage => 2,
            Kind::Permission => 3,
            Kind::Link => 4,
            Kind::ClosedPipe => 0,
        }
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Permission => "permission",
            Self::Link => "link",
            Self::ClosedPipe => "closed-pipe",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  {hint}"))
    }
}

/// Our own output cannot be written.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let message = format!("cannot write the output: {error}");
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { kind: Kind::ClosedPipe, ..Self::link(message) },
            _ => Self::link(message),
        }
    }
}

/// Why the interface `name` is not known.
pub(crate) fn interface(name: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Failure::open(OpenError::NoSuchInterface { interface: name.into() })
        }
        _ => Failure::gone(name, error),
    }
}

/// Why there can be no kernel-lab.
pub(crate) fn refusal(refusal: Refusal) -> Failure {
    Failure {
        kind: Kind::Permission,
        errno: None,
        message: format!("kernel-lab: {refusal}"),
        hint: Some("-I lab needs no namespaces, and no privilege".into()),
    }
}

/// What to do without permission: the exact command, and the ways to go on without it.
fn remedy() -> String {
    let program = std::env::current_exe()
        .map_or_else(|_| "sidestack".to_owned(), |path| path.display().to_string());
    let labs = "or go on without privilege: -I lab, or -I kernel-lab";
    format!("sudo setcap cap_net_raw+ep {program}\n  {labs}")
}
