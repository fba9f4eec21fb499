//! The part of RESTORE.md about the database.

use std::fmt::{Result, Write};

use th_record::{DUMP, Database, GLOBALS, Manifest};

use super::plain;

pub(super) fn write(notes: &mut String, manifest: &Manifest, database: &Database) -> Result {
    writeln!(notes, "## Database\n")?;
    writeln!(
        notes,
        "`{}` of PostgreSQL {}, owned by `{}`. Restore into a server of the same major version or \
         a newer one.\nNothing here touches a database that exists.\n",
        database.name, database.server_version, database.owner
    )?;
    writeln!(notes, "```sh")?;
    match &database.image {
        // Without -i there is no input; with -t the dump would be damaged.
        Some(image) => {
            writeln!(
                notes,
                "db=CONTAINER   # the server's; it was started from {}",
                image.name
            )?;
            writeln!(notes, "user=postgres  # a superuser of it")?;
            writeln!(
                notes,
                r#"pg() {{ program=$1; shift; docker exec -i "$db" "$program" -U "$user" "$@"; }}"#
            )?;
        }
        None => {
            writeln!(
                notes,
                "user=postgres  # a superuser; set PGHOST and PGPORT if need be"
            )?;
            writeln!(
                notes,
                r#"pg() {{ program=$1; shift; "$program" -U "$user" "$@"; }}"#
            )?;
        }
    }
    if let Some(globals) = manifest.object(GLOBALS) {
        writeln!(
            notes,
            "\n# Roles. One that exists gives an error, and is left as it is."
        )?;
        writeln!(notes, "{} | pg psql -X -d postgres", plain(&globals.name))?;
    }
    writeln!(
        notes,
        "\npg createdb {} {}",
        options(database),
        shell(&database.name)
    )?;
    if let Some(dump) = manifest.object(DUMP) {
        let name = shell(&database.name);
        writeln!(
            notes,
            "{} | pg pg_restore --exit-on-error -d {name}",
            plain(&dump.name)
        )?;
    }
    let sql = sql(database);
    if !sql.is_empty() {
        writeln!(notes, "\n# What belongs to the database but is in no dump.")?;
        let name = shell(&database.name);
        writeln!(
            notes,
            "pg psql -X -v ON_ERROR_STOP=1 -d {name} <<'EOF'\n{sql}EOF"
        )?;
    }
    writeln!(notes, "```\n")
}

fn options(database: &Database) -> String {
    let mut options = format!(
        "-T template0 -O {} -E {}",
        shell(&database.owner),
        shell(&database.encoding)
    );
    let mut push = |option: &str, value: &str| {
        options.push_str(&format!(" {option}={}", shell(value)));
    };
    push("--lc-collate", &database.collate);
    push("--lc-ctype", &database.ctype);
    if let Some(locale) = &database.icu_locale {
        let provider = database.locale_provider.as_str();
        push("--locale-provider", provider);
        let option = if provider == "icu" {
            "--icu-locale"
        } else {
            "--builtin-locale"
        };
        push(option, locale);
    }
    if let Some(rules) = &database.icu_rules {
        push("--icu-rules", rules);
    }
    if let Some(tablespace) = &database.tablespace {
        push("--tablespace", tablespace);
    }
    options
}

/// Returns the statements for settings, grants, limit and comment.
fn sql(database: &Database) -> String {
    let name = identifier(&database.name);
    let mut sql = String::new();
    for setting in &database.settings {
        let value = if setting.is_quoted_list() {
            setting.value.clone()
        } else {
            literal(&setting.value)
        };
        let whose = match &setting.role {
            Some(role) => format!("ROLE {} IN DATABASE {name}", identifier(role)),
            None => format!("DATABASE {name}"),
        };
        let parameter = identifier(&setting.name);
        sql.push_str(&format!("ALTER {whose} SET {parameter} TO {value};\n"));
    }
    if let Some(grants) = &database.grants {
        sql.push_str(&format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n"));
        for grant in grants {
            let role = grant.role.as_deref().map_or("PUBLIC".into(), identifier);
            let option = if grant.grantable {
                " WITH GRANT OPTION"
            } else {
                ""
            };
            let privilege = &grant.privilege;
            sql.push_str(&format!(
                "GRANT {privilege} ON DATABASE {name} TO {role}{option};\n"
            ));
        }
    }
    if database.connection_limit != -1 {
        let limit = database.connection_limit;
        sql.push_str(&format!(
            "ALTER DATABASE {name} CONNECTION LIMIT {limit};\n"
        ));
    }
    if let Some(comment) = &database.comment {
        sql.push_str(&format!(
            "COMMENT ON DATABASE {name} IS {};\n",
            literal(comment)
        ));
    }
    sql
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if value.contains('\\') {
        // Read the same whatever standard_conforming_strings is.
        format!(" E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// Returns `text` as one word of a shell command.
fn shell(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./@:".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(change: impl FnOnce(&mut Database)) -> Database {
        let text = include_str!("../../tests/manifest.json");
        let manifest: Manifest = serde_json::from_str(text).unwrap();
        let mut database = manifest.database.unwrap();
        change(&mut database);
        database
    }

    #[test]
    fn each_provider_has_the_options_of_its_own() {
        let of = |provider: &str, locale: Option<&str>| {
            options(&database(|it| {
                it.locale_provider = provider.to_owned();
                it.icu_locale = locale.map(str::to_owned);
            }))
        };
        let icu = of("icu", Some("de-DE"));
        assert!(icu.ends_with(" --locale-provider=icu --icu-locale=de-DE"));
        let builtin = of("builtin", Some("C.UTF-8"));
        assert!(builtin.ends_with(" --locale-provider=builtin --builtin-locale=C.UTF-8"));
        assert!(!of("libc", None).contains("provider"));
    }

    #[test]
    fn rules_and_tablespace_are_named_when_there_are_any() {
        let of = |rules: Option<&str>, tablespace: Option<&str>| {
            options(&database(|it| {
                it.icu_rules = rules.map(str::to_owned);
                it.tablespace = tablespace.map(str::to_owned);
            }))
        };
        let both = of(Some("&a < g"), Some("fast"));
        assert!(both.ends_with(" --icu-rules='&a < g' --tablespace=fast"));
        assert_eq!(of(None, None), options(&database(|_| {})));
    }

    #[test]
    fn a_list_is_written_as_it_is_and_an_empty_one_quoted() {
        let of = |value: &str| {
            sql(&database(|it| {
                it.settings = vec![th_record::Setting {
                    role: None,
                    name: "search_path".to_owned(),
                    value: value.to_owned(),
                }];
            }))
        };
        assert!(of("a, \"B\"").contains("SET \"search_path\" TO a, \"B\";"));
        assert!(of("").contains("SET \"search_path\" TO '';"));
    }
}
