//! Deciding about JSON lines from stdin: the sets of any store, or the backups of any tool.

use std::collections::HashSet;
use std::io::{self, BufRead, IsTerminal};

use chrono::{DateTime, SubsecRound, Utc};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use th_cli::{Outcome, Run};
use th_record::kind::{Pruned, SetAction, SetState};
use th_record::{Level, Record, Refusal, Status, Tag};
use th_store::{Scope, Source};

use crate::plan::{Candidate, decide};
use crate::policy::Policy;
use crate::policy_args::PolicyArgs;
use crate::{Args, Error, item, summary};

/// A line. What it does not say, or says otherwise than sets do, is taken as harmless: complete, not
/// proven, not pinned.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(deserialize_with = "id")]
    id: String,
    started_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "if_ours")]
    state: Option<SetState>,
    #[serde(default, deserialize_with = "if_ours")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "if_ours")]
    environment: Option<String>,
    #[serde(default, deserialize_with = "if_ours")]
    database: Option<String>,
    #[serde(default, deserialize_with = "if_ours")]
    files: Option<u64>,
    #[serde(default, deserialize_with = "if_ours")]
    status: Option<Status>,
    #[serde(default, deserialize_with = "if_ours")]
    proof: Option<Level>,
    #[serde(default, deserialize_with = "if_ours")]
    pinned: Option<bool>,
    #[serde(default, deserialize_with = "if_ours")]
    tags: Option<Vec<Label>>,
}

/// Reads an id, which other tools may have as a number.
fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom("the id is neither text nor a number")),
    }
}

/// Reads a field that other tools may use for something else.
fn if_ours<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}

/// A tag, as sets have them or as other tools do.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Label {
    Tag(Tag),
    Text(String),
}

/// What the input tells of.
#[derive(Debug, Default)]
struct Input {
    candidates: Vec<Candidate>,
    unreadable: Vec<Line>,
    ids: HashSet<String>,
}

/// Decides about what stdin lists.
pub(crate) fn filter(args: &Args, run: &mut Run, policy: &PolicyArgs) -> Result<Outcome, Error> {
    let target = &args.target;
    let (keys, scope) = match target.env.is_some() || target.config.is_some() {
        true => match target.resolve() {
            Ok(env) => (env.retention, Scope(env.name)),
            // $TH_CONFIG is there for all tools: it does not say that one of its environments is meant.
            Err(th_config::Error::Unnamed { .. }) => Default::default(),
            Err(error) => return Err(error.into()),
        },
        false => Default::default(),
    };
    let policy = Policy::new(policy, &keys)?;
    if io::stdin().is_terminal() {
        return Err(Error::Usage(
            "'-' reads lines from a pipe, but stdin is a terminal",
        ));
    }
    let input = read(io::stdin().lock(), &scope)?;
    let plan = decide(input.candidates, &policy, Utc::now().trunc_subsecs(0));
    let mut totals = Pruned {
        policy: policy.words(),
        unreadable_count: input.unreadable.len() as u64,
        ..Pruned::default()
    };
    for decision in &plan.decisions {
        let item = item::set(decision);
        match item.action {
            SetAction::Keep => totals.kept_count += 1,
            SetAction::Delete | SetAction::Purge => totals.deleted_count += 1,
        }
        run.item(&item, &summary::set(&item));
    }
    for line in &input.unreadable {
        let reason = line.reason.as_deref().unwrap_or("it cannot be read");
        let item = item::unreadable(&line.id, line.started_at, reason);
        run.item(&item, &summary::set(&item));
    }
    totals.newest_complete = plan.newest_complete();
    totals.newest_proven = plan.newest_proven();
    let outcome = Outcome::plan("pruned", &totals, summary::pruned(&totals));
    Ok(summary::refuse(outcome, &plan, &totals))
}

fn read(input: impl BufRead, scope: &Scope) -> Result<Input, Error> {
    let mut found = Input::default();
    for (number, line) in input.lines().enumerate() {
        let line = line.map_err(|error| Error::line(number, format!("cannot be read: {error}")))?;
        if !line.trim().is_empty() {
            found.add(number, &line, scope)?;
        }
    }
    Ok(found)
}

