//! What a read model's rows follow from, as one hash: so that a start notices rows that other code has folded.

use sha2::{Digest, Sha256};

use super::projection::Projection;

/// The hash of a projection's definition: its source text, that of the domain which it follows from included, without
/// comments, blank lines, indentation and tests, so that only what could matter changes it.
pub(super) fn of(projection: &dyn Projection) -> String {
    let mut hash = Sha256::new();
    for source in projection.definition() {
        for line in meaning(source) {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
    }
    hex::encode(&hash.finalize()[..16])
}

fn meaning(source: &str) -> impl Iterator<Item = &str> {
    source
        .lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ALL;

    #[test]
    fn what_a_fold_takes_from_the_domain_counts() {
        for (name, code) in [
            ("persons", "pub fn opens_window("),
            ("persons", "pub fn initials("),
            ("chats", "pub fn written_at("),
            ("conversations", "impl Conversation {"),
            ("conversations", "pub fn opens_window("),
            ("customers", "impl Consent {"),
            ("messages", "pub fn forgotten_message("),
            ("bulk_messages", "pub fn sent_type("),
            ("media", "impl IncomingFile {"),
            ("whatsapp_accounts", "pub fn told_by("),
        ] {
            let projection = ALL.iter().find(|of| of.name() == name).expect("a read model");
            let counts =
                projection.definition().iter().any(|source| meaning(source).any(|line| line.starts_with(code)));
            assert!(counts, "{name}: {code}");
        }
    }

    #[test]
    fn only_code_counts() {
        let plain: Vec<&str> = meaning("fn a() {\n    b();\n}\n").collect();
        let told: Vec<&str> =
            meaning("//! Why.\n\nfn a() {\n  // Because.\n  b();\n}\n#[cfg(test)]\nmod tests {}\n").collect();
        assert_eq!(plain, told);
        assert_ne!(plain, meaning("fn a() {\n    c();\n}\n").collect::<Vec<_>>());
    }
}
