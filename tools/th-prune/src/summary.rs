//! What is said to a person instead of the record.
