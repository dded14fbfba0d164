//! The rollout engine.
//!
//! Decides how a configuration version reaches an environment: growth, bake time, completion, rollback. [`step`] is the
//! whole interface; [`Plan::wake_at`] says when to call it again.
//!
//! **Invariants:** exposure grows one step at a time and falls only by a rollback or a revert; a step never comes sooner
//! than one interval after the one before, and the bake is never shortened, however long nobody was there to drive the
//! rollout; a clock that jumps back re-anchors the waiting, never the exposure.

mod plan;
mod step;

pub use plan::{Begin, GrowthFactor, GrowthType, Plan};
pub(crate) use step::CLOCK_DISAGREEMENT;
pub use step::{Input, NotPossible, Phase, Transition, TriggeredBy, step};
