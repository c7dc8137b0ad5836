//! Damage to the bytes of the file.

use std::{
    fs,
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use crate::sample::{Damage, DamageKind};

const PAGE: u64 = 4096;

/// Fills a page with rubbish; its number was chosen while SQLite could still say what is on it.
pub(super) fn corrupt_page(path: &Path, number: &str) -> io::Result<()> {
    let number: u64 = number.parse().map_err(io::Error::other)?;
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(number.saturating_sub(1) * PAGE))?;
    file.write_all(&[0xa5; PAGE as usize])
}

/// Cuts off the last third, in the middle of a page.
pub(super) fn truncate(path: &Path) -> io::Result<Damage> {
    let file = fs::OpenOptions::new().write(true).open(path)?;
    let before = file.metadata()?.len();
    let after = before * 2 / 3 / PAGE * PAGE + PAGE / 4;
    file.set_len(after)?;
    Ok(Damage {
        kind: DamageKind::TruncatedFile,
        table: "file",
        key: after.to_string(),
        stream: None,
        version: None,
        detail: format!("cut from {before} to {after} bytes"),
    })
}
