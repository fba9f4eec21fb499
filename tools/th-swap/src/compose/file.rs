//! The compose file as compose understands it, and prints it: a service at two spaces, its keys at four.

/// Returns the services in `config`, each with its image. Those without one [`without_image`] tells.
pub(crate) fn images(config: &str) -> Vec<(String, String)> {
    let services = services(config).into_iter();
    services
        .filter_map(|(service, image)| Some((service, image?)))
        .collect()
}

/// Returns the first service in `config` that has no image: it would have to be built.
pub(super) fn without_image(config: &str) -> Option<String> {
    let mut services = services(config).into_iter();
    services.find_map(|(service, image)| image.is_none().then_some(service))
}

fn services(config: &str) -> Vec<(String, Option<String>)> {
    let (mut inside, mut found) = (false, Vec::<(String, Option<String>)>::new());
    let bare = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    for line in config.lines() {
        let text = line.trim_start();
        match line.len() - text.len() {
            0 => inside = text.trim_end() == "services:",
            2 if inside => {
                // One of which nothing is said is `name: {}`.
                let name = text.split_once(": ").map_or(text, |(name, _)| name);
                found.push((bare(name.trim_end().trim_end_matches(':')), None));
            }
            4 if inside => {
                if let (Some((_, image)), Some(value)) =
                    (found.last_mut(), text.strip_prefix("image:"))
                {
                    *image = Some(bare(value));
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_found_as_both_versions_of_compose_print_them() {
        let config = "name: app\nservices:\n  api:\n    environment:\n      image: no\n    image: app-api:v2\n  web:\n    image: 'app-web:v2'\nnetworks:\n  web:\n    image: none\n";
        let wanted = [("api", "app-api:v2"), ("web", "app-web:v2")];
        let wanted = wanted.map(|(service, image)| (service.to_owned(), image.to_owned()));
        assert_eq!(images(config), wanted);
        assert_eq!(without_image(config), None);
    }

    #[test]
    fn a_service_that_is_only_built_is_told() {
        let jobs = "services:\n  api:\n    image: app-api:v2\n  'jobs':\n    build:\n      context: /srv\n      image: no\n";
        assert_eq!(without_image(jobs).as_deref(), Some("jobs"));
        let empty = "services:\n  jobs: {}\n  api:\n    image: app-api:v2\n";
        assert_eq!(without_image(empty).as_deref(), Some("jobs"));
    }
}
