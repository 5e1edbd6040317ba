//! `labelstream completions`: completions for a shell.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Arguments, print};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # bash: as long as this shell goes on, and for good
  source <(labelstream completions bash)
  echo 'source <(labelstream completions bash)' >> ~/.bashrc
  # zsh, with ~/.zfunc in fpath before compinit
  labelstream completions zsh > ~/.zfunc/_labelstream
  # fish
  labelstream completions fish > ~/.config/fish/completions/labelstream.fish
  # PowerShell
  labelstream completions powershell >> $PROFILE

Exit status: 0 done, 2 wrong use.")]
pub struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

pub fn completions(arguments: CompletionsArguments) -> ExitCode {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Arguments::command(), env!("CARGO_PKG_NAME"), &mut script);
    print(&String::from_utf8_lossy(&script), ExitCode::SUCCESS)
}
