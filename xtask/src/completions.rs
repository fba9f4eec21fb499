//! Completions for bash, zsh and fish, named as their shells look for them.

use clap::Command;
use clap_complete::Shell;

use crate::generated::Generated;

/// Adds the completions of `tool`.
pub(crate) fn add(tool: &Command, generated: &mut Generated) -> anyhow::Result<()> {
    let name = tool.get_name().to_owned();
    for (shell, path) in [
        (Shell::Bash, format!("completions/bash/{name}")),
        (Shell::Zsh, format!("completions/zsh/_{name}")),
        (Shell::Fish, format!("completions/fish/{name}.fish")),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut tool.clone(), &name, &mut script);
        generated.add(path, String::from_utf8(script)?);
    }
    Ok(())
}
