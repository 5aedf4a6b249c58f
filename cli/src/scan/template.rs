use std::{fmt::Write, str::FromStr};

use super::host::{OrDash, Row};

/// What -F makes of a host, as arp-scan(1) has it.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Field { field: Field, width: usize, on_the_left: bool },
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Ip,
    Mac,
    Vendor,
    Name,
    Arp,
    Echo,
    Ttl,
    Owners,
    Note,
}

impl Template {
    pub(super) fn fill(&self, row: &Row) -> String {
        let mut line = String::new();
        for part in &self.0 {
            let _ = match part {
                Part::Text(text) => line.write_str(text),
                Part::Field { field, width, on_the_left: true } => {
                    write!(line, "{:<width$}", field.of(row))
                }
                Part::Field { field, width, .. } => write!(line, "{:>width$}", field.of(row)),
            }; // a string takes all
        }
        line
    }
}

impl Field {
    fn of(self, row: &Row) -> String {
        match self {
            Self::Ip => row.addr.to_string(),
            Self::Mac => row.mac_text().to_string(),
            Self::Vendor => row.vendor_text().to_string(),
            Self::Name => OrDash(row.name.as_ref()).to_string(),
            Self::Arp => row.arp_text().to_string(),
            Self::Echo => row.echo_text().to_string(),
            Self::Ttl => OrDash(row.ttl()).to_string(),
            Self::Owners => row.owners.to_string(),
            Self::Note => row.notes().map(|note| note.to_string()).collect::<Vec<_>>().join(", "),
        }
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "ip" => Self::Ip,
            "mac" => Self::Mac,
            "vendor" => Self::Vendor,
            "name" => Self::Name,
            "arp" | "rtt" => Self::Arp,
            "echo" => Self::Echo,
            "ttl" => Self::Ttl,
            "owners" => Self::Owners,
            "note" => Self::Note,
            _ => return None,
        })
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            parts.push(Part::Text(plain(before)?));
            let (inside, after) =
                after.split_once('}').ok_or_else(|| format!("${{{after} has no end"))?;
            parts.push(field(inside)?);
            rest = after;
        }
        parts.push(Part::Text(plain(rest)?));
        Ok(Self(parts))
    }
}

/// What stands between the braces.
fn field(inside: &str) -> Result<Part, String> {
    let (name, width) = inside.split_once(';').unwrap_or((inside, "0"));
    let field = Field::named(name.trim());
    let field = field.ok_or_else(|| format!("no such field: {name}; there are {FIELDS}"))?;
    let width: i16 = width.trim().parse().map_err(|_| format!("{width} is no width"))?;
    if width.unsigned_abs() > WIDEST {
        return Err(format!("a field is at most {WIDEST} characters wide"));
    }
    Ok(Part::Field { field, width: width.unsigned_abs().into(), on_the_left: width < 0 })
}

/// With what stands for what cannot be typed.
fn plain(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('\\') | None => '\\',
                Some(other) => return Err(format!("\\{other} stands for nothing; {ESCAPES}")),
            },
            c => c,
        };
        out.push(c);
    }
    Ok(out)
}

const FIELDS: &str = "ip, mac, vendor, name, arp, echo, ttl, owners and note";

const ESCAPES: &str = r"there are \t, \n, \r and \\";

const WIDEST: u16 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_field_or_no_width_is_refused() {
        for wrong in [
            "${",
            "${ip",
            "${}",
            "${colour}",
            "${ip;x}",
            "${ip;999}",
            "${ip;-32768}",
            r"\q",
            r"${ip}\0",
        ] {
            assert!(wrong.parse::<Template>().is_err(), "{wrong}");
        }
        for right in ["", "$ip", "{}", "${IP}", "${ip;-15}\\t${mac;20}", "\\", "ü${ip}é"] {
            assert!(right.parse::<Template>().is_ok(), "{right}");
        }
    }

    #[test]
    fn escapes_stand_for_what_cannot_be_typed() {
        assert_eq!(plain(r"a\tb\n\\c\").as_deref(), Ok("a\tb\n\\c\\"));
    }
}
