//! What people wrote cannot spoil what is told of it.

use super::*;

#[test]
fn what_somebody_wrote_stays_on_its_line_and_steers_nothing() {
    assert_eq!(quoted("a\nb\t c\u{1b}[31m\u{202e}d\u{0}"), "“a b c [31md”");
    assert_eq!(quoted(&"x".repeat(100)), format!("“{}…”", "x".repeat(80)));
    assert_eq!(quoted(&"é".repeat(80)), format!("“{}”", "é".repeat(80)));
}

#[test]
fn a_name_nobody_knows_is_spelled_out() {
    assert_eq!(spelled("ContactErased"), "contact erased");
}
