use super::*;

fn sample(requests: u64, errors: u64, seconds: f64) -> Sample {
    let mut sample = Sample::default();
    for n in 0..requests {
        sample.count(n < errors, Some(seconds));
    }
    sample
}

fn samples(new: Sample, old: Sample) -> Samples {
    Samples { new, old }
}

fn verdict(new: Sample, old: Sample) -> CanaryVerdict {
    judge(&new, &old).0
}

#[test]
fn as_good_as_the_old_slot_is_good() {
    assert_eq!(
        judge(&sample(200, 0, 0.01), &sample(2000, 0, 0.01)),
        (CanaryVerdict::Good, None)
    );
    let both_have_errors = verdict(sample(200, 6, 0.01), sample(2000, 60, 0.01));
    assert_eq!(both_have_errors, CanaryVerdict::Good);
}

#[test]
fn too_little_traffic_says_nothing_even_if_all_of_it_failed() {
    let found = verdict(sample(49, 49, 0.01), sample(2000, 0, 0.01));
    assert_eq!(found, CanaryVerdict::Inconclusive);
}

#[test]
fn errors_are_bad_when_they_cannot_be_chance() {
    let old = || sample(2000, 0, 0.01);
    assert_eq!(verdict(sample(60, 30, 0.01), old()), CanaryVerdict::Bad);
    assert_eq!(
        verdict(sample(10_000, 150, 0.01), old()),
        CanaryVerdict::Bad
    );
    let (one_of_sixty, why) = judge(&sample(60, 1, 0.01), &old());
    assert_eq!(one_of_sixty, CanaryVerdict::Inconclusive);
    let why = why.unwrap();
    assert!(why.contains("1 of 60") && why.contains("chance"), "{why}");
}

#[test]
fn latency_is_bad_by_factor_and_slack_together() {
    let slower = verdict(sample(100, 0, 0.4), sample(100, 0, 0.1));
    assert_eq!(slower, CanaryVerdict::Bad);
    let still_quick = verdict(sample(100, 0, 0.04), sample(100, 0, 0.01));
    assert_eq!(still_quick, CanaryVerdict::Good);
    let nothing_to_compare = verdict(sample(100, 0, 5.0), sample(10, 0, 0.01));
    assert_eq!(nothing_to_compare, CanaryVerdict::Good);
}

#[test]
fn quick_failures_do_not_make_the_new_slot_look_quick() {
    let mut new = sample(100, 0, 2.0);
    new.merge(&sample(100, 100, 0.0));
    assert!(new.latency.p50().unwrap() >= 2.0);
}

#[test]
fn bad_ones_in_a_row_go_back_and_what_says_nothing_does_not_help() {
    let mut judge = Judge::new(Limits::default());
    let bad = samples(sample(100, 50, 0.01), sample(100, 0, 0.01));
    let unsure = samples(sample(2, 0, 0.01), sample(100, 0, 0.01));
    assert_eq!(judge.measure(&bad, &bad), None);
    assert_eq!(judge.measure(&unsure, &unsure), None);
    assert_eq!(judge.measure(&bad, &bad), None);
    assert!(judge.measure(&bad, &bad).unwrap().contains("50 of 100"));
}

#[test]
fn a_good_one_ends_the_row_but_the_failure_limit_remembers() {
    let mut judge = Judge::new(Limits::default());
    let bad = samples(sample(100, 50, 0.01), sample(100, 0, 0.01));
    let good = samples(sample(100, 0, 0.01), sample(100, 0, 0.01));
    for _ in 0..5 {
        assert_eq!(judge.measure(&bad, &bad), None);
        assert_eq!(judge.measure(&good, &good), None);
    }
    assert!(
        judge
            .measure(&bad, &bad)
            .unwrap()
            .starts_with("6 times in all")
    );
}

#[test]
fn a_step_ends_by_all_that_was_seen_in_it() {
    let mut judge = Judge::new(Limits::default());
    let bad = samples(sample(100, 50, 0.01), sample(100, 0, 0.01));
    let mut step = bad.clone();
    assert_eq!(judge.measure(&bad, &bad), None);
    step.merge(&samples(sample(90_000, 0, 0.01), sample(100, 0, 0.01)));
    assert_eq!(judge.conclude(&step).0, CanaryVerdict::Good);
}

#[test]
fn certainty_grows_with_the_number_of_requests() {
    let rates: Vec<f64> = [10, 100, 1000]
        .into_iter()
        .map(|n| sample(n, n / 10, 0.0).error_rate_at_least())
        .collect();
    assert!(
        rates.is_sorted() && rates[0] > 0.0 && rates[2] < 0.1,
        "{rates:?}"
    );
    assert_eq!(Sample::default().error_rate_at_least(), 0.0);
}
