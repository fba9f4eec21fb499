//! Names of images.

/// Splits the name of an image, `registry:5000/app-api:v1`, into its repository and its tag. What
/// follows an `@`, its digest, is of neither.
pub fn split_name(name: &str) -> (&str, Option<&str>) {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        // Else it is the port of a registry.
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_and_a_digest_are_no_tag() {
        for (name, parts) in [
            ("app", ("app", None)),
            ("app:v1", ("app", Some("v1"))),
            ("reg:5000/x/app", ("reg:5000/x/app", None)),
            ("reg:5000/x/app:v1", ("reg:5000/x/app", Some("v1"))),
            ("app@sha256:00", ("app", None)),
            ("app:v1@sha256:00", ("app", Some("v1"))),
        ] {
            assert_eq!(split_name(name), parts, "{name}");
        }
    }
}
