//! The letters that stand for a person without a picture.

/// First letters of first and last word of the name, upper-case; one word gives one letter; without a name the first
/// character of `otherwise`.
#[must_use]
pub fn initials(name: &str, otherwise: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next();
    let letters = [first, words.next_back()].into_iter().flatten().filter_map(|word| word.chars().next());
    let initials: String = letters.flat_map(char::to_uppercase).collect();
    if initials.is_empty() { otherwise.chars().take(1).collect() } else { initials }
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_first_and_last_word() {
        for (name, expected) in
            [("Rui Costa", "RC"), ("rui", "R"), ("Ana  da Silva ", "AS"), ("ßa é", "SSÉ"), ("", "3")]
        {
            assert_eq!(initials(name, "351912000111"), expected, "{name}");
        }
        assert_eq!(initials(" ", "US.1"), "U");
    }
}
