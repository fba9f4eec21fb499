//! Pruning the sets of a store: to the trash, then for good, then the packs that none needs.

use std::collections::HashSet;

use chrono::{DateTime, SubsecRound, Utc};
use th_cli::{Outcome, Run};
use th_record::kind::{PruneSet, Pruned, SetAction};
use th_record::{ErrorKind, Fail, Failure, Id, Status};
use th_store::{Listed, Pruner, Scope, SetRef, Store, Survey};

use crate::context::Context;
use crate::floor::Floor;
use crate::plan::{Candidate, Decision, Freeze, Plan, decide};
use crate::policy::Policy;
use crate::policy_args::PolicyArgs;
use crate::{Error, item, packs, summary, trash};

/// What the parts of a prune share.
pub(crate) struct Prune<'a> {
    pub(crate) run: &'a mut Run,
    pub(crate) policy: Policy,
    pub(crate) scope: Scope,
    pub(crate) store: Store,
    /// None when only planning.
    pub(crate) pruner: Option<Pruner>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) freeze: Freeze,
    pub(crate) totals: Pruned,
    /// Sets that are gone for good.
    pub(crate) gone: HashSet<Id>,
    pub(crate) changed: bool,
}

/// Prunes the sets of the store.
pub(crate) fn sets(context: &Context, run: &mut Run, args: &PolicyArgs) -> Result<Outcome, Error> {
    let policy = Policy::new(args, &context.env.retention)?;
    let store = context.store()?;
    let _lock = context.lock(run)?;
    let pruner = context.pruner(&store, run)?;
    let untidy = match &pruner {
        Some(pruner) => tidy(run, pruner)?,
        None => 0,
    };
    let scope = Scope(context.env.name.clone());
    let mut survey = store.survey()?;
    let now = Utc::now().trunc_subsecs(0);
    let mut seen = HashSet::new();
    let plan = loop {
        let plan = observe(&store, &survey.sets, &scope, &policy, now);
        if !distrust(&store, &mut survey.sets, &plan, &mut seen) {
            break plan;
        }
    };
    let mut prune = Prune {
        freeze: plan.freeze.clone(),
        totals: Pruned {
            store: Some(store.path().to_string_lossy().into_owned()),
            policy: policy.words(),
            newest_complete: plan.newest_complete(),
            newest_proven: plan.newest_proven(),
            failed_count: untidy,
            ..Pruned::default()
        },
        run,
        policy,
        scope,
        store,
        pruner,
        now,
        gone: HashSet::new(),
        changed: false,
    };
    match prune.all(&plan, survey) {
        // Some is done: that is another failure than none.
        Err(error) if prune.changed && !matches!(error, Error::Cancelled) => {
            prune.totals.failed_count += 1;
            let message = Failure::of(&error).message;
            Ok(prune
                .outcome(&plan)
                .but(ErrorKind::Partial, message, error.hint()))
        }
        result => result.map(|()| prune.outcome(&plan)),
    }
}

/// Removes what dead runs have left, and returns how much of it could not be.
fn tidy(run: &mut Run, pruner: &Pruner) -> Result<u64, Error> {
    let sweep = pruner.tidy()?;
    for swept in sweep.swept {
        run.swept(swept.path.display());
    }
    for error in &sweep.failed {
        run.warn(format!(
            "cannot remove what dead runs have left: {}",
            Failure::of(error).message
        ));
    }
    Ok(sweep.failed.len() as u64)
}

/// Looks closely at the proven sets that stay, for others go because of them: each must be one that
/// a restore would take. Tells whether any was not; it is unreadable then. Packs are `seen` once.
fn distrust(store: &Store, sets: &mut [Listed], plan: &Plan, seen: &mut HashSet<String>) -> bool {
    let stays = plan.decisions.iter().filter(|decision| decision.stays());
    let stays: HashSet<&str> = stays.map(|it| it.candidate.id.as_str()).collect();
    let mut found = false;
    for listed in sets {
        let set = listed.set().filter(|set| set.proof.is_some());
        if let Some(set) = set.filter(|set| stays.contains(set.id.as_str()))
            && let Err(unreadable) = store.check(&set.id, seen)
        {
            *listed = Listed::Unreadable(unreadable);
            found = true;
        }
    }
    found
}

