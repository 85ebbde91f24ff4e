//! Formats of text that the Integration API checks as Django does (R-ERR-6).

use url::Url;

/// The message for what is no address of the web.
pub const URL: &str = "Enter a valid URL.";
/// The message for what is no e-mail address.
pub const EMAIL: &str = "Enter a valid email address.";

/// Whether the text is an http or https address with a host.
#[must_use]
pub fn is_url(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    plain && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && has_name(&url))
}

fn has_name(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.contains('.'),
        Some(_) => true,
        None => false,
    }
}

/// Whether the text looks like an e-mail address.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((user, domain)) = text.rsplit_once('@') else { return false };
    let of_user = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    !user.is_empty() && user.chars().all(of_user) && dots(user) && domain.contains('.') && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_and_of_people() {
        for good in ["https://acme.example", "http://acme.example:8080/a?b=c#d", "http://10.0.0.1/", "http://localhost"]
        {
            assert!(is_url(good), "{good}");
        }
        for bad in ["", "acme.example", "ftp://acme.example", "https://", "http://acme", "https://a b.example", "x:y"] {
            assert!(!is_url(bad), "{bad}");
        }
        for good in ["a@b.example", "first.last+tag@sub.b.example", "o'neil@b.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@b", "@b.example", "a@", "a b@c.example", "a@b..example", ".a@b.example", "a@-b.example"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
