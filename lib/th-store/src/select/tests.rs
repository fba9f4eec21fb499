use th_record::{Level, Proof, Reached, Status};

use super::*;
use crate::Unreadable;

fn set(id: &str, level: Option<Level>) -> Listed {
    let second = chrono::NaiveDateTime::parse_from_str(&id[..16], "%Y%m%dT%H%M%SZ").unwrap();
    let reached = |level| Reached {
        level,
        at: second.and_utc(),
        tool: "th-backup".into(),
        version: "0.1.0".into(),
        duration_seconds: 1.0,
    };
    Listed::Set(SetRef {
        id: id.parse().unwrap(),
        manifest_sha256: String::new(),
        started_at: second.and_utc(),
        environment: None,
        status: Status::Complete,
        pinned: false,
        tags: Vec::new(),
        database: None,
        rows: None,
        files: None,
        stored_bytes: 0,
        proof: level.map(|level| Proof {
            set: id.parse().unwrap(),
            manifest_sha256: String::new(),
            levels: vec![reached(level)],
        }),
        void: None,
    })
}

fn sets() -> Vec<Listed> {
    vec![
        Listed::Unreadable(Unreadable {
            name: "20261126T020000Z-ffff".into(),
            started_at: None,
            reason: "damaged".into(),
            newer: false,
        }),
        set("20261125T020000Z-0001", None),
        set("20261124T020000Z-0002", Some(Level::Decode)),
        set("20261123T020000Z-0003", Some(Level::Restore)),
        set("20261123T010000Z-0004", Some(Level::Content)),
    ]
}

fn pick(text: &str) -> Result<String, Error> {
    let selector: Selector = text.parse().unwrap();
    selector.pick(&sets()).map(|set| set.id.to_string())
}

#[test]
fn words_times_and_ids_select() {
    assert_eq!(pick("latest").unwrap(), "20261125T020000Z-0001");
    // That of the third was restored, and not compared or not equal.
    assert_eq!(pick("latest-proven").unwrap(), "20261123T010000Z-0004");
    assert_eq!(
        pick("20261124T020000Z-0002").unwrap(),
        "20261124T020000Z-0002"
    );
    assert_eq!(pick("20261124").unwrap(), "20261124T020000Z-0002");
    for (time, id) in [
        ("2026-11-24T02:00:00Z", Some("20261124T020000Z-0002")),
        ("2026-11-24T01:59:59Z", Some("20261123T020000Z-0003")),
        ("2030-01-01T00:00:00Z", Some("20261125T020000Z-0001")),
        ("2026-11-23T00:59:59Z", None),
    ] {
        let sets = sets();
        let found = Selector::At(time.parse().unwrap()).pick(&sets);
        assert_eq!(found.ok().map(|set| set.id.as_str()), id, "{time}");
    }
}

#[test]
fn what_is_not_one_set_is_an_error() {
    match pick("20261123") {
        Err(Error::Ambiguous { candidates, .. }) => {
            assert_eq!(
                candidates,
                ["20261123T020000Z-0003", "20261123T010000Z-0004"]
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(pick("20261126"), Err(Error::Unreadable { .. })));
    for none in ["202", "", "2027", "x", "20261125T020000Z-00011"] {
        assert!(matches!(pick(none), Err(Error::NotFound(_))), "{none}");
    }
    assert!(matches!(
        Selector::Latest.pick(&[]),
        Err(Error::NotFound(_))
    ));
}

#[test]
fn an_id_means_the_same_set_whatever_else_there_is() {
    for (text, relative) in [("latest", true), ("latest-proven", true), ("2026", false)] {
        assert_eq!(text.parse::<Selector>().unwrap().is_relative(), relative);
    }
    assert!(Selector::At(Utc::now()).is_relative());
}
