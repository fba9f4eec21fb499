//! Whether a release works with the database as it is now.

use std::time::Duration;

use th_cli::Run;
use th_config::Server;
use th_docker::Docker;
use th_record::Id;

use crate::context::Context;
use crate::releases::Release;
use crate::schema::{self, Schema};
use crate::{Error, watch};

/// What the process that holds has seen of the head is trusted for this long.
const HEAD_AGE: Duration = Duration::from_secs(10);

/// How long the engine may take to answer, if the database is in a container: users wait.
const ENGINE: Duration = Duration::from_secs(2);

/// Refuses when the database has moved past what the release was seen to work with. `set` was made
/// right before the release that came after it.
pub(super) fn check(
    context: &Context,
    run: &mut Run,
    target: &Release,
    set: Option<&Id>,
) -> Result<(), Error> {
    if context.env.database.is_none() {
        return Ok(());
    }
    let noted = match watch::is_marked(&context.state)? {
        true => schema::noted(context, HEAD_AGE),
        false => None,
    };
    let head = match noted.map_or_else(|| ask(context, run), Ok) {
        Ok(head) => head,
        Err(error) => {
            run.warn(format!(
                "it is not known what the database's schema is: {error}"
            ));
            return Ok(());
        }
    };
    match head {
        Some(head) if target.heads.is_empty() => {
            run.warn(format!(
                "it is not known whether '{}' works with the database at {head}: nobody has seen it",
                target.tag
            ));
            Ok(())
        }
        Some(head) if !target.heads.contains(&head) => Err(Error::Schema {
            tag: target.tag.clone(),
            head,
            heads: target.heads.clone(),
            environment: context.name.clone(),
            set: set.cloned(),
        }),
        _ => Ok(()),
    }
}

/// Asks the database for its head.
fn ask(context: &Context, run: &Run) -> Result<Option<String>, Error> {
    let server = context.env.database.as_ref().map(|it| &it.server);
    if let Some(Server::Container(_) | Server::Compose { .. }) = server {
        Docker::connect_within(ENGINE)?;
    }
    let schema = Schema::connect_within(context, run.cancel(), schema::HURRY)?;
    schema.map_or(Ok(None), |mut schema| schema.head())
}
