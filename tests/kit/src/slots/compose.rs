//! The compose file of a slot.

/// The first service; others follow.
const COMPOSE: &str = r#"version: "2.4"
services:
  api:
    image: @IMAGE@:${TH_TAG:?}
    environment:
      TH_SLOT: ${TH_SLOT:?}
      TH_TAG: ${TH_TAG:?}
    env_file: ${TH_ENV_FILE:?}
    network_mode: none
    mem_limit: 64m
    memswap_limit: 64m
    stop_grace_period: 3s
    stop_signal: SIGTERM
    volumes:
      - ${TH_ROOT:?}/run/${TH_SLOT:?}:/run/th
      - ${TH_ROOT:?}/witness:/witness:ro
    labels:
      th.app: @APP@
"#;

/// A second service with traffic.
pub(super) const WEB: &str = r#"  web:
    image: @IMAGE@:${TH_TAG:?}
    environment:
      SERVICE: web
      TH_SLOT: ${TH_SLOT:?}
      TH_TAG: ${TH_TAG:?}-web
    network_mode: none
    stop_grace_period: 3s
    volumes:
      - ${TH_ROOT:?}/run/${TH_SLOT:?}:/run/th
      - ${TH_ROOT:?}/witness:/witness:ro
    labels:
      th.app: @APP@
"#;

/// The service that must not run twice.
pub(super) const WORKER: &str = r#"  worker:
    image: @IMAGE@:${TH_TAG:?}
    environment:
      SERVICE: worker
      TH_SLOT: ${TH_SLOT:?}
      TH_TAG: ${TH_TAG:?}-worker
    network_mode: none
    volumes:
      - ${TH_ROOT:?}/run/${TH_SLOT:?}:/run/th
      - ${TH_ROOT:?}/witness:/witness:ro
    labels:
      th.app: @APP@
"#;

/// Fills in the file of the app `name`, with the service `more`.
pub(super) fn of(name: &str, more: &str) -> String {
    let text = COMPOSE.to_owned() + more;
    text.replace("@APP@", name).replace("@IMAGE@", name)
}
