//! The foot-guns of a release without downtime, each with a fix.

mod containers;
mod finding;
mod identity;
mod observe;
mod ports;
mod program;
mod scope;
mod settings;
mod sockets;
mod web_server;

use th_cli::{Outcome, printable};
use th_config::Mode;
use th_record::ErrorKind;
use th_record::kind::{Severity, SwapDoctor, SwapFinding, SwapUnchecked};

use crate::Error;
use crate::context::Context;

pub(crate) use observe::barrier;

/// Looks the set-up over, and says what it found.
pub(crate) fn doctor(context: &Context) -> Result<Outcome, Error> {
    let doctor = examine(context)?;
    let outcome = Outcome::done("swap_doctor", &doctor, table(&doctor));
    let problems: Vec<&SwapFinding> = problems(&doctor).collect();
    Ok(match problems.first() {
        None => outcome,
        Some(first) => {
            let message = format!(
                "{} problems, first {}: {}",
                problems.len(),
                first.name,
                first.found
            );
            outcome.but(ErrorKind::Negative, message, Some(first.fix.clone()))
        }
    })
}

/// Returns the findings that a release is warned of, each in a line.
pub(crate) fn warnings(doctor: &SwapDoctor) -> Vec<String> {
    let lines = problems(doctor).map(|finding| {
        format!(
            "{} ({}): {}; fix: {}",
            finding.name, finding.subject, finding.found, finding.fix
        )
    });
    lines.collect()
}

fn problems(doctor: &SwapDoctor) -> impl Iterator<Item = &SwapFinding> {
    let findings = doctor.findings.iter();
    findings.filter(|finding| finding.severity == Severity::Problem)
}

/// Looks the set-up over.
pub(crate) fn examine(context: &Context) -> Result<SwapDoctor, Error> {
    let mut unchecked = Vec::new();
    let nginx = observe::nginx(context, &mut unchecked);
    let mut findings = nginx.findings;
    if let Some(server) = nginx.seen.as_ref().map(|seen| seen.server(context)) {
        findings.extend(server.findings());
    }
    match context.slots.mode {
        Mode::Lanes => findings.extend(observe::sockets(context, nginx.worker)?.findings()),
        Mode::Reload => findings.extend(ports::findings(context)?),
    }
    for service in observe::containers(context, nginx.seen.as_ref(), &mut unchecked)? {
        findings.extend(service.findings(context.slots.mode));
    }
    findings.extend(settings::findings(context));
    findings.extend(observe::memory(context, &mut unchecked));
    findings.sort_by_key(|finding| finding.severity);
    Ok(SwapDoctor {
        findings,
        unchecked,
    })
}

/// Shows it to a person.
fn table(doctor: &SwapDoctor) -> String {
    let mut lines = Vec::new();
    for finding in &doctor.findings {
        let SwapFinding {
            name,
            severity,
            subject,
            found,
            fix,
        } = finding;
        lines.push(format!(
            "{:8} {name:24} {}",
            severity.name(),
            printable(subject)
        ));
        lines.push(format!("{:8} {}", "", printable(found)));
        lines.push(format!("{:8} fix: {}", "", printable(fix)));
    }
    for SwapUnchecked { subject, reason } in &doctor.unchecked {
        lines.push(format!(
            "unknown  {}: {}",
            printable(subject),
            printable(reason)
        ));
    }
    let count = |severity| {
        let with = doctor.findings.iter().filter(|it| it.severity == severity);
        with.count()
    };
    lines.push(format!(
        "{} problems, {} pieces of advice, {} not looked at",
        count(Severity::Problem),
        count(Severity::Advice),
        doctor.unchecked.len()
    ));
    lines.join("\n")
}
