//! stub
/// x
#[derive(Default)]
pub struct SampleOptions;
/// x
pub fn write(_: &std::path::Path, _: &SampleOptions, _: &crate::work::Work) -> Result<(), std::io::Error> { Ok(()) }
