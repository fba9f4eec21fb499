//! The address of a server, with its password kept apart.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use th_config::Secret;

use crate::Error;

/// Settings of libpq that are secrets, and that it takes from nowhere but an address.
const SECRET: [&str; 4] = [
    "sslpassword",
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
];

/// A `postgres://` address. Its `Display` holds no password.
#[derive(Debug, Clone)]
pub(crate) struct Url {
    /// `user@host:port`, as given but without the password.
    authority: String,
    /// The database, decoded.
    pub(crate) database: Option<String>,
    /// `sslmode=require&…`, without the password.
    query: String,
    pub(crate) password: Option<Secret>,
}

impl Url {
    /// Parses what libpq takes as a connection URI.
    pub(crate) fn parse(url: &Secret) -> Result<Self, Error> {
        let rest = url
            .expose()
            .strip_prefix("postgres://")
            .or_else(|| url.expose().strip_prefix("postgresql://"))
            .ok_or(Error::Url("does not begin with postgres://"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // What ends in an '@' may be a password that has a '?', the rest of which must not show.
        if query.contains('@') {
            return Err(Error::Url(
                "has an '@' after a '?': write %3F for a '?' in a password, and %40 for any other '@'",
            ));
        }
        // A password may hold a raw '/' only when it is encoded, but may well hold a raw '@'.
        let (userinfo, rest) = match rest.rsplit_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let decode = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| Error::Url("is not UTF-8 once it is decoded"))
        };
        let mut password = None;
        let mut authority = String::new();
        if let Some(userinfo) = userinfo {
            let (user, secret) = match userinfo.split_once(':') {
                Some((user, secret)) => (user, Some(secret)),
                None => (userinfo, None),
            };
            password = secret.map(decode).transpose()?;
            authority = format!("{user}@");
        }
        authority.push_str(hosts);
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(Error::Url(
                "has something after its '?' that is not of the form key=value",
            ))?;
            match &*decode(key)? {
                "password" => password = Some(decode(value)?),
                key if SECRET.contains(&key) => {
                    return Err(Error::Url(
                        "has a secret that would show among the arguments of programs: \
                         only a password can be kept from there",
                    ));
                }
                _ => kept.push(pair),
            }
        }
        let database = if path.is_empty() {
            None
        } else {
            Some(decode(path)?)
        };
        let password = password.map(Secret::new);
        Ok(Self {
            authority,
            database,
            query: kept.join("&"),
            password,
        })
    }

    /// Returns the address with another user: client programs do not agree on which counts, one in the
    /// address or one beside it.
    pub(crate) fn with_user(self, user: &str) -> Self {
        let hosts = self.authority.rsplit('@').next().unwrap_or_default();
        let user = utf8_percent_encode(user, NON_ALPHANUMERIC);
        let pairs = self.query.split('&');
        let kept: Vec<&str> = pairs.filter(|pair| key(pair) != "user").collect();
        Self {
            authority: format!("{user}@{hosts}"),
            query: kept.join("&"),
            ..self
        }
    }

    /// Tells whether the address brings settings of the session, which those of `PGOPTIONS` yield to.
    pub(crate) fn has_options(&self) -> bool {
        self.query.split('&').any(|pair| key(pair) == "options")
    }

    /// Tells whether the server is surely on this host.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.authority.rsplit('@').next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let socket = self.query.split('&').any(|pair| {
            pair.strip_prefix("host=")
                .is_some_and(|host| host.starts_with('/') || host.starts_with("%2"))
        });
        socket || ["", "localhost", "127.0.0.1", "[::1]"].contains(&host)
    }

    /// Returns the address of another database of the same server, without the password.
    pub(crate) fn of(&self, database: &str) -> String {
        let database = utf8_percent_encode(database, NON_ALPHANUMERIC);
        let question = if self.query.is_empty() { "" } else { "?" };
        format!(
            "postgres://{}/{database}{question}{}",
            self.authority, self.query
        )
    }
}

/// Returns what stands before the `=` of a pair, decoded.
fn key(pair: &str) -> Cow<'_, str> {
    let key = pair.split('=').next().unwrap_or_default();
    percent_decode_str(key).decode_utf8_lossy()
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Url {
        Url::parse(&Secret::new(url)).unwrap()
    }

    #[test]
    fn the_password_is_kept_apart() {
        for url in [
            "postgres://th:s%40cret@db:5433/app?sslmode=require",
            "postgresql://th:s@cret@db:5433/app?sslmode=require",
            "postgres://th@db:5433/app?password=s%40cret&sslmode=require",
            "postgres://th@db:5433/app?sslmode=require&pass%77ord=s%40cret",
        ] {
            let url = parse(url);
            assert_eq!(url.password.as_ref().unwrap().expose(), "s@cret");
            assert_eq!(url.of("a b"), "postgres://th@db:5433/a%20b?sslmode=require");
            assert_eq!(url.to_string(), "postgres://th@db:5433");
            let debug = format!("{url:?}");
            assert!(!debug.contains("s@") && !debug.contains("s%40"));
        }
    }

    #[test]
    fn an_address_that_would_show_a_secret_is_refused_without_showing_it() {
        for url in [
            "postgres://th:s?cret@db/app",
            "postgres://th:s@c?cret@db/app",
            "postgres://th:x?a=cret@db/app",
            "postgres://th@db/app?cret",
            "postgres://th@db/app?sslkey=k&sslpassword=cret",
            "postgres://th@db/app?ssl%70assword=cret",
            "postgres://th@db/app?scram_client_key=cret",
        ] {
            let error = Url::parse(&Secret::new(url)).unwrap_err();
            let told = format!("{error} {error:?} {:?}", th_record::Fail::hint(&error));
            assert!(!told.contains("cret@") && !told.contains("=cret"), "{told}");
        }
        // What is encoded is no sign of anything.
        let url = parse("postgres://th:s%3Fcret@db/app?options=-cx%3Da%40b");
        assert_eq!(url.password.as_ref().unwrap().expose(), "s?cret");
        assert_eq!(url.of("x"), "postgres://th@db/x?options=-cx%3Da%40b");
    }

    #[test]
    fn a_user_beside_the_address_is_the_only_one_in_it() {
        let given = |url| parse(url).with_user("a b").of("x");
        assert_eq!(
            given("postgres://th:pw@db:5433/app"),
            "postgres://a%20b@db:5433/x"
        );
        assert_eq!(
            given("postgres:///app?us%65r=th&host=%2Ftmp"),
            "postgres://a%20b@/x?host=%2Ftmp"
        );
    }

    #[test]
    fn short_forms_are_addresses_too() {
        assert_eq!(parse("postgres:///app").of("x"), "postgres:///x");
        assert_eq!(parse("postgres://db").database, None);
        assert_eq!(
            parse("postgres:///app?host=%2Ftmp").of("x"),
            "postgres:///x?host=%2Ftmp"
        );
        assert!(Url::parse(&Secret::new("mysql://x")).is_err());
    }
}
