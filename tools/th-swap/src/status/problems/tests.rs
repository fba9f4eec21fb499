use chrono::Utc;
use th_record::Image;
use th_record::kind::ReleaseState;

use super::*;
use crate::front::{Answers, Bad, Way};

fn slot(name: Slot, lanes: u64) -> SlotSeen {
    SlotSeen {
        status: SlotStatus {
            name,
            lanes,
            tag: Some("v1-slim".to_owned()),
            running: Some(true),
            healthy: true,
            connections: Some(0),
        },
        health: Ok(()),
        images: vec![("app:v1-slim".to_owned(), "sha256:1".to_owned())],
    }
}

fn release() -> Release {
    Release {
        tag: "v1".to_owned(),
        slot: Slot::Blue,
        state: ReleaseState::Live,
        deployed_at: Utc::now(),
        run: "run".to_owned(),
        images: vec![Image {
            name: "app:v1-slim".to_owned(),
            id: "sha256:1".to_owned(),
            digest: None,
        }],
        heads: Vec::new(),
        pre_release_set: None,
        exclusive: Vec::new(),
    }
}

fn served(slots: &[Slot]) -> FrontSeen {
    FrontSeen::Answers(Answers {
        slots: slots.to_vec(),
        asked: 40,
        ..Answers::default()
    })
}

fn paused() -> PendingSwap {
    PendingSwap {
        run: "run".to_owned(),
        tag: "v2".to_owned(),
        slot: Slot::Green,
        phase: Phase::Paused.name().to_owned(),
        hold_until_at: None,
        alive: false,
    }
}

/// All traffic is on blue, where the release was.
fn to_blue<'a>(release: &'a Release, slots: &'a [SlotSeen], front: &'a FrontSeen) -> Traffic<'a> {
    Traffic {
        include: None,
        live: Some(Slot::Blue),
        remembered: Some(release),
        pending: None,
        slots,
        front: Some(front),
    }
}

#[test]
fn what_agrees_is_silent_whatever_the_tag_of_the_image_is() {
    let (release, front) = (release(), served(&[Slot::Blue]));
    let slots = [slot(Slot::Blue, 20), slot(Slot::Green, 0)];
    let traffic = to_blue(&release, &slots, &front);
    assert_eq!(traffic.problems(), [""; 0]);

    let mut others = [slot(Slot::Blue, 20), slot(Slot::Green, 0)];
    others[0].images[0].1 = "sha256:2".to_owned();
    let slots = &others;
    assert_eq!(
        Traffic { slots, ..traffic }.problems(),
        ["blue runs 'app:v1-slim', which is none of the images that were released as 'v1'"]
    );
}

#[test]
fn what_users_meet_must_be_known_and_good() {
    let release = release();
    let slots = [slot(Slot::Blue, 20), slot(Slot::Green, 0)];
    let problems = |front: FrontSeen| to_blue(&release, &slots, &front).problems().join("; ");
    assert!(problems(served(&[])).contains("it is not known what it serves"));
    assert!(problems(served(&[Slot::Blue, Slot::Green])).ends_with("nginx serves green"));
    let bad = FrontSeen::Answers(Answers {
        slots: vec![Slot::Blue],
        asked: 8,
        bad: vec![Bad {
            way: Way::get("/nope"),
            status: 404,
            slot: None,
        }],
        silent: 1,
    });
    assert_eq!(
        problems(bad),
        "2 of 8 requests through nginx were not answered well: GET /nope answers 404"
    );
}

#[test]
fn a_paused_canary_is_looked_at_as_well() {
    let (release, pending) = (release(), paused());
    let front = FrontSeen::Down("refused".to_owned());
    let mut slots = [slot(Slot::Blue, 1), slot(Slot::Green, 1)];
    slots[0].status.running = Some(false);
    slots[1].health = Err("silent".to_owned());
    let traffic = Traffic {
        include: None,
        live: None,
        remembered: Some(&release),
        pending: Some(&pending),
        slots: &slots,
        front: Some(&front),
    };
    let wanted = [
        "blue has the traffic, and does not run",
        "green has the traffic, and is not healthy: silent",
        "refused",
    ];
    assert_eq!(traffic.problems(), wanted);
    assert!(traffic.hint().contains("doctor"));
}

#[test]
fn without_a_word_on_disk_it_is_the_release_that_is_remembered() {
    let (release, front) = (release(), served(&[Slot::Blue]));
    let slots = [slot(Slot::Blue, 0), slot(Slot::Green, 0)];
    let traffic = Traffic {
        include: Some(Path::new("/r/nginx/live.conf")),
        live: None,
        remembered: Some(&release),
        pending: None,
        slots: &slots,
        front: Some(&front),
    };
    assert_eq!(
        traffic.problems(),
        ["'/r/nginx/live.conf' names the ports of no slot, but 'v1' was released in blue"]
    );
    assert!(traffic.hint().contains("th-swap init"));
    let first = Traffic {
        remembered: None,
        ..traffic
    };
    assert_eq!(first.problems(), [""; 0], "before the first release");
}
