//! What every evaluator is asked, in the same order and by the same loop.

use crate::flags::Case;
use crate::population::{USERS, User};

/// What an evaluator says of one flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// This variant.
    Variant(&'a str),
    /// It tells no variants apart: on or off.
    On(bool),
}

/// An evaluator with users in the form it wants them.
pub(crate) trait Contender {
    /// The name in the report.
    fn name(&self) -> &'static str;

    /// What one call gives.
    fn gives(&self, case: &Case) -> &'static str;

    /// Replaces its flags by those of `case`.
    fn load(&mut self, case: &Case) -> anyhow::Result<()>;

    /// Hands the answer for one flag and one user to `then`.
    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>));

    /// Makes calls that evaluate one flag each. Answers how many were the treatment's, or on.
    fn one(&self, calls: &Calls<'_>) -> usize;

    /// Makes calls that evaluate all flags each, in the quickest way it has. Answers how many answers were the
    /// treatment's, or on.
    fn all(&self, calls: &Calls<'_>) -> usize;
}

/// Makes a contender with these users in mind.
pub(crate) type Maker = fn(&[User]) -> anyhow::Result<Box<dyn Contender>>;

/// Calls that are timed together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls<'a> {
    /// The names of the flags.
    pub(crate) flags: &'a [String],
    /// The first call's number.
    pub(crate) from: usize,
    /// How many.
    pub(crate) count: usize,
}

impl Calls<'_> {
    /// A flag and a user for every call: users in turn, flags in an order that jumps about.
    #[inline(always)]
    pub(crate) fn each<U>(&self, users: &[U], mut call: impl FnMut(&str, &U) -> bool) -> usize {
        let mut count = 0;
        let mut flag = self.from * STRIDE % self.flags.len().max(1);
        let mut user = self.from % USERS;
        for _ in 0..self.count {
            if let (Some(flag), Some(user)) = (self.flags.get(flag), users.get(user)) {
                count += usize::from(call(flag, user));
            }
            flag += STRIDE % self.flags.len().max(1);
            if flag >= self.flags.len() {
                flag -= self.flags.len();
            }
            user = if user + 1 < USERS { user + 1 } else { 0 };
        }
        count
    }

    /// A user for every call.
    #[inline(always)]
    pub(crate) fn users<U>(&self, users: &[U], mut call: impl FnMut(&U) -> usize) -> usize {
        let of = |number: usize| users.get(number % USERS);
        (self.from..self.from + self.count).filter_map(of).map(&mut call).sum()
    }

    /// For those who have no call for all flags: each flag for every user.
    #[inline(always)]
    pub(crate) fn each_of_all<U>(&self, users: &[U], mut call: impl FnMut(&str, &U) -> bool) -> usize {
        self.users(users, |user| self.flags.iter().filter(|flag| call(flag, user)).count())
    }
}

/// Shares no factor with the numbers of flags there are.
const STRIDE: usize = 617;
