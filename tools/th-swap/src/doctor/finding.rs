//! Making findings.

use th_record::kind::{Severity, SwapFinding};

/// Makes a finding.
pub(super) fn finding(
    severity: Severity,
    name: &str,
    subject: impl Into<String>,
    found: impl Into<String>,
    fix: impl Into<String>,
) -> SwapFinding {
    SwapFinding {
        name: name.to_owned(),
        severity,
        subject: subject.into(),
        found: found.into(),
        fix: fix.into(),
    }
}

/// A release, a reload or a reboot will lose requests, or fail.
pub(super) fn problem(
    name: &str,
    subject: impl Into<String>,
    found: impl Into<String>,
    fix: impl Into<String>,
) -> SwapFinding {
    finding(Severity::Problem, name, subject, found, fix)
}

/// It works, but only as long as nothing else goes wrong.
pub(super) fn advice(
    name: &str,
    subject: impl Into<String>,
    found: impl Into<String>,
    fix: impl Into<String>,
) -> SwapFinding {
    finding(Severity::Advice, name, subject, found, fix)
}
