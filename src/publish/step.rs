//! What a publication is doing, for whoever watches or wants to stop it.

use crate::work::Cancelled;

/// How far a publication is. Whoever is told may stop it until [`Step::Committed`]; then nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The database is open for writing, and nothing is written yet.
    Opened,
    /// So many pages of the backup are written.
    Copied(u64),
    /// The backup is whole, checked and on the disk.
    BackedUp,
    /// The transaction has begun: nobody else can write.
    Begun,
    /// So many rows were found as they are described.
    Located(u64),
    /// So many rows are changed inside the transaction.
    Applied(u64),
    /// All rows were read back and are as they should be.
    Verified,
    /// The transaction is over: all of it is in the database.
    Committed,
    /// The rows were read again after the transaction.
    Confirmed,
}

impl Step {
    /// What is being done next, for a progress line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Opened | Self::Copied(_) => "Making the backup",
            Self::BackedUp => "Waiting for other writers",
            Self::Begun | Self::Located(_) => "Looking for the rows",
            Self::Applied(_) => "Writing the rows",
            Self::Verified => "Writing to the disk",
            Self::Committed | Self::Confirmed => "Reading it back",
        }
    }
}

/// For callers that neither watch nor stop.
#[expect(clippy::unnecessary_wraps, reason = "the shape of an observer")]
pub fn keep_going(_: Step) -> Result<(), Cancelled> {
    Ok(())
}
