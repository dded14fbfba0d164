//! Extensions and functions that say what a test wants them to.

use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};
use yardarm_domain::{ActionPoint, Failure};
use yardarm_node::{About, ActionAnswer, ActionCall, FunctionCall, NoAnswer, Outside};

/// What was asked, as a test wants to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What was called.
    pub uri: String,
    /// When in the work.
    pub point: Option<ActionPoint>,
    /// The call's id.
    pub id: String,
    /// The content that was shown, if any.
    pub content: Option<String>,
    /// The parameters, as `name=value`.
    pub parameters: Vec<String>,
}

type Script = dyn FnMut(&Asked) -> Result<ActionAnswer, NoAnswer> + Send;

/// Answers as a script says, and remembers what was asked. Clones are the same.
#[derive(Clone)]
pub struct ScriptedOutside {
    script: Arc<Mutex<Box<Script>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ScriptedOutside {
    /// Answers by `script`.
    pub fn new(script: impl FnMut(&Asked) -> Result<ActionAnswer, NoAnswer> + Send + 'static) -> Self {
        Self { script: Arc::new(Mutex::new(Box::new(script))), asked: Arc::default() }
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why there is no answer.
    #[must_use]
    pub fn failure(code: &str, may_pass: bool) -> NoAnswer {
        NoAnswer { failure: Failure { code: code.into(), message: format!("{code} happened") }, may_pass }
    }

    fn answer(&self, asked: Asked) -> Result<ActionAnswer, NoAnswer> {
        let answer = (self.script.lock().unwrap_or_else(PoisonError::into_inner))(&asked);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        answer
    }
}

#[async_trait]
impl Outside for ScriptedOutside {
    fn reaches(&self, uri: &str) -> Result<(), Failure> {
        if uri.starts_with("arn:") {
            Err(Self::failure("TargetNotConfigured", false).failure)
        } else {
            Ok(())
        }
    }

    async fn run(&self, call: &ActionCall) -> Result<ActionAnswer, NoAnswer> {
        let content = match &call.about {
            About::Version { content, .. } | About::Start { content, .. } => {
                Some(String::from_utf8_lossy(&content.bytes).into_owned())
            }
            About::Tick { .. } | About::Notice { .. } => None,
        };
        self.answer(Asked {
            uri: call.invocation.uri.to_string(),
            point: Some(call.invocation.point),
            id: call.proof.id.clone(),
            content,
            parameters: call.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        })
    }

    async fn validate(&self, call: &FunctionCall) -> Result<(), NoAnswer> {
        let asked = Asked {
            uri: call.function.to_string(),
            point: None,
            id: call.proof.id.clone(),
            content: Some(String::from_utf8_lossy(&call.content).into_owned()),
            parameters: vec![],
        };
        self.answer(asked).map(|_| ())
    }
}
