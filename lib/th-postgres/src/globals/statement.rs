//! The statements of `pg_dumpall` that a scratch server needs.

/// Returns the statements that make roles, change them, and put them into one another.
///
/// Left out are settings, tablespaces, whose directories a scratch server lacks, and what is granted
/// on anything. So is who granted a membership: from version 16 on that must be a role which may,
/// and the original's superuser may not here, where another made the cluster.
pub(super) fn roles(sql: &str) -> impl Iterator<Item = String> {
    statements(sql).filter_map(|words| {
        let words = match words.as_slice() {
            ["CREATE" | "ALTER", "ROLE", ..] => words.as_slice(),
            ["GRANT", ..] if !words.contains(&"ON") => {
                let granted_by = words.windows(2).position(|pair| pair == ["GRANTED", "BY"]);
                &words[..granted_by.unwrap_or(words.len())]
            }
            _ => return None,
        };
        Some(format!("{};", words.join(" ")))
    })
}

/// Returns the names of the tablespaces, quoted where they have to be.
pub(super) fn tablespaces(sql: &str) -> impl Iterator<Item = &str> {
    statements(sql).filter_map(|words| match words.as_slice() {
        ["CREATE", "TABLESPACE", name, ..] => Some(*name),
        _ => None,
    })
}

/// Returns each statement as its words, without comments and lines for `psql` itself (`\restrict`,
/// from August 2025 on). Keywords are in capitals, and no name is that is not quoted.
fn statements(sql: &str) -> impl Iterator<Item = Vec<&str>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let mut words = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                return None;
            }
            let comment = rest.starts_with("--") || (words.is_empty() && rest.starts_with('\\'));
            if comment {
                rest = rest.split_once('\n').map_or("", |(_, after)| after);
                continue;
            }
            let (word, after) = rest.split_at(word_end(rest));
            if !word.is_empty() {
                words.push(word);
            }
            rest = after;
            if let Some(after) = rest.strip_prefix(';') {
                rest = after;
                return Some(words);
            }
        }
    })
}

/// Returns where the first word ends: at white space or a semicolon that stands in no quotes. Within
/// them `pg_dumpall` doubles quotes and backslashes, so that each quote ends or begins something.
fn word_end(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ';' || c.is_ascii_whitespace() => return at,
            None => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{roles, tablespaces};

    #[test]
    fn only_role_statements_are_taken() {
        let sql = "--\n-- PostgreSQL database cluster dump\n--\n\\restrict xyz;\nSET x = on;\n\n\
                   --\n-- Roles; it's all\n--\n\nCREATE ROLE \"a b\";\nALTER ROLE \"a b\" WITH NOSUPERUSER;\n\
                   CREATE ROLE postgres;\nCOMMENT ON ROLE postgres IS E'it''s \\\\;\nCREATE ROLE x;';\n\
                   ALTER ROLE postgres SET search_path TO '$user', 'a  b';\n\n--\n-- Tablespaces\n--\n\n\
                   CREATE TABLESPACE t OWNER x LOCATION '/x';\n\
                   GRANT ALL ON TABLESPACE t TO x;\nGRANT SET ON PARAMETER work_mem TO x;\n\
                   GRANT a TO b;\n\n\\unrestrict xyz\n";
        let found: Vec<String> = roles(sql).collect();
        assert_eq!(
            found,
            [
                "CREATE ROLE \"a b\";",
                "ALTER ROLE \"a b\" WITH NOSUPERUSER;",
                "CREATE ROLE postgres;",
                "ALTER ROLE postgres SET search_path TO '$user', 'a  b';",
                "GRANT a TO b;"
            ]
        );
        assert_eq!(tablespaces(sql).collect::<Vec<_>>(), ["t"]);
    }

    #[test]
    fn who_granted_a_membership_is_left_out_and_a_name_may_hold_anything() {
        let sql = "GRANT a TO b WITH ADMIN OPTION, INHERIT TRUE GRANTED BY postgres;\n\
                   GRANT \"ON\" TO \"x GRANTED BY y;\nGRANT z\" GRANTED BY \"it's\";\n\
                   GRANT \"a\"\"b  GRANTED BY c\" TO granted;\n";
        let found: Vec<String> = roles(sql).collect();
        assert_eq!(
            found,
            [
                "GRANT a TO b WITH ADMIN OPTION, INHERIT TRUE;",
                "GRANT \"ON\" TO \"x GRANTED BY y;\nGRANT z\";",
                "GRANT \"a\"\"b  GRANTED BY c\" TO granted;"
            ]
        );
    }
}
