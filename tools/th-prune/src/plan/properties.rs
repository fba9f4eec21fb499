//! What must hold of every policy and every store.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::bucket::Period;
use crate::limit::{Limit, StaleAfter};
use crate::rule::{Count, Reach, Rule};

/// Three days before the clocks of Rome are put back, and well into ISO week 53.
const EPOCHS: [&str; 4] = [
    "2026-10-22T22:00:00Z",
    "2026-03-27T00:00:00Z",
    "2026-12-29T00:00:00Z",
    "2020-12-27T12:00:00Z",
];

fn zones() -> impl Strategy<Value = Tz> {
    prop::sample::select(vec![
        Tz::UTC,
        Tz::Europe__Rome,
        Tz::Australia__Lord_Howe,
        Tz::America__St_Johns,
        Tz::Pacific__Apia,
    ])
}

fn periods() -> impl Strategy<Value = Period> {
    use Period::{Day, Hour, Month, Set, Week, Year};
    prop::sample::select(vec![Set, Hour, Day, Week, Month, Year])
}

fn reaches() -> impl Strategy<Value = Reach> {
    let within = prop::sample::select(vec!["1h", "3d", "1m", "1m2d3h", "1y", "5y"]);
    prop_oneof![
        (1..12_usize).prop_map(|count| Reach::Count(Count(count))),
        within.prop_map(|text| Reach::Within(text.parse().unwrap())),
    ]
}

fn policies() -> impl Strategy<Value = Policy> {
    let rule = (periods(), reaches()).prop_map(|(period, reach)| Rule {
        name: "rule",
        period,
        reach,
    });
    let limit = prop_oneof![
        3 => Just(Limit::Unlimited),
        1 => (1..50_usize).prop_map(Limit::Percent),
    ];
    let stale = prop_oneof![Just(StaleAfter::Never), Just(StaleAfter::Derived)];
    let rules = prop::collection::vec(rule, 1..4);
    (rules, zones(), 0..4_usize, 0..48_i64, limit, stale).prop_map(
        |(rules, zone, min_keep, hours, max_delete, stale_after)| Policy {
            rules,
            tags: vec![vec!["keep".into()]],
            zone,
            min_keep,
            min_age: TimeDelta::hours(hours),
            max_delete,
            stale_after,
            grace: TimeDelta::zero(),
        },
    )
}

/// What sets are a backup of: the same, more or less of it, or another environment's.
fn groups() -> Vec<Option<Source>> {
    let source = |database: Option<&str>, has_files| {
        Some(Source {
            environment: None,
            database: database.map(str::to_owned),
            has_files,
        })
    };
    vec![
        source(Some("app"), true),
        source(Some("app"), true),
        source(Some("app"), false),
        source(None, true),
        None,
    ]
}

/// Returns the sets of a group.
fn of(sets: &[Candidate], group: &Option<Source>) -> Vec<Candidate> {
    let its = sets.iter().filter(|set| set.group == *group);
    its.cloned().collect()
}

/// Sets around one of the epochs: minutes apart, hours, days, or months.
fn stores() -> impl Strategy<Value = Vec<Candidate>> {
    let level = prop::option::of(prop::sample::select(Level::ALL.to_vec()));
    let group = prop::sample::select(groups());
    let set = (any::<u16>(), -4000..4000_i64, level, 0..20_u8, group);
    let scale = prop::sample::select(vec![1_i64, 13, 360, 10_000]);
    (0..EPOCHS.len(), scale, prop::collection::vec(set, 0..60)).prop_map(|(epoch, scale, sets)| {
        let epoch: DateTime<Utc> = EPOCHS[epoch].parse().unwrap();
        let sets = sets.into_iter().enumerate();
        sets.map(|(number, (random, step, level, kind, group))| Candidate {
            id: format!("{random:04x}-{number}"),
            started_at: epoch + TimeDelta::minutes(step * scale),
            group,
            complete: kind > 3,
            level,
            pinned: kind == 9,
            tags: (kind == 10)
                .then(|| "keep".to_owned())
                .into_iter()
                .collect(),
            in_use: kind == 11,
        })
        .collect()
    })
}

/// Any time at all: before, among and after the sets.
fn clocks() -> impl Strategy<Value = DateTime<Utc>> {
    let epoch: DateTime<Utc> = EPOCHS[0].parse().unwrap();
    (-90_000_000..90_000_000_i64).prop_map(move |minutes| epoch + TimeDelta::minutes(minutes))
}

/// A time shortly after the newest set, as on a good night.
fn after(sets: &[Candidate]) -> DateTime<Utc> {
    let newest = sets.iter().map(|set| set.started_at).max();
    newest.unwrap_or_default() + TimeDelta::minutes(1)
}

fn ids(plan: &Plan) -> Vec<&str> {
    let stay = plan.decisions.iter().filter(|decision| decision.stays());
    stay.map(|decision| decision.candidate.id.as_str())
        .collect()
}

