//! Which passwords are good enough (R-USR-9).

/// The shortest password, in characters.
pub const MIN_LEN: usize = 8;
/// The longest password, in characters.
pub const MAX_LEN: usize = 128;

/// One a line; lines that begin with `#` are about the list.
const COMMON: &str = include_str!("common_passwords.txt");

/// Why a password is not good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`MIN_LEN`] characters.
    #[error("This password is too short. It must contain at least {MIN_LEN} characters.")]
    TooShort,
    /// More than [`MAX_LEN`] characters.
    #[error("Ensure this field has no more than {MAX_LEN} characters.")]
    TooLong,
    /// Nothing but digits.
    #[error("This password is entirely numeric.")]
    AllDigits,
    /// One of those that everybody tries first, in any case.
    #[error("This password is too common.")]
    Common,
}

/// Whether a password is good enough.
///
/// # Errors
/// What is wrong with it; its text is for people.
pub fn check(password: &str) -> Result<(), WeakPassword> {
    let length = password.chars().count();
    if length < MIN_LEN {
        return Err(WeakPassword::TooShort);
    }
    if length > MAX_LEN {
        return Err(WeakPassword::TooLong);
    }
    if password.chars().all(char::is_numeric) {
        return Err(WeakPassword::AllDigits);
    }
    let lower = password.to_lowercase();
    if COMMON.lines().filter(|line| !line.starts_with('#')).any(|common| common == lower) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_usr_9_short_long_numeric_and_common_passwords_are_refused() {
        for (password, verdict) in [
            ("", Err(WeakPassword::TooShort)),
            ("seven 7", Err(WeakPassword::TooShort)),
            ("eight  8", Ok(())),
            (&"ö".repeat(7), Err(WeakPassword::TooShort)),
            (&"x".repeat(128), Ok(())),
            (&"x".repeat(129), Err(WeakPassword::TooLong)),
            ("4815162342", Err(WeakPassword::AllDigits)),
            ("٤٨١٥١٦٢٣", Err(WeakPassword::AllDigits)),
            ("password", Err(WeakPassword::Common)),
            ("PassWord1", Err(WeakPassword::Common)),
            ("password and more", Ok(())),
            ("# The most", Ok(())),
        ] {
            assert_eq!(check(password), verdict, "{password}");
        }
    }

    #[test]
    fn the_list_holds_what_it_says() {
        let words: Vec<&str> = COMMON.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(words.len() > 2_000, "{}", words.len());
        for word in words {
            let fits =
                word.len() >= MIN_LEN && word.to_lowercase() == word && !word.bytes().all(|b| b.is_ascii_digit());
            assert!(fits, "{word}");
        }
    }
}
