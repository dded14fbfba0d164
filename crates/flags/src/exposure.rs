//! stub until merged
/// Share of clients on the new version, parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Exposure(u32);
impl Exposure {
    /// none
    pub const NONE: Self = Self(0);
    /// all
    pub const ALL: Self = Self(1_000_000);
    /// checked
    #[must_use]
    pub fn from_parts_per_million(ppm: u32) -> Option<Self> {
        (ppm <= 1_000_000).then_some(Self(ppm))
    }
    /// ppm
    #[must_use]
    pub fn parts_per_million(self) -> u32 {
        self.0
    }
}
