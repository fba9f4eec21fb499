//! End-to-end tests: the built tools against real PostgreSQL, Docker and file systems.
//!
//! Run them with `make e2e`, or with `$TH_BIN_DIR` naming the directory of the built tools.

mod backup_death;
mod backup_failures;
mod backup_gate;
mod backup_round;
mod backup_secrets;
mod backup_space;
mod config;
mod restore_by_hand;
mod restore_damage;
mod restore_death;
mod restore_refusals;
mod restore_round;
mod setup;
mod swap_boot;
mod swap_canary;
mod swap_canary_users;
mod swap_chain;
mod swap_database;
mod swap_death;
mod swap_doctor;
mod swap_front;
mod swap_hold;
mod swap_load;
mod swap_maintenance;
mod swap_reload;
mod swap_round;
mod swap_scripts;
mod swap_space;
