//! `timeglass cache`: what is kept between runs.

use crate::{
    cli::{
        Common, Exit,
        failure::Failure,
        output::Output,
        table::{Side, Table},
        write_json,
    },
    model::{Json, Timestamp},
    store::cache::{Cache, Kept},
};

/// Show the indexes that are kept between runs, or throw them away
///
/// The index of a large store is kept, so that the store opens at once the next time. It is used as long as
/// it is proven that nothing was written to the store since; else the store is scanned again. Nothing is
/// kept beside the store, and answers are the same without.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Throw all of them away
    #[arg(long)]
    clear: bool,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let Some(cache) = output.cache() else {
        return Err(Failure::trouble("there is no folder to keep anything in")
            .hint("XDG_CACHE_HOME or HOME says where it is"));
    };
    if arguments.clear { clear(&cache, common, output) } else { list(&cache, common, output) }
}

fn clear(cache: &Cache, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let cleared = cache.clear().map_err(|err| refused(cache, &err))?;
    if common.json {
        let object = [("files", Json::from(cleared.files as u64)), ("bytes", Json::from(cleared.bytes))];
        write_json(output, &Json::object(object))?;
    } else {
        let files = if cleared.files == 1 { "file" } else { "files" };
        output.line(&format!("{} {files} with {} bytes thrown away", cleared.files, cleared.bytes))?;
    }
    Ok(Exit::Done)
}

fn list(cache: &Cache, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let kept = cache.kept().map_err(|err| refused(cache, &err))?;
    let (_, bytes) = cache.size().map_err(|err| refused(cache, &err))?;
    if common.json {
        let folder = Json::from(cache.folder().display().to_string());
        let object = [
            ("folder", folder),
            ("bytes", Json::from(bytes)),
            ("bound", Json::from(cache.bound())),
            ("indexes", Json::array(kept.iter().map(to_json))),
        ];
        write_json(output, &Json::object(object))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("last used", Side::Left),
        ("bytes", Side::Right),
        ("events", Side::Right),
        ("store", Side::Left),
    ]);
    for kept in &kept {
        let store = kept.store.as_ref().map(|path| path.display().to_string());
        table.row(
            output,
            &[
                kept.used.map(Timestamp::to_rfc3339).unwrap_or_default(),
                kept.bytes.to_string(),
                kept.events.map(|events| events.to_string()).unwrap_or_default(),
                store.unwrap_or_else(|| "cannot be read".to_owned()),
            ],
        )?;
    }
    table.write(output)?;
    let (folder, bound) = (cache.folder().display(), cache.bound());
    output.line(&format!("{bytes} of at most {bound} bytes in {folder}"))?;
    Ok(Exit::Done)
}

fn to_json(kept: &Kept) -> Json {
    Json::object([
        ("store", Json::from(kept.store.as_ref().map(|path| path.display().to_string()))),
        ("events", Json::from(kept.events)),
        ("bytes", Json::from(kept.bytes)),
        ("last_used", Json::from(kept.used.map(Timestamp::to_rfc3339))),
        ("file", Json::from(kept.file.display().to_string())),
    ])
}

fn refused(cache: &Cache, error: &std::io::Error) -> Failure {
    Failure::trouble(format!("{} cannot be read or written: {error}", cache.folder().display()))
}
