//! nginx's configuration as `nginx -T` prints it, with its includes put in their places.

use std::path::{Path, PathBuf};

/// What precedes each file in the output of `nginx -T`.
const FILE: &str = "# configuration file ";
/// Includes that go deeper than this go round in a circle.
const DEEPEST: usize = 20;

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
    /// What is in its braces.
    pub(crate) block: Vec<Directive>,
    /// The file and line, `/etc/nginx/nginx.conf:12`.
    pub(crate) at: String,
}

impl Directive {
    /// Returns the first argument, or nothing.
    pub(crate) fn value(&self) -> &str {
        self.args.first().map_or("", String::as_str)
    }
}

/// Returns the files that the output of `nginx -T` is made of, the main one first.
pub(crate) fn files(dump: &str) -> impl Iterator<Item = &Path> {
    dump.lines()
        .filter_map(|line| line.strip_prefix(FILE)?.strip_suffix(':'))
        .map(Path::new)
}

/// Returns the directives of the main file, from the output of `nginx -T`.
pub(crate) fn parse(dump: &str) -> Vec<Directive> {
    let mut files: Vec<(PathBuf, Vec<Directive>)> = Vec::new();
    // Each part is the rest of the line with the file's name, and the file.
    for part in format!("\n{dump}").split(&format!("\n{FILE}")).skip(1) {
        if let Some((path, text)) = part.split_once(":\n") {
            let path = PathBuf::from(path);
            let directives = Reader::new(&path, text).block();
            files.push((path, directives));
        }
    }
    let Some((main, directives)) = files.first() else {
        return Vec::new();
    };
    let base = main.parent().unwrap_or(Path::new("/"));
    expand(directives, base, &files, 0)
}

fn expand(
    directives: &[Directive],
    base: &Path,
    files: &[(PathBuf, Vec<Directive>)],
    depth: usize,
) -> Vec<Directive> {
    let mut expanded = Vec::new();
    for directive in directives {
        if directive.name == "include" && depth < DEEPEST {
            let wanted = base.join(directive.value());
            let included = files.iter().filter(|(path, _)| matches(&wanted, path));
            for (_, directives) in included {
                expanded.extend(expand(directives, base, files, depth + 1));
            }
        } else {
            expanded.push(Directive {
                block: expand(&directive.block, base, files, depth),
                ..directive.clone()
            });
        }
    }
    expanded
}

/// Tells whether `path` is what the include `pattern` names. Only `*` is special.
fn matches(pattern: &Path, path: &Path) -> bool {
    let (pattern, path) = (pattern.components(), path.components());
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(pattern, name)| {
            let pattern = pattern.as_os_str().to_string_lossy();
            let mut parts = pattern.split('*');
            let name = name.as_os_str().to_string_lossy();
            let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
                return false;
            };
            let parts: Vec<&str> = parts.collect();
            let Some((last, middle)) = parts.split_last() else {
                return rest.is_empty();
            };
            for part in middle {
                match rest.split_once(part) {
                    Some((_, after)) => rest = after,
                    None => return false,
                }
            }
            rest.ends_with(last)
        })
}

/// Reads the words of one file.
struct Reader<'a> {
    path: &'a Path,
    text: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
}

