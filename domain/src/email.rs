//! Which text is an e-mail address.

/// The longest address, in bytes (RFC 5321).
const MAX_LEN: usize = 254;
const MAX_LOCAL: usize = 64;

/// Whether a text is an address as mail servers of the Internet take it: one `@`, no blanks, a domain with a dot.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= MAX_LEN && is_local(local) && is_domain(domain)
}

fn is_local(local: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c) || !c.is_ascii();
    let printed = |c: char| plain(c) && !c.is_whitespace() && !c.is_control();
    local.len() <= MAX_LOCAL && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(printed))
}

fn is_domain(domain: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '-';
    let label = |label: &str| {
        let inside = !label.starts_with('-') && !label.ends_with('-');
        !label.is_empty() && label.len() <= 63 && inside && label.chars().all(letter)
    };
    // The last label names no number: an address of a machine is none of a person.
    let top =
        domain.rsplit('.').next().is_some_and(|top| top.chars().count() > 1 && !top.chars().all(char::is_numeric));
    domain.contains('.') && domain.split('.').all(label) && top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for fine in ["a@b.pt", "ines.mota+inbox@mail.acme.example", "o'brien@acme-shop.example", "josé@café.example"]
        {
            assert!(is_email(fine), "{fine}");
        }
        let long = format!("{}@b.pt", "a".repeat(65));
        let wrong = [
            "",
            "a",
            "@",
            "a@",
            "@b.pt",
            "a@b",
            "a@b.",
            "a@.pt",
            "a b@c.pt",
            "a@b c.pt",
            "a@b@c.pt",
            ".a@b.pt",
            "a.@b.pt",
            "a..b@c.pt",
            "a@-b.pt",
            "a@b-.pt",
            "a@1.2.3.4",
            "a\n@b.pt",
            "a@b.pt\n",
            "a@b.p",
            &long,
        ];
        for text in wrong {
            assert!(!is_email(text), "{text:?}");
        }
    }
}
