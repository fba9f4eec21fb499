//! Databases that are made like another.

use serde::Deserialize;

use crate::beside::LONGEST_NAME;
use crate::quote::{identifier, literal};
use crate::{Admin, Error, Facts};

impl Admin {
    /// Creates an empty database with the encoding, locale and owner of `like`, and in its tablespace
    /// if the server has that.
    ///
    /// # Errors
    /// [`Error::LongName`], [`Error::Sql`].
    pub fn create(&mut self, name: &str, like: &Facts) -> Result<(), Error> {
        if name.len() > LONGEST_NAME {
            return Err(Error::LongName(name.to_owned()));
        }
        let mut sql = format!(
            "CREATE DATABASE {} TEMPLATE template0 OWNER {} ENCODING {} LC_COLLATE {} LC_CTYPE {}",
            identifier(name),
            identifier(&like.owner),
            literal(&like.encoding),
            literal(&like.collate),
            literal(&like.ctype),
        );
        if let Some(locale) = &like.icu_locale {
            let option = if like.locale_provider == "icu" {
                "ICU_LOCALE"
            } else {
                "BUILTIN_LOCALE"
            };
            let provider = &like.locale_provider;
            sql.push_str(&format!(
                " LOCALE_PROVIDER {provider} {option} {}",
                literal(locale)
            ));
        }
        if let Some(rules) = &like.icu_rules {
            sql.push_str(&format!(" ICU_RULES {}", literal(rules)));
        }
        if let Some(tablespace) = &like.tablespace
            && self.location(tablespace)?.is_some()
        {
            sql.push_str(&format!(" TABLESPACE {}", identifier(tablespace)));
        }
        self.session.execute(&format!("{sql};"))
    }

    /// Returns where the tablespace `name` is; `None` when the server has none of this name.
    ///
    /// # Errors
    /// Those of the session.
    pub(crate) fn location(&mut self, name: &str) -> Result<Option<String>, Error> {
        #[derive(Deserialize)]
        struct Tablespace {
            location: String,
        }
        let query = format!(
            "SELECT pg_tablespace_location(oid) AS location FROM pg_tablespace WHERE spcname = {}",
            literal(name)
        );
        let found: Vec<Tablespace> = self.session.all(&query)?;
        Ok(found.into_iter().next().map(|it| it.location))
    }

    /// Gives `name` the owner, settings, grants, connection limit and comment of `like`.
    ///
    /// # Errors
    /// [`Error::Sql`].
    pub fn carry(&mut self, name: &str, like: &Facts) -> Result<(), Error> {
        let database = identifier(name);
        let owner = identifier(&like.owner);
        self.session
            .execute(&format!("ALTER DATABASE {database} OWNER TO {owner};"))?;
        for setting in &like.settings {
            let target = match &setting.role {
                Some(role) => format!("ROLE {} IN DATABASE {database}", identifier(role)),
                None => format!("DATABASE {database}"),
            };
            let value = if setting.is_quoted_list() {
                setting.value.clone()
            } else {
                literal(&setting.value)
            };
            // An extension's parameter is `name.name`.
            let parameter: Vec<String> = setting.name.split('.').map(identifier).collect();
            self.session.execute(&format!(
                "ALTER {target} SET {} TO {value};",
                parameter.join(".")
            ))?;
        }
        if let Some(grants) = &like.grants {
            self.session
                .execute(&format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC;"))?;
            for grant in grants {
                let role = grant
                    .role
                    .as_deref()
                    .map_or("PUBLIC".to_owned(), identifier);
                let option = if grant.grantable {
                    " WITH GRANT OPTION"
                } else {
                    ""
                };
                let privilege = &grant.privilege;
                self.session.execute(&format!(
                    "GRANT {privilege} ON DATABASE {database} TO {role}{option};"
                ))?;
            }
        }
        if like.connection_limit >= 0 {
            let limit = like.connection_limit;
            self.session.execute(&format!(
                "ALTER DATABASE {database} CONNECTION LIMIT {limit};"
            ))?;
        }
        self.comment(name, like.comment.as_deref())
    }

    /// Sets or removes the comment on a database.
    ///
    /// # Errors
    /// [`Error::Sql`].
    pub fn comment(&mut self, name: &str, comment: Option<&str>) -> Result<(), Error> {
        let text = comment.map_or("NULL".to_owned(), literal);
        self.session.execute(&format!(
            "COMMENT ON DATABASE {} IS {text};",
            identifier(name)
        ))
    }
}