/// Decides, and decides again if any that would go is being read.
fn observe(
    store: &Store,
    sets: &[Listed],
    scope: &Scope,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Plan {
    let sets = sets.iter().filter_map(Listed::set);
    let candidates = sets.map(|set| Candidate::of(set, scope));
    let mut plan = decide(candidates.collect(), policy, now);
    let mut read = false;
    for decision in &mut plan.decisions {
        let goes = !decision.stays();
        let candidate = &mut decision.candidate;
        candidate.in_use = goes && candidate.id.parse().is_ok_and(|id| store.is_in_use(&id));
        read |= candidate.in_use;
    }
    if !read {
        return plan;
    }
    let candidates = plan
        .decisions
        .into_iter()
        .map(|decision| decision.candidate);
    decide(candidates.collect(), policy, now)
}

impl Candidate {
    fn of(set: &SetRef, scope: &Scope) -> Self {
        Self {
            id: set.id.to_string(),
            started_at: set.started_at,
            group: scope.group(set.source()),
            complete: set.status == Status::Complete,
            level: set.level(),
            pinned: set.pinned,
            tags: (set.tags.iter())
                .map(|tag| format!("{}={}", tag.name, tag.value))
                .collect(),
            in_use: false,
        }
    }
}

impl Prune<'_> {
    /// Deals with the sets, then with the trash, then with the packs.
    fn all(&mut self, plan: &Plan, mut survey: Survey) -> Result<(), Error> {
        for decision in &plan.decisions {
            self.set(decision)?;
        }
        for listed in &survey.sets {
            if let Listed::Unreadable(it) = listed {
                self.totals.unreadable_count += 1;
                self.run.warn(format!("'{}' stays: {}", it.name, it.reason));
                self.print(&item::unreadable(&it.name, it.started_at, &it.reason));
            }
        }
        trash::empty(self, &survey.trash)?;
        match self.pruner {
            None => survey.forget(&self.gone),
            // Sets that went to the trash are elsewhere now.
            Some(_) => survey = self.store.survey()?,
        }
        packs::packs(self, &survey)
    }

    /// Moves a set to the trash, if it is to go, and with no grace on from there.
    fn set(&mut self, decision: &Decision) -> Result<(), Error> {
        let mut item = item::set(decision);
        if item.action == SetAction::Delete && self.policy.grace.is_zero() {
            item.action = SetAction::Purge;
        }
        if item.action != SetAction::Keep {
            self.check()?;
            if let Err(error) = self.remove(&mut item) {
                self.fail(&mut item.error, &error);
            }
        }
        self.totals.kept_count += u64::from(item.action == SetAction::Keep);
        self.print(&item);
        Ok(())
    }

    fn remove(&mut self, item: &mut PruneSet) -> Result<(), th_store::Error> {
        let id: Id = (item.set.parse()).map_err(|_| th_store::Error::NotFound(item.set.clone()))?;
        if let Some(pruner) = &self.pruner {
            if !pruner.discard(&id, self.now)? {
                item.action = SetAction::Keep;
                item.blocked_by.push(Floor::InUse.name().to_owned());
                item.reasons = vec![Floor::InUse.reason().to_owned()];
                return Ok(());
            }
            self.did(format!("moved '{id}' to the trash"));
        }
        self.totals.deleted_count += 1;
        self.totals.trash_count += 1;
        if item.action == SetAction::Purge {
            self.purge_discarded(&id)?;
            self.totals.trash_count -= 1;
        }
        Ok(())
    }

    /// Notes that something was changed.
    pub(crate) fn did(&mut self, step: String) {
        self.run.done(step);
        self.run.changed();
        self.changed = true;
    }

    /// Stops between two steps, if asked to.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.run.cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Notes why something could not be done.
    pub(crate) fn fail(&mut self, noted: &mut Option<String>, error: &dyn Fail) {
        self.totals.failed_count += 1;
        *noted = Some(Failure::of(error).message);
    }

    pub(crate) fn print(&self, item: &PruneSet) {
        self.run.item(item, &summary::set(item));
    }

    fn outcome(&self, plan: &Plan) -> Outcome {
        let totals = &self.totals;
        let summary = summary::pruned(totals);
        let outcome = match &self.pruner {
            None => Outcome::plan("pruned", totals, summary),
            Some(_) => Outcome::done("pruned", totals, summary),
        };
        summary::refuse(outcome, plan, totals)
    }
}
