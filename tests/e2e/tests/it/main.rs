//! End-to-end tests: the built tools against real PostgreSQL, Docker and file systems.
//!
//! Run them with `make e2e`, or with `$TH_BIN_DIR` naming the directory of the built tools.

mod backup_death;
mod backup_failures;
mod backup_gate;
mod backup_options;
mod backup_round;
mod backup_secrets;
mod backup_space;
mod compose;
mod config;
mod container_failures;
mod golden;
mod memory;
mod proof_death;
mod prune_databases;
mod prune_docker;
mod prune_docker_free;
mod prune_docker_shelf;
mod prune_sets;
mod prune_sets_death;
mod prune_sets_gates;
mod prune_sets_meanwhile;
mod prune_sets_nightly;
mod prune_sets_restic;
mod prune_sets_store;
mod restore_by_hand;
mod restore_damage;
mod restore_death;
mod restore_doubt;
mod restore_list;
mod restore_options;
mod restore_refusals;
mod restore_round;
mod restore_signals;
mod restore_space;
mod setup;
mod terminal;
