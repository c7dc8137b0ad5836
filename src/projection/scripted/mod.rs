//! Projections in JavaScript: run into the scratch database, their states at any time, and what they wrote
//! beside them.

mod delta;
mod envelopes;
mod history;
mod ledger;
mod outputs;
mod run;
mod states;
mod tables;

use std::sync::Arc;

pub use outputs::{Output, OutputCounts, OutputFailure, OutputItem, OutputKind, OutputQuery, Outputs};

pub(crate) use history::{States, columns, progress};
pub(crate) use run::run;

use crate::{
    projection::{Definition, Kind},
    script::Script,
};

impl Definition {
    /// The projection that a script is. It is called as its file without the ending, and its read model has the
    /// columns `partition`, the key, and `state`.
    #[must_use]
    pub fn of_script(script: &Script) -> Self {
        let file = Arc::clone(script.name());
        let name = file.rsplit_once('.').map_or(&*file, |(name, _)| name);
        Self {
            name: name.into(),
            key: vec!["partition".into()],
            fingerprint: format!("{:?}\n{}", script.options(), script.text()).into(),
            kind: Kind::Script(script.clone()),
            file,
        }
    }
}
