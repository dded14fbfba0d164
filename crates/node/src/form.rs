//! The forms in which a configuration is sent.

/// What a client understands, and what it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// What everybody understands: the stored bytes; of flags what each is by default, as JSON.
    #[default]
    Plain,
    /// Flags as they are stored, with rules and all variants: whoever evaluates them answers as this server does.
    Stored,
    /// Flags with rules and variants in Amazon Ion. Flags without variants have nothing to say in it, and go plain.
    Ion,
}

impl Form {
    /// For a token.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Stored => 1,
            Self::Ion => 2,
        }
    }

    /// From a token.
    pub(crate) fn numbered(number: u8) -> Option<Self> {
        [Self::Plain, Self::Stored, Self::Ion].into_iter().find(|form| form.number() == number)
    }
}