enum Word {
    Text(String),
    Open,
    Close,
    End,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, text: &'a str) -> Self {
        Self {
            path,
            text: text.chars().peekable(),
            line: 1,
        }
    }

    /// Reads directives to the closing brace or the end of the file.
    fn block(&mut self) -> Vec<Directive> {
        let mut directives = Vec::new();
        let mut words = Vec::new();
        let mut at = String::new();
        while let Some(word) = self.word() {
            let block = match word {
                Word::Text(text) => {
                    if words.is_empty() {
                        at = format!("{}:{}", self.path.display(), self.line);
                    }
                    words.push(text);
                    continue;
                }
                Word::Open => self.block(),
                Word::End => Vec::new(),
                Word::Close => break,
            };
            let mut words = words.drain(..);
            if let Some(name) = words.next() {
                directives.push(Directive {
                    name,
                    args: words.collect(),
                    block,
                    at: std::mem::take(&mut at),
                });
            }
        }
        directives
    }

    fn next(&mut self) -> Option<char> {
        let next = self.text.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn word(&mut self) -> Option<Word> {
        loop {
            match self.text.peek()? {
                c if c.is_whitespace() => drop(self.next()),
                '#' => while self.next().is_some_and(|c| c != '\n') {},
                _ => break,
            }
        }
        let first = self.next()?;
        let mut text = String::new();
        match first {
            '{' => return Some(Word::Open),
            '}' => return Some(Word::Close),
            ';' => return Some(Word::End),
            '"' | '\'' => {
                while let Some(c) = self.next().filter(|c| *c != first) {
                    let escaped = c == '\\';
                    text.push(if escaped { self.next().unwrap_or(c) } else { c });
                }
                return Some(Word::Text(text));
            }
            c => text.push(c),
        }
        // `${name}` is a variable, and its braces are none of ours.
        let mut variable = false;
        while let Some(c) = self.text.peek().copied() {
            let ends = c.is_whitespace() || c == ';' || (c == '{' && !text.ends_with('$'));
            if ends && !variable {
                break;
            }
            variable = (variable || c == '{') && c != '}';
            text.push(c);
            self.next();
        }
        Some(Word::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = r#"nginx: configuration file /etc/nginx/nginx.conf test is successful
# configuration file /etc/nginx/nginx.conf:
user www-data; # who
worker_shutdown_timeout 60s;
http {
    include conf.d/*.conf;
    log_format th escape=json '{"a":"$b",'
        '"c":$d}';
    map $x $y { default 1; "~^/a{2}" 2; }
    server { listen 80; location ~ ^/x${foo}y { proxy_pass http://app; } }
}
# configuration file /etc/nginx/conf.d/lanes.conf:
upstream app {
    hash $th_client consistent;
    server unix:/r/run/lanes/00/api.sock max_fails=0;
}
# configuration file /etc/nginx/conf.d/lanes.conf.old:
upstream old { server 127.0.0.1:1; }
"#;

    fn find<'a>(directives: &'a [Directive], name: &str) -> &'a Directive {
        directives.iter().find(|d| d.name == name).unwrap()
    }

    #[test]
    fn includes_stand_where_they_were_asked_for() {
        let main = parse(DUMP);
        assert_eq!(find(&main, "worker_shutdown_timeout").value(), "60s");
        let http = &find(&main, "http").block;
        let upstream = find(http, "upstream");
        assert_eq!(upstream.at, "/etc/nginx/conf.d/lanes.conf:1");
        let server = find(&upstream.block, "server");
        assert_eq!(
            server.args,
            ["unix:/r/run/lanes/00/api.sock", "max_fails=0"]
        );
        assert_eq!(server.at, "/etc/nginx/conf.d/lanes.conf:3");
        assert_eq!(http.iter().filter(|d| d.name == "upstream").count(), 1);
    }

    #[test]
    fn quotes_variables_and_braces_in_words_are_words() {
        let main = parse(DUMP);
        let http = &find(&main, "http").block;
        let format = find(http, "log_format");
        assert_eq!(format.args[2..], [r#"{"a":"$b","#, r#""c":$d}"#]);
        assert_eq!(find(&find(http, "map").block, "~^/a{2}").args, ["2"]);
        let location = find(&find(http, "server").block, "location");
        assert_eq!(location.args, ["~", "^/x${foo}y"]);
        assert_eq!(find(&location.block, "proxy_pass").value(), "http://app");
    }

    #[test]
    fn only_the_star_is_special_in_an_include() {
        let matches = |pattern, path| matches(Path::new(pattern), Path::new(path));
        assert!(matches("/a/*.conf", "/a/b.conf"));
        assert!(matches("/a/*", "/a/b"));
        assert!(matches("/a/b*c*d", "/a/b1c2d"));
        assert!(!matches("/a/*.conf", "/a/b/c.conf"));
        assert!(!matches("/a/b.conf", "/a/bxconf"));
        assert!(!matches("/a/*.conf", "/a/b.conf.old"));
    }

    #[test]
    fn nonsense_has_no_directives_and_ends() {
        assert_eq!(parse(""), []);
        assert_eq!(parse("nginx: [emerg] no such file"), []);
        let cut = parse("# configuration file /x:\nhttp { server { listen \"80");
        assert_eq!(cut[0].block[0].block, []);
        let circle = parse("# configuration file /x:\ninclude /x;\n");
        assert!(circle.len() <= 1);
    }
}
