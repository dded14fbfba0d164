//! Whom the flags are evaluated for.

/// Users that take turns.
pub(crate) const USERS: usize = 10_000;

/// Attributes of a user, all of them texts; sorted by name, as they come out of a JSON object.
pub(crate) const NAMES: [&str; 8] =
    ["age", "appVersion", "company", "country", "language", "plan", "platform", "userId"];

/// The values of [`NAMES`].
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// One for each name.
    pub(crate) values: [String; NAMES.len()],
}

impl User {
    /// User `number`, whom no list holds and no equality fits.
    pub(crate) fn ordinary(number: usize) -> Self {
        let one_of = |choices: &[&str], stride: usize| -> String {
            choices.get(number / stride % choices.len()).copied().unwrap_or_default().to_owned()
        };
        let values = [
            (18 + number % 60).to_string(),
            format!("{}.{}.{}", 1 + number % 5, number / 5 % 10, number / 50 % 10),
            format!("company-{:03}", number * 7 % 500),
            one_of(&["AT", "BE", "CH", "DE", "DK", "ES", "FR", "GB", "IT", "NL", "PL", "SE", "US"], 1),
            one_of(&["de", "en", "es", "fr", "it", "nl", "pl", "sv"], 3),
            one_of(&["free", "basic", "team", "business"], 2),
            one_of(&["web", "ios", "android", "desktop"], 7),
            format!("user-{number:08}"),
        ];
        Self { values }
    }

    /// An ordinary user but for one attribute.
    pub(crate) fn with(number: usize, name: &str, value: &str) -> Self {
        let mut user = Self::ordinary(number);
        if let Some((_, slot)) = NAMES.iter().zip(&mut user.values).find(|(known, _)| **known == name) {
            value.clone_into(slot);
        }
        user
    }

    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.pairs().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// Names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        NAMES.into_iter().zip(self.values.iter().map(String::as_str))
    }
}
