//! stub
/// s
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct SchemaRefused;
/// s
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ContentRefused;
/// s
pub struct JsonSchema;
impl JsonSchema {
    /// s
    pub fn compile(_: &str) -> Result<Self, SchemaRefused> {
        Ok(Self)
    }
    /// s
    pub fn validate(&self, _: &[u8]) -> Result<(), ContentRefused> {
        Ok(())
    }
}