impl Input {
    fn add(&mut self, number: usize, text: &str, scope: &Scope) -> Result<(), Error> {
        let bad =
            |error: serde_json::Error| Error::line(number, format!("is no such line: {error}"));
        let value: Value = serde_json::from_str(text).map_err(bad)?;
        // A record at the end of a list: if it failed, the list is not whole.
        if value.get("tool").is_some() && value.get("run").is_some() {
            let record: Record<Value> = serde_json::from_value(value).map_err(bad)?;
            return match record.error {
                Some(error) => Err(Refusal::Failed {
                    tool: record.tool,
                    message: error.message,
                }
                .into()),
                None => Ok(()),
            };
        }
        let line: Line = serde_json::from_value(value).map_err(bad)?;
        if !self.ids.insert(line.id.clone()) {
            return Err(Error::line(number, format!("repeats the id '{}'", line.id)));
        }
        match (line.started_at, line.state) {
            (Some(started_at), None | Some(SetState::Readable)) => {
                self.candidates.push(line.candidate(started_at, scope));
            }
            (_, Some(SetState::Unreadable | SetState::Newer)) => self.unreadable.push(line),
            (None, _) => return Err(Error::line(number, "has no started_at".to_owned())),
        }
        Ok(())
    }
}

impl Line {
    fn candidate(self, started_at: DateTime<Utc>, scope: &Scope) -> Candidate {
        let source = Source {
            environment: self.environment,
            database: self.database,
            has_files: self.files.is_some(),
        };
        let tags = self.tags.into_iter().flatten().map(|label| match label {
            Label::Tag(Tag { name, value }) => format!("{name}={value}"),
            Label::Text(text) => text,
        });
        Candidate {
            id: self.id,
            started_at,
            group: scope.group(source),
            complete: self.status != Some(Status::Degraded),
            level: self.proof,
            pinned: self.pinned.unwrap_or(false),
            tags: tags.collect(),
            in_use: false,
        }
    }
}

impl Error {
    fn line(number: usize, problem: String) -> Self {
        Self::Line {
            line: number + 1,
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Result<Vec<String>, Error> {
        let input = read(text.as_bytes(), &Scope::default())?;
        Ok(input.candidates.into_iter().map(|it| it.id).collect())
    }

    #[test]
    fn an_id_and_a_time_are_enough() {
        let text = "{\"id\":\"a\",\"started_at\":\"2026-11-23T02:00:00+01:00\"}\n\n\
                    {\"id\":\"b\",\"started_at\":\"2026-11-23T02:00:00.123456Z\",\"size\":1,\
                    \"tags\":[\"x\"],\"status\":\"success\",\"state\":3,\"pinned\":\"no\"}";
        assert_eq!(ids(text).unwrap(), ["a", "b"]);
        assert_eq!(ids("").unwrap(), [""; 0]);
    }

    #[test]
    fn an_id_may_be_a_number_and_a_line_may_name_its_tool() {
        let text = "{\"id\":17,\"started_at\":\"2026-11-23T02:00:00Z\",\"tool\":\"pg_dump\"}\n\
                    {\"id\":\"b\",\"started_at\":\"2026-11-23T02:00:00Z\",\"run\":3}";
        assert_eq!(ids(text).unwrap(), ["17", "b"]);
        let twice = "{\"id\":17,\"started_at\":\"2026-11-23T02:00:00Z\"}\n\
                     {\"id\":\"17\",\"started_at\":\"2026-11-23T02:00:00Z\"}";
        assert!(ids(twice).is_err());
    }

    #[test]
    fn what_a_line_is_a_backup_of_tells_its_group() {
        let line = |id: &str, more: &str| {
            format!("{{\"id\":\"{id}\",\"started_at\":\"2026-11-23T02:00:00Z\"{more}}}\n")
        };
        let text = [
            line("a", ""),
            line("b", ",\"environment\":\"a\""),
            line("c", ",\"files\":null"),
            line("d", ",\"files\":0,\"database\":\"d\""),
        ];
        let text = text.concat();
        let of = |name: Option<&str>| {
            let input = read(text.as_bytes(), &Scope(name.map(str::to_owned))).unwrap();
            let groups: Vec<_> = input.candidates.into_iter().map(|it| it.group).collect();
            groups
        };
        let groups = of(None);
        assert_eq!(groups[0], Some(Source::default()));
        assert_eq!(groups[2], groups[0]);
        assert!(
            groups[1] != groups[0] && groups[3] != groups[0],
            "{groups:?}"
        );
        // Those that name no environment are taken as the one's that is pruned.
        assert_eq!(of(Some("a"))[0], of(Some("a"))[1]);
        assert_eq!(of(Some("b"))[1], None);
        assert!(of(Some("b"))[0].is_some());
    }

    #[test]
    fn what_is_no_such_line_is_named() {
        let good = "{\"id\":\"a\",\"started_at\":\"2026-11-23T02:00:00Z\"}\n";
        for bad in [
            "nonsense",
            "[1]",
            "{}",
            "{\"id\":\"b\"}",
            "{\"id\":\"b\",\"started_at\":\"yesterday\"}",
            "{\"id\":\"b\",\"started_at\":null}",
            good,
        ] {
            match ids(&format!("{good}{bad}")) {
                Err(Error::Line { line: 2, .. }) => {}
                other => panic!("{bad}: {other:?}"),
            }
        }
    }
}
