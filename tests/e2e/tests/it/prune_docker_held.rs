//! Images of releases that an environment may go back to stay, and all do when that is not known.

use std::fs;

use anyhow::Result;

use crate::prune_docker::five;
use crate::prune_docker_shelf::item;

#[test]
fn what_any_environment_may_go_back_to_stays() -> Result<()> {
    let shelf = five()?;
    // The last two are held, whatever the rule; one that was rolled back is none of them.
    shelf.releases(
        "staging",
        &[
            ("v3", "retired"),
            ("v1", "retired"),
            ("v2", "live"),
            ("v4", "withdrawn"),
        ],
    )?;
    let done = shelf
        .prune(&["images", "--keep-releases", "1"])?
        .expect(0)?;
    let wanted = ["api:v1", "api:v2", "api:v5", "web:v1", "web:v2", "web:v5"];
    assert_eq!(shelf.left()?, wanted);
    let kept = item(&done, &shelf.name("web", "v2"))?;
    assert!(kept["reasons"].to_string().contains("staging"), "{kept}");
    Ok(())
}

#[test]
fn when_it_is_not_known_what_is_held_nothing_goes() -> Result<()> {
    let shelf = five()?;
    let all = shelf.left()?;
    for (environment, text) in [
        ("production", "{\"releases\": [{\"tag\":"),
        ("production", "{}"),
        ("production", "{\"releases\": []}"),
        ("staging", "[7]"),
        ("staging", ""),
    ] {
        shelf.note(environment, text)?;
        let ended = shelf
            .prune(&["images", "--keep-releases", "1"])?
            .expect(13)?;
        assert!(
            ended.message().contains("releases.json"),
            "{}",
            ended.message()
        );
        assert_eq!(shelf.left()?, all);
        fs::remove_file(
            shelf
                .dir
                .path()
                .join(environment)
                .join("state/releases.json"),
        )?;
    }
    Ok(())
}