fn remaining(plan: &Plan) -> Vec<Candidate> {
    let stay = plan.decisions.iter().filter(|decision| decision.stays());
    stay.map(|decision| decision.candidate.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn pruning_twice_is_pruning_once(sets in stores(), policy in policies(), clock in prop::option::of(clocks())) {
        let now = clock.unwrap_or_else(|| after(&sets));
        let once = decide(sets, &policy, now);
        let twice = decide(remaining(&once), &policy, now);
        prop_assert_eq!(ids(&twice), ids(&once));
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(
        (sets, shuffled) in stores().prop_flat_map(|sets| (Just(sets.clone()), Just(sets).prop_shuffle())),
        policy in policies(),
    ) {
        let now = after(&sets);
        prop_assert_eq!(decide(sets, &policy, now), decide(shuffled, &policy, now));
    }

    #[test]
    fn something_good_stays(sets in stores(), policy in policies(), now in clocks()) {
        let good = |set: &Candidate| set.complete;
        let plan = decide(sets.clone(), &policy, now);
        for group in groups() {
            let had = of(&sets, &group).iter().any(good);
            prop_assert_eq!(of(&remaining(&plan), &group).iter().any(good), had);
        }
    }

    #[test]
    fn floors_hold(sets in stores(), policy in policies(), now in clocks()) {
        let plan = decide(sets.clone(), &policy, now);
        let stay = remaining(&plan);
        for group in groups() {
            let its = of(&sets, &group);
            let proven = (its.iter())
                .filter(|set| set.complete && set.level >= Some(Level::PROVEN) && set.started_at <= now)
                .max_by_key(|set| (set.started_at, &set.id));
            prop_assert!(proven.is_none_or(|proven| stay.contains(proven)));
            let count = its.iter().filter(|set| set.complete).count();
            let good = of(&stay, &group).iter().filter(|set| set.complete).count();
            prop_assert!(good >= policy.min_keep.min(count));
        }
        for set in &sets {
            let holds = set.pinned
                || set.in_use
                || set.group.is_none()
                || set.started_at > now - policy.min_age;
            prop_assert!(!holds || stay.contains(set), "{:?}", set);
        }
        let ours = sets.iter().filter(|set| set.group.is_some()).count();
        prop_assert!(sets.len() - stay.len() <= policy.max_delete.of(ours));
    }

    #[test]
    fn a_newer_set_takes_no_proven_or_pinned_ones_place(
        sets in stores(), policy in policies(), minutes in 0..100_000_i64, complete: bool,
    ) {
        let newest = after(&sets);
        let mut more = sets.clone();
        more.push(Candidate {
            id: "newer".into(),
            started_at: newest + TimeDelta::minutes(minutes),
            group: groups()[0].clone(),
            complete,
            level: None,
            pinned: false,
            tags: Vec::new(),
            in_use: false,
        });
        let now = after(&more);
        let stay = remaining(&decide(more, &policy, now));
        let proven = |set: &&Candidate| set.complete && set.level >= Some(Level::PROVEN);
        let best = sets.iter().filter(proven).max_by_key(|set| (set.started_at, &set.id));
        for set in sets.iter().filter(|set| set.pinned).chain(best) {
            prop_assert!(stay.contains(set), "{:?}", set);
        }
    }

    #[test]
    fn a_newer_set_of_the_same_hour_changes_nothing_for_proven_ones(
        sets in stores(), mut policy in policies(),
    ) {
        // What counts single sets, or the time since the newest, must make room for it.
        policy.rules.retain(|rule| rule.period != Period::Set && matches!(rule.reach, Reach::Count(_)));
        policy.rules.push(Rule {
            name: "rule",
            period: Period::Hour,
            reach: Reach::Count(Count(1)),
        });
        policy.min_keep = 0;
        policy.max_delete = Limit::Unlimited;
        policy.stale_after = StaleAfter::Never;
        let group = groups()[0].clone();
        let its = of(&sets, &group);
        let newest = its.iter().filter(|set| set.complete).map(|set| set.started_at).max();
        let newest = newest.unwrap_or_default();
        let now = after(&sets);
        let mut more = sets.clone();
        more.push(Candidate {
            id: "zzz".into(),
            started_at: newest,
            group,
            complete: true,
            level: None,
            pinned: false,
            tags: Vec::new(),
            in_use: false,
        });
        let before = remaining(&decide(sets, &policy, now));
        let stay = remaining(&decide(more, &policy, now));
        let proven = |set: &&Candidate| set.complete && set.level >= Some(Level::Bytes);
        for set in before.iter().filter(proven) {
            prop_assert!(stay.contains(set), "{:?}", set);
        }
    }

    #[test]
    fn groups_do_not_know_of_each_other(sets in stores(), policy in policies(), now in clocks()) {
        let policy = Policy { max_delete: Limit::Unlimited, ..policy };
        let stay = remaining(&decide(sets.clone(), &policy, now));
        for group in groups() {
            let alone = remaining(&decide(of(&sets, &group), &policy, now));
            prop_assert_eq!(of(&stay, &group), alone);
        }
    }

    #[test]
    fn degraded_sets_never_displace_complete_ones(sets in stores(), policy in policies()) {
        let now = after(&sets);
        let complete: Vec<Candidate> = sets.iter().filter(|set| set.complete).cloned().collect();
        // The limit is a share of all sets.
        let policy = Policy { max_delete: Limit::Unlimited, ..policy };
        let alone = decide(complete, &policy, now);
        let stay = remaining(&decide(sets, &policy, now));
        for set in remaining(&alone) {
            prop_assert!(stay.contains(&set), "{:?}", set);
        }
    }
}
