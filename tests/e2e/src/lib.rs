//! End-to-end tests against real services; all of them are in `tests/it`.
