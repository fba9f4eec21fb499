//! Names and strings as SQL writes them.

/// What the first column of somebody's query is called around it: none of the others is.
pub(crate) const FIRST: &str = "\"th: first column\"";

/// Returns `name` as a quoted identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the name that `identifier` stands for, which may be quoted.
pub(crate) fn unquoted(identifier: &str) -> String {
    let inner = identifier.strip_prefix('"');
    match inner.and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => identifier.to_owned(),
    }
}

/// Returns `text` as a string literal, whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_and_backslashes_are_doubled() {
        assert_eq!(super::identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(super::unquoted("\"a\"\"b\""), "a\"b");
        assert_eq!(super::unquoted("ab"), "ab");
        assert_eq!(super::literal("it's"), "'it''s'");
        assert_eq!(super::literal("a\\'"), "E'a\\\\'''");
    }
}
