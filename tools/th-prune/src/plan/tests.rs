use chrono_tz::Tz;
use th_config::Retention;

use super::*;
use crate::policy_args::PolicyArgs;

/// A policy of th.toml whose floors are off.
pub(super) fn policy(toml: &str) -> Policy {
    let keys: Retention = toml::from_str(toml).unwrap();
    let bare = Policy {
        min_keep: 0,
        min_age: TimeDelta::zero(),
        max_delete: crate::limit::Limit::Unlimited,
        stale_after: crate::limit::StaleAfter::Never,
        ..Policy::new(&PolicyArgs::default(), &keys).unwrap()
    };
    Policy {
        min_keep: keys
            .min_keep
            .map_or(bare.min_keep, |word| word.as_str().parse().unwrap()),
        ..bare
    }
}

/// A complete set without proof.
fn set(at: &str) -> Candidate {
    let started_at: DateTime<Utc> = at.parse().unwrap();
    Candidate {
        group: Some(Source::default()),
        id: started_at.format("%Y%m%dT%H%M%SZ-0000").to_string(),
        started_at,
        complete: true,
        level: None,
        pinned: false,
        tags: Vec::new(),
        in_use: false,
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn nightly(nights: i64) -> Vec<Candidate> {
    let nights = (0..nights).map(|night| now() - TimeDelta::days(night) - TimeDelta::hours(10));
    nights.map(|at| set(&at.to_rfc3339())).collect()
}

/// Returns the numbers of those that stay, newest first.
fn stay(plan: &Plan) -> Vec<usize> {
    let decisions = plan.decisions.iter().enumerate();
    decisions
        .filter(|(_, decision)| decision.stays())
        .map(|(number, _)| number)
        .collect()
}

#[test]
fn rules_add_up_and_each_says_what_it_keeps() {
    let plan = decide(
        nightly(100),
        &policy("keep_last = 2\nkeep_weekly = 3\nkeep_monthly = 2"),
        now(),
    );
    // The 30th is a Monday: weeks end on the 29th and the 22nd, October on the 31st.
    assert_eq!(stay(&plan), [0, 1, 8, 30]);
    let first = &plan.decisions[0];
    assert_eq!(first.kept_by, ["keep_last", "keep_weekly", "keep_monthly"]);
    assert_eq!(first.reasons[1], "keep_weekly 2026-W49");
    assert_eq!(plan.decisions[2].reasons, ["no rule keeps it"]);
}

#[test]
fn a_zone_moves_the_days() {
    let sets = || vec![set("2026-11-29T23:30:00Z"), set("2026-11-29T22:30:00Z")];
    assert_eq!(stay(&decide(sets(), &policy("keep_daily = 1"), now())), [0]);
    let mut berlin = policy("keep_daily = 2");
    berlin.zone = Tz::Europe__Berlin;
    assert_eq!(stay(&decide(sets(), &berlin, now())), [0, 1]);
}

#[test]
fn the_newest_complete_and_the_newest_proven_stay_whatever_is_newer() {
    let mut sets = nightly(10);
    for poor in &mut sets[..3] {
        poor.complete = false;
    }
    sets[6].level = Some(Level::Content);
    sets[5].level = Some(Level::Decode);
    sets[8].pinned = true;
    let plan = decide(sets, &policy("keep_yearly = 1"), now());
    // The year's best is the proven one.
    assert_eq!(stay(&plan), [0, 3, 6, 8]);
    assert_eq!(plan.decisions[0].blocked_by, [Floor::Newest]);
    assert_eq!(plan.decisions[3].blocked_by, [Floor::NewestComplete]);
    assert_eq!(plan.decisions[6].kept_by, ["keep_yearly"]);
    assert_eq!(plan.decisions[8].blocked_by, [Floor::Pinned]);
    assert_eq!(plan.decisions[8].reasons, ["it is pinned"]);
}

#[test]
fn young_sets_and_sets_in_use_stay_and_a_minimum_does() {
    let mut sets = nightly(10);
    sets[7].in_use = true;
    let mut policy = policy("keep_last = 1");
    policy.min_age = TimeDelta::hours(40);
    policy.min_keep = 3;
    let plan = decide(sets, &policy, now());
    assert_eq!(stay(&plan), [0, 1, 2, 7]);
    assert_eq!(plan.decisions[1].blocked_by, [Floor::MinAge]);
    assert_eq!(plan.decisions[2].blocked_by, [Floor::MinKeep]);
    assert_eq!(plan.decisions[7].blocked_by, [Floor::InUse]);
}

#[test]
fn what_is_from_the_future_stays_and_uses_up_nothing() {
    let mut sets = nightly(3);
    sets.push(set("2031-01-01T00:00:00Z"));
    let plan = decide(sets, &policy("keep_last = 2"), now());
    assert_eq!(stay(&plan), [0, 1, 2]);
    assert_eq!(plan.decisions[0].blocked_by, [Floor::Future]);
    // With a clock that is a year behind, everything is.
    let plan = decide(
        nightly(9),
        &policy("keep_last = 1"),
        now() - TimeDelta::days(365),
    );
    assert_eq!(stay(&plan).len(), 9);
}

#[test]
fn nothing_goes_while_backups_are_broken() {
    let mut policy = policy("keep_last = 1");
    policy.stale_after = crate::limit::StaleAfter::Derived;
    let late = |days| decide(nightly(9), &policy, now() + TimeDelta::days(days));
    assert_eq!(stay(&late(2)), [0]);
    let plan = late(3);
    assert_eq!(stay(&plan).len(), 9);
    assert_eq!(plan.decisions[5].blocked_by, [Floor::Stale]);
    let Some(Refused::Stale(_, stale)) = plan.refused else {
        panic!("{plan:?}")
    };
    assert_eq!(stale.expected, TimeDelta::days(3));
    // A clock that is years ahead makes every set too old.
    assert!(late(9999).refused.is_some());
    // No complete set at all is no better.
    let mut sets = nightly(9);
    for poor in &mut sets {
        poor.complete = false;
    }
    let plan = decide(sets, &policy, now());
    assert_eq!(stay(&plan).len(), 9);
    // If nothing would go, there is nothing to refuse.
    let only = decide(nightly(1), &policy, now() + TimeDelta::days(99));
    assert_eq!(only.refused, None);
    assert_eq!(only.freeze, Freeze::All(Floor::Stale));
}

#[test]
fn too_many_at_once_are_none() {
    let mut policy = policy("keep_last = 6");
    policy.max_delete = crate::limit::Limit::Percent(30);
    assert_eq!(stay(&decide(nightly(8), &policy, now())).len(), 6);
    let plan = decide(nightly(10), &policy, now());
    assert_eq!(stay(&plan).len(), 10);
    assert_eq!(
        plan.refused,
        Some(Refused::TooMany {
            would: 4,
            may: 3,
            of: 10
        })
    );
    assert_eq!(plan.decisions[9].blocked_by, [Floor::MaxDelete]);
}

#[test]
fn tags_keep_by_name_and_value() {
    let mut sets = nightly(5);
    sets[2].tags = vec!["release=v1".into(), "by=ci".into()];
    sets[3].tags = vec!["release=v2".into()];
    sets[4].tags = vec!["by=ci".into()];
    let kept = |tags: &str| {
        let policy = policy(&format!("keep_tag = [{tags}]"));
        stay(&decide(sets.clone(), &policy, now()))
    };
    assert_eq!(kept("\"release\""), [0, 2, 3]);
    assert_eq!(kept("\"release=v1\", \"by=ci\""), [0, 2, 4]);
    assert_eq!(kept("\"release,by=ci\""), [0, 2]);
}

/// As many sets, of something else.
fn others(sets: Vec<Candidate>, environment: Option<&str>, has_files: bool) -> Vec<Candidate> {
    let source = Source {
        environment: environment.map(str::to_owned),
        database: (!has_files).then(|| "app".to_owned()),
        has_files,
    };
    let other = |set: Candidate| Candidate {
        id: format!("{}-{}", set.id, if has_files { "files" } else { "db" }),
        group: Some(source.clone()),
        ..set
    };
    sets.into_iter().map(other).collect()
}

#[test]
fn a_backup_of_something_else_replaces_none() {
    // The database every night, to any level of proof; the files every week, which have only one.
    let mut database = others(nightly(60), None, false);
    for set in &mut database {
        set.level = Some(Level::Content);
    }
    let weekly = (0..8).map(|week| set(&(now() - TimeDelta::days(week * 7 + 1)).to_rfc3339()));
    let files = others(weekly.collect(), None, true);
    let policy = policy("keep_daily = 7\nkeep_weekly = 4\nmin_keep = 3");
    let alone = |sets: &[Candidate]| {
        let plan = decide(sets.to_vec(), &policy, now());
        let stay = plan.decisions.into_iter().filter(Decision::stays);
        stay.map(|it| it.candidate.id).collect::<Vec<_>>()
    };
    let mut expected = [alone(&database), alone(&files)].concat();
    let mut found = alone(&[database, files.clone()].concat());
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(alone(&files).len(), 7);
}

#[test]
fn broken_backups_of_one_group_stop_that_group_alone() {
    let mut policy = policy("keep_last = 2");
    policy.stale_after = crate::limit::StaleAfter::Fixed(TimeDelta::days(3));
    let old = |sets: Vec<Candidate>| {
        let older = |set: Candidate| Candidate {
            started_at: set.started_at - TimeDelta::days(9),
            ..set
        };
        sets.into_iter().map(older).collect()
    };
    let fresh = others(nightly(5), Some("a"), false);
    let broken = others(old(nightly(5)), Some("a"), true);
    let plan = decide([fresh.clone(), broken.clone()].concat(), &policy, now());
    let gone = plan.decisions.iter().filter(|it| !it.stays());
    assert!(gone.clone().all(|it| it.candidate.group == fresh[0].group));
    assert_eq!(gone.count(), 3);
    let broken = broken[0].group.clone().unwrap();
    assert!(matches!(&plan.refused, Some(Refused::Stale(of, _)) if *of == broken));
    // Its trash stays, the other's goes; the packs that none needs may go too.
    assert_eq!(plan.freeze.of(&broken), Some(Floor::Stale));
    assert_eq!(plan.freeze.of(fresh[0].group.as_ref().unwrap()), None);
    assert_eq!(plan.freeze.all(), None);
}

#[test]
fn how_many_may_go_is_counted_over_all_but_other_environments() {
    let mut policy = policy("keep_last = 2");
    policy.max_delete = crate::limit::Limit::Percent(40);
    let ours = [
        others(nightly(3), Some("a"), false),
        others(nightly(3), Some("a"), true),
    ]
    .concat();
    // 2 of 6.
    assert_eq!(stay(&decide(ours.clone(), &policy, now())).len(), 4);
    policy.max_delete = crate::limit::Limit::Percent(30);
    let mut theirs = nightly(50);
    for set in &mut theirs {
        set.group = None;
    }
    let newest = theirs[0].id.clone();
    let plan = decide([ours, theirs].concat(), &policy, now());
    assert_eq!(
        plan.refused, None,
        "30% of 6, rounded up: {:?}",
        plan.refused
    );
    let other = plan
        .decisions
        .iter()
        .filter(|it| it.candidate.group.is_none());
    assert!(
        other
            .clone()
            .all(|it| it.blocked_by == [Floor::OtherEnvironment])
    );
    assert_eq!(other.count(), 50);
    assert_ne!(plan.newest_complete(), Some(newest));
}
