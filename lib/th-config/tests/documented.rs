//! docs/configuration.md, and so th.toml(5), has every key there is and no other.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;

use th_config::{Error, TargetArgs};

const MANUAL: &str = include_str!("../../../docs/configuration.md");

/// The sections, and what makes one of them in a file.
const SECTIONS: [(&str, &str); 8] = [
    ("`th.toml`", ""),
    ("`[env.NAME]`", "[env.p]"),
    ("`[env.NAME.database]`", "[env.p.database]"),
    ("`[env.NAME.files]`", "[env.p.files]"),
    ("`[env.NAME.backup]`", "[env.p.backup]"),
    ("`[env.NAME.retention]`", "[env.p.retention]"),
    ("`[env.NAME.slots]`", "[env.p.slots]"),
    ("`[env.NAME.slots.nginx]`", "[env.p.slots.nginx]"),
];

/// Returns the keys in the first column of a section's table.
fn documented(heading: &str) -> BTreeSet<String> {
    let start = format!("\n## {heading}\n");
    let (_, section) = MANUAL.split_once(&start).expect("the section is there");
    let end = section.find("\n## ").unwrap_or(section.len());
    let rows = section[..end].lines().filter_map(|line| {
        let (key, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(key.to_owned())
    });
    rows.collect()
}

/// Returns the keys that are named when another is in its place.
fn known(section: &str) -> BTreeSet<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, format!("{section}\nno_such_key = 1\n")).unwrap();
    let args = TargetArgs {
        config: Some(file.path().to_owned()),
        ..TargetArgs::default()
    };
    let Err(Error::Invalid { message, .. }) = args.resolve() else {
        panic!("{section} takes any key");
    };
    let (_, keys) = message.split_once("expected").unwrap();
    let keys = keys.split('`').skip(1).step_by(2).map(str::to_owned);
    let sections = [
        "env",
        "database",
        "files",
        "backup",
        "retention",
        "slots",
        "nginx",
        "ports",
    ];
    keys.filter(|key| !sections.contains(&&**key)).collect()
}

#[test]
fn every_key_is_in_the_manual_and_no_other() {
    for (heading, section) in SECTIONS {
        assert_eq!(documented(heading), known(section), "{heading}");
    }
}
