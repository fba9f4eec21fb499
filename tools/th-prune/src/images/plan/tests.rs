//! Images that are made up.

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-23T02:00:00Z".parse().unwrap()
}

/// An image of the app, as many days old as it says.
fn image(id: &str, names: &[&str], days: i64) -> Image {
    Image {
        id: id.to_owned(),
        parent: None,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        created_at: now() - chrono::TimeDelta::days(days),
        size_bytes: 10,
        labels: [(APP.to_owned(), "app".to_owned())].into(),
    }
}

fn on(parent: &str, image: Image) -> Image {
    Image {
        parent: Some(parent.to_owned()),
        ..image
    }
}

fn planned(images: &[Image], used: &[(&str, &str)], releases: usize) -> Vec<Object<Target>> {
    let used = used
        .iter()
        .map(|(id, name)| ((*id).to_owned(), vec![(*name).to_owned()]))
        .collect();
    let observed = Observed {
        app: "app",
        images,
        used: &used,
        held: &Held::default(),
        now: now(),
    };
    let rules = Rules {
        releases,
        min_age: Duration::from_secs(3600),
    };
    plan(&observed, &rules)
}

/// Returns the ids of what goes, in order.
fn going(images: &[Image], used: &[(&str, &str)], releases: usize) -> Vec<String> {
    planned(images, used, releases)
        .into_iter()
        .filter(|it| it.item.action == PruneAction::Delete)
        .map(|it| it.target.id)
        .collect()
}

#[test]
fn the_last_releases_stay_with_all_their_images() {
    let images = [
        image("web3", &["app-web:v3"], 1),
        image("api3", &["app-api:v3"], 3),
        image("web2", &["app-web:v2"], 4),
        // Older than all, and of a release whose other image is young.
        image("api2", &["app-api:v2"], 90),
        image("web1", &["app-web:v1"], 5),
        image("api1", &["reg:5000/x/app-api:v1"], 5),
    ];
    assert_eq!(going(&images, &[], 2), ["web1", "api1"]);
    assert_eq!(going(&images, &[], 3), [""; 0]);
    assert_eq!(going(&images, &[("api1", "old")], 2), ["web1"]);
    assert_eq!(going(&images, &[], 0).len(), 6);
}

#[test]
fn what_is_not_the_apps_is_not_looked_at() {
    let mut other = image("other", &["app-api:v0"], 9);
    other.labels.insert(APP.to_owned(), "app2".to_owned());
    let mut none = image("none", &["app-api:v00"], 9);
    none.labels.clear();
    assert!(planned(&[other, none], &[], 0).is_empty());
}

#[test]
fn an_image_of_another_app_that_is_built_on_ours_has_our_label_and_stays() {
    let images = [
        image("base", &["app-api:v1"], 9),
        on("base", image("theirs", &["apples:v1"], 8)),
        image("new", &["app-api:v2"], 7),
    ];
    assert_eq!(going(&images, &[], 1), [""; 0]);
    let objects = planned(&images, &[], 1);
    let blocked = |id: &str| {
        let it = objects.iter().find(|it| it.target.id == id).unwrap();
        it.item.reasons.join(" ")
    };
    assert!(blocked("theirs").contains("apples:v1"));
    assert!(blocked("base").contains("built on it"));
}

#[test]
fn an_image_goes_after_those_built_on_it_and_steps_are_left_to_the_engine() {
    let images = [
        image("a", &["app:v1"], 9),
        on("a", image("step", &[], 9)),
        on("step", image("b", &["app:v2"], 8)),
        on("b", image("c", &["app:v3"], 7)),
        image("z", &["app:v0"], 30),
        image("new", &["app:v4"], 6),
    ];
    assert_eq!(going(&images, &[], 1), ["z", "c", "b", "a"]);
}

#[test]
fn one_that_lost_its_name_goes_unless_it_is_young_or_used() {
    let mut lost = image("lost", &[], 2);
    lost.labels.insert(VERSION.to_owned(), "v2".to_owned());
    let images = [lost, image("new", &["app:v2"], 1), image("young", &[], 0)];
    assert_eq!(going(&images, &[], 1), ["lost"]);
    assert_eq!(going(&images, &[("lost", "blue")], 1), [""; 0]);
}

#[test]
fn an_image_with_two_names_stays_with_the_younger_release() {
    let images = [
        image("two", &["app:v1", "app:v3"], 9),
        image("v2", &["app:v2"], 5),
    ];
    // Both tags are as old as the image.
    assert_eq!(going(&images, &[], 1), ["two"]);
    assert_eq!(going(&images, &[], 2), [""; 0]);
}

#[test]
fn the_app_may_be_any_part_of_a_name_but_the_registry() {
    let images = [
        image("a", &["app/api:v1"], 5),
        image("b", &["ghcr.io/acme/app/api:v1"], 4),
        image("c", &["localhost/app-web/api:v1"], 3),
        image("d", &["app.example/other:v1"], 2),
        image("e", &["apples/api:v1"], 2),
    ];
    assert_eq!(going(&images, &[], 0), ["a", "b", "c"]);
}

#[test]
fn a_label_that_is_no_tag_is_that_of_a_base() {
    let labelled = |id: &str, names: &[&str], days: i64, version: &str| {
        let mut image = image(id, names, days);
        image.labels.insert(VERSION.to_owned(), version.to_owned());
        image
    };
    let images = [
        labelled("new", &["app:v3"], 1, "24.04"),
        labelled("old", &["app:v2"], 2, "24.04"),
        // The tag `latest` is no release beside the one that the label and a tag name.
        labelled("both", &["app:latest", "app:v1"], 3, "v1"),
    ];
    assert_eq!(going(&images, &[], 1), ["both", "old"]);
    assert_eq!(releases(&images[2]), ["v1"]);
    assert_eq!(releases(&labelled("lost", &[], 1, "v1")), ["v1"]);
}

#[test]
fn a_date_in_the_future_is_young() {
    assert_eq!(going(&[image("x", &["app:v1"], -9)], &[], 0), [""; 0]);
}
