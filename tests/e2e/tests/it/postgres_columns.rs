//! Queries of the app's own: whatever their columns are called, the first is the answer.

use std::fs;

use anyhow::Result;
use th_kit::Server;

use crate::setup::{Home, bulk, cluster, files};

#[test]
fn the_first_column_is_the_answer_though_another_is_called_so() -> Result<()> {
    let server = cluster()?;
    let database = server.database_with(
        "columns",
        &format!(
            "{} CREATE TABLE documents AS SELECT 'none' AS id, 'elsewhere' AS path",
            bulk(10)
        ),
    )?;
    let files = files()?;
    let home = Home::new(&format!(
        "app = \"a\"\n[env.test]\nroot = \".\"\n[env.test.database]\nurl = \"{}\"\n\
         [env.test.files]\nuploads = \"{}\"\n\
         references = \"SELECT id, path FROM documents\"\n\
         [env.test.backup]\nstore = \"store\"\n\
         app_query = \"SELECT true AS ok, 1 AS answer\"\n",
        server.url(&database),
        files.path().display()
    ))?;
    fs::create_dir(home.path().join("store"))?;
    let made = home.backup(&["--prove", "app"])?.expect(0)?;
    assert_eq!(
        made.data()["references"]["missing_count"],
        0,
        "{}",
        made.record
    );
    assert_eq!(made.data()["proof"], "app");
    Ok(())
}
