//! The person who operates the shop's flags: by the commands of this program, shown as they are typed.

use crate::audience::Audience;
use crate::estate;
use crate::failure::DemoError;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// Types commands.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    binary: PathBuf,
    url: String,
    audience: Audience,
}

/// What a command has answered.
struct Answer {
    good: bool,
    told: String,
}

impl Operator {
    pub(crate) fn new(binary: &Path, url: &str, audience: Audience) -> Self {
        Self { binary: binary.into(), url: url.into(), audience }
    }

    /// What a person sets before typing the same commands.
    pub(crate) fn variables(url: &str) -> [(&'static str, String); 4] {
        [
            ("YARDARM_URL", url.into()),
            ("YARDARM_APPLICATION", estate::APPLICATION.into()),
            ("YARDARM_ENVIRONMENT", estate::ENVIRONMENT.into()),
            ("YARDARM_PROFILE", estate::PROFILE.into()),
        ]
    }

    /// Types a command that shall do what it says.
    ///
    /// # Errors
    /// It does not.
    pub(crate) async fn types(&self, arguments: &[&str]) -> Result<(), DemoError> {
        let answer = self.run(arguments).await?;
        if answer.good {
            return Ok(());
        }
        Err(DemoError::Command { command: shown(arguments), told: answer.told })
    }

    /// Types a command that shall be refused. Answers why it was.
    ///
    /// # Errors
    /// It was not.
    pub(crate) async fn types_in_vain(&self, arguments: &[&str]) -> Result<String, DemoError> {
        let answer = self.run(arguments).await?;
        if answer.good {
            return Err(DemoError::Otherwise(format!("`{}` was not refused", shown(arguments))));
        }
        Ok(answer.told)
    }

    async fn run(&self, arguments: &[&str]) -> Result<Answer, DemoError> {
        self.audience.tell(&format!("  $ {}", shown(arguments)));
        let mut command = Command::new(&self.binary);
        // Nothing that is meant for another server.
        for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "YARDARM_TOKEN", "YARDARM_STRATEGY"] {
            command.env_remove(variable);
        }
        let output = command
            .args(arguments)
            .envs(Self::variables(&self.url))
            .env("AWS_REGION", estate::REGION)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(DemoError::machine("a command cannot be run"))?;
        let told = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        let told = told.concat();
        for line in told.lines() {
            self.audience.tell(&format!("    {line}"));
        }
        Ok(Answer { good: output.status.success(), told })
    }
}

/// A command as it is typed.
fn shown(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| {
        if argument.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./:@,+".contains(c)) {
            (*argument).to_owned()
        } else {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
    });
    format!("yardarm {}", quoted.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_command_is_shown_as_a_shell_takes_it() {
        assert_eq!(
            shown(&["flag", "set", "a", "name=it's me", "n=2"]),
            r"yardarm flag set a 'name=it'\''s me' n=2"
        );
    }
}
