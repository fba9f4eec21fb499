//! Images and the build cache: listed, measured, removed.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use th_docker::{Docker, Error, Image, ScratchSpec};

use crate::kit::{IMAGE, docker, spec};

const APP: &str = "th.test.app";

/// Builds an image from a Dockerfile, and removes it when dropped.
struct Built {
    name: String,
}

impl Built {
    fn new(name: &str, dockerfile: &str, buildkit: bool) -> Self {
        let name = format!("{name}:{}", std::process::id());
        let mut build = Command::new("docker")
            .args(["build", "-q", "-t", &name, "-"])
            .env("DOCKER_BUILDKIT", if buildkit { "1" } else { "0" })
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = build.stdin.take().unwrap();
        stdin.write_all(dockerfile.as_bytes()).unwrap();
        drop(stdin);
        assert!(build.wait().unwrap().success());
        Self { name }
    }

    fn image(&self, docker: &Docker) -> Image {
        let images = docker.images().unwrap();
        let named = |image: &Image| image.names.contains(&self.name);
        images.into_iter().find(named).unwrap()
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rmi", "-f", &self.name])
            .output();
    }
}

fn dockerfile(value: &str) -> String {
    format!(
        "FROM {IMAGE}\nENV UNIQUE={value}-{}\nLABEL {APP}={value}\n",
        std::process::id()
    )
}

#[test]
fn an_image_is_listed_with_what_it_is_built_on() {
    let docker = docker();
    let built = Built::new("th-docker-listed", &dockerfile("listed"), false);
    let image = built.image(&docker);
    assert_eq!(image.names, [built.name.as_str()]);
    assert_eq!(image.labels.get(APP).map(String::as_str), Some("listed"));
    assert!(image.size_bytes > 1_000_000);
    let images = docker.images().unwrap();
    let step = images
        .iter()
        .find(|it| Some(&it.id) == image.parent.as_ref());
    // The ENV, without a name and without the label of the step after it.
    let step = step.unwrap();
    assert!(
        step.names.is_empty() && !step.labels.contains_key(APP),
        "{step:?}"
    );
    assert_eq!(docker.image_id(&built.name).unwrap(), Some(image.id));
    assert_eq!(docker.image_id("th-docker-no-such:1").unwrap(), None);
}

#[test]
fn an_image_goes_with_its_steps_and_one_that_is_gone_is_no_error() {
    let docker = docker();
    let built = Built::new("th-docker-gone", &dockerfile("gone"), false);
    let image = built.image(&docker);
    docker.remove_image(&image.id).unwrap();
    docker.remove_image(&image.id).unwrap();
    let left = docker.images().unwrap();
    let is_of_it = |it: &Image| it.id == image.id || Some(&it.id) == image.parent.as_ref();
    assert!(!left.iter().any(is_of_it));
    assert!(left.iter().any(|it| it.names.contains(&IMAGE.to_owned())));
}

#[test]
fn an_image_that_is_needed_is_refused() {
    let docker = docker();
    let built = Built::new("th-docker-needed", &dockerfile("needed"), false);
    let image = built.image(&docker);
    let used = docker.scratch(&ScratchSpec {
        image_id: built.name.clone(),
        ..spec()
    });
    let used = used.unwrap();
    let containers = docker.containers().unwrap();
    let found = containers.iter().find(|it| it.id == used.id()).unwrap();
    assert_eq!(found.image_id, image.id);
    let refused = docker.remove_image(&image.id).unwrap_err();
    assert!(
        matches!(refused, Error::Refused { status: 409, .. }),
        "{refused:?}"
    );
    drop(used);

    let other = format!("th-docker-other:{}", std::process::id());
    let tag = Command::new("docker")
        .args(["tag", &built.name, &other])
        .status();
    assert!(tag.unwrap().success());
    let refused = docker.remove_image(&image.id).unwrap_err();
    assert!(
        matches!(refused, Error::Refused { status: 409, .. }),
        "{refused:?}"
    );
    docker.remove_image(&other).unwrap();
    assert_eq!(built.image(&docker).id, image.id);
    docker.remove_image(&image.id).unwrap();
}

#[test]
fn a_record_of_the_build_cache_goes_when_it_is_old_and_no_other_does() {
    let docker = docker();
    let word = format!("th-docker-cache-{}", std::process::id());
    // The file is in no image, so nothing shares its bytes.
    let dockerfile = format!(
        "FROM {IMAGE} AS made\nRUN head -c 300000 /dev/urandom >/{word}\n\
         FROM scratch\nCOPY --from=made /{word} /\n"
    );
    drop(Built::new("th-docker-cache", &dockerfile, true));
    let records = || {
        let mut cache = docker.usage().unwrap().build_cache;
        cache.retain(|record| record.description.contains(&word) && !record.shared);
        cache
    };
    let size = |id: &str| {
        let record = records().into_iter().find(|it| it.id == id);
        record.map(|it| it.size_bytes)
    };
    let record = records()
        .into_iter()
        .max_by_key(|it| it.size_bytes)
        .unwrap();
    assert!(record.size_bytes >= 300_000, "{record:?}");
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(docker.prune_build(&record.id, day).unwrap(), None);
    assert!(size(&record.id).is_some());
    // What is built on it goes first, where there is anything.
    for other in records()
        .iter()
        .filter(|it| it.parents.contains(&record.id))
    {
        docker.prune_build(&other.id, Duration::ZERO).unwrap();
    }
    let freed = docker.prune_build(&record.id, Duration::ZERO).unwrap();
    assert!(freed.is_some_and(|bytes| bytes >= 300_000), "{freed:?}");
    assert_eq!(size(&record.id), None);
}

#[test]
fn the_layers_are_counted_once() {
    let docker = docker();
    let built = Built::new("th-docker-layers", &dockerfile("layers"), false);
    let usage = docker.usage().unwrap();
    let size = built.image(&docker).size_bytes;
    assert!(usage.layers_bytes >= size);
    let all: u64 = docker
        .images()
        .unwrap()
        .iter()
        .map(|it| it.size_bytes)
        .sum();
    assert!(usage.layers_bytes < all);
    assert!(docker.data_root().unwrap().is_absolute());
}
