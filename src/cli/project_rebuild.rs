//! `timeglass project` with a read model: definitions in SQL, and either kind into a file of its own.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use crate::{
    cli::{
        Common, Exit,
        choose::position_like,
        failure::{Failure, with_sources},
        open,
        output::Output,
        project::{Arguments, does_not_load},
        rebuild::rebuilt,
        table::{Side, Table, counted, printable},
        write_json,
    },
    model::{EventQuery, Json, Stored},
    projection::{
        Definition, OutputItem, OutputKind, OutputQuery, Outputs, ReadModel, RebuildOptions, RowAt, Scratch,
        export::row_json,
    },
    script::{Options, Script, excerpt},
    session::scripts::options,
    store::{EventStore, KeyRange, PageFrom, index::nearest_names},
    work::Work,
};

/// So many letters of a state are shown to people; machines get all of it.
const PREVIEW: usize = 100;

/// Whether the file defines projections in SQL.
pub(crate) fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sql"))
}

/// Rebuilds the file's projections, and prints what they came to.
pub(crate) fn run(
    (path, source): (&Path, &str),
    arguments: &Arguments,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    let Some(store) = &arguments.store else {
        return Err(
            Failure::trouble("a read model is rebuilt from the events of a store").hint("name a store")
        );
    };
    let (store, sections) = open::with_sections(store, common, output)?;
    let mut options = options(&sections.scripts);
    options.engine = arguments.engine.unwrap_or(options.engine);
    if !is_sql(path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Err(err) = Script::load(&name, source, &options, &output.work()) {
            return does_not_load(&err, source, arguments, common, output);
        }
    }
    let definitions = chosen((path, source), &options, arguments)?;
    let until =
        arguments.until.as_deref().map(|until| count_until(&*store, until, &output.work())).transpose()?;
    let mut exit = Exit::Done;
    let mut told = Vec::new();
    for definition in &definitions {
        let scratch = match &arguments.out {
            Some(path) => Scratch::at(path),
            None => Scratch::temporary().map_err(|err| trouble(&err))?,
        };
        let without_history = arguments.out.is_none();
        let asked = RebuildOptions { until, without_history, ..RebuildOptions::default() };
        let events = match until {
            Some(until) => until,
            None => store.about_how_many(&output.work(), None)?.unwrap_or_default(),
        };
        rebuilt(output, (&*store, events), definition, (&scratch, &asked)).map_err(|err| trouble(&err))?;
        let model = ReadModel::open(&scratch, definition).map_err(|err| trouble(&err))?;
        if !model.progress().failures.is_empty() {
            exit = Exit::No;
        }
        let made = Made { definition, model, source, work: output.work() };
        if common.json {
            told.push(made.to_json()?);
        } else {
            made.print(definitions.len() > 1, output)?;
        }
    }
    match (common.json, told.as_slice()) {
        (true, [only]) => write_json(output, only)?,
        (true, _) => write_json(output, &Json::array(told))?,
        (false, _) => {}
    }
    if let Some(path) = &arguments.out {
        output.remark(&format!("the read model is in {}, with the history of its rows", path.display()));
    }
    Ok(exit)
}

/// The file's projections that are wanted. A file of ours holds the read model of one.
fn chosen(
    (path, source): (&Path, &str),
    options: &Options,
    arguments: &Arguments,
) -> Result<Vec<Definition>, Failure> {
    let mut definitions = Definition::parse(path, source, options)
        .map_err(|err| Failure::trouble(err.to_string()).given(path.to_string_lossy()))?;
    let names: Vec<Arc<str>> = definitions.iter().map(|definition| Arc::clone(&definition.name)).collect();
    if let Some(name) = &arguments.projection {
        definitions.retain(|definition| *definition.name == **name);
        if definitions.is_empty() {
            let nearest = nearest_names(name, names.iter().cloned(), 5);
            let shown = if nearest.is_empty() { names } else { nearest };
            return Err(Failure::unknown(
                "projection",
                name,
                &shown,
                "without a name, all of the file are run",
            ));
        }
    }
    if definitions.len() > 1 && arguments.out.is_some() {
        return Err(Failure::trouble("a file holds the read model of one projection, and there are several")
            .given(path.to_string_lossy())
            .exists(names.iter().map(|name| format!("projection {name}")))
            .hint("name one of them with `--projection NAME`"));
    }
    Ok(definitions)
}

fn trouble(err: &dyn std::error::Error) -> Failure {
    Failure::trouble(with_sources(err))
}

/// How many events stand up to a position.
fn count_until(store: &dyn EventStore, until: &str, work: &Work) -> Result<u64, Failure> {
    let first = store.page(work, &EventQuery::default(), &PageFrom::Start, 1)?;
    let last = position_like(first.first().and_then(|event| event.position.as_ref()), until)?;
    let (mut count, mut is_behind) = (0, false);
    store.scan(work, &KeyRange::default(), &mut |row| {
        is_behind = is_behind || row.position.as_ref().is_some_and(|position| *position > last);
        count += u64::from(!is_behind);
    })?;
    Ok(count)
}

/// A rebuilt read model with what it was made of.
struct Made<'a> {
    definition: &'a Definition,
    model: ReadModel,
    source: &'a str,
    /// What it is asked in.
    work: Work,
}

impl Made<'_> {
    fn each(&self, visit: &mut dyn FnMut(&RowAt)) -> Result<(), Failure> {
        let count = self.model.progress().count;
        self.model.each_at(&self.work, count, visit).map_err(|err| trouble(&err))
    }

    fn print(&self, is_one_of_several: bool, output: &mut Output<'_>) -> Result<(), Failure> {
        if self.model.is_script() {
            self.print_states(output)?;
        } else {
            if is_one_of_several {
                output.line(&format!("{}:", printable(&self.definition.name)))?;
            }
            self.print_table(output)?;
        }
        self.complain(output)?;
        let progress = self.model.progress();
        let events = counted(usize::try_from(progress.count).unwrap_or(usize::MAX), "event");
        if self.model.is_script() {
            output.remark(&format!("{events}, {} written", counted(self.emitted()?, "event")));
        } else {
            let handled = usize::try_from(progress.handled).unwrap_or(usize::MAX);
            output.remark(&format!("{}: {events}, {handled} handled", printable(&self.definition.name)));
        }
        Ok(())
    }

    fn print_table(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let columns = self.model.columns();
        let is_number = |declared: &str| {
            let declared = declared.to_ascii_uppercase();
            ["INT", "REAL", "NUM", "DEC", "FLOA", "DOUB"].iter().any(|word| declared.contains(word))
        };
        let heads: Vec<(String, Side)> = columns
            .iter()
            .map(|column| {
                let side = if is_number(&column.declared) { Side::Right } else { Side::Left };
                (printable(&column.name), side)
            })
            .collect();
        let heads: Vec<(&str, Side)> = heads.iter().map(|(name, side)| (name.as_str(), *side)).collect();
        let mut table = Table::new(&heads);
        let mut outcome = Ok(());
        self.each(&mut |row| {
            let cells: Vec<String> = row.values.iter().map(shown).collect();
            if outcome.is_ok() {
                outcome = table.row(output, &cells);
            }
        })?;
        outcome?;
        table.write(output)
    }

    fn print_states(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        for (partition, state) in self.states()? {
            let name = if partition.is_empty() { "(all)".to_owned() } else { partition };
            output.line(&format!("{}  {}", printable(&name), printable(&state.to_preview(PREVIEW))))?;
        }
        if let Some(shared) = self.shared()? {
            output.line(&format!("(shared)  {}", printable(&shared.to_preview(PREVIEW))))?;
        }
        Ok(())
    }

    fn states(&self) -> Result<BTreeMap<String, Json>, Failure> {
        let mut states = BTreeMap::new();
        self.each(&mut |row| {
            let text = |place: usize| row.values.get(place).map(Stored::bytes).unwrap_or_default();
            let state = Json::parse(&text(1)).unwrap_or_default();
            states.insert(String::from_utf8_lossy(&text(0)).into_owned(), state);
        })?;
        Ok(states)
    }

    fn shared(&self) -> Result<Option<Json>, Failure> {
        let count = self.model.progress().count;
        let shared = self.model.shared_at(&self.work, count).map_err(|err| trouble(&err))?;
        Ok(shared.map(|(_, state)| state))
    }

    fn emitted(&self) -> Result<usize, Failure> {
        let counts = Outputs::of(&self.model).counts(&self.work, None).map_err(|err| trouble(&err))?;
        Ok(usize::try_from(counts.emitted).unwrap_or(usize::MAX))
    }

    /// Failures with their place in the source, on standard error.
    fn complain(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        for failure in self.failures()? {
            let lines = excerpt(self.source, &failure.failure);
            let text = format!("{}: {}\n{lines}", failure.what, failure.event);
            output.complain(&text.lines().map(printable).collect::<Vec<_>>().join("\n"));
        }
        Ok(())
    }

    fn failures(&self) -> Result<Vec<crate::projection::OutputFailure>, Failure> {
        let query = OutputQuery { kind: OutputKind::Failures, limit: 1000, ..OutputQuery::default() };
        let found = Outputs::of(&self.model).page(&self.work, &query).map_err(|err| trouble(&err))?;
        let failures = found.into_iter().filter_map(|output| match output.what {
            OutputItem::Failure(failure) => Some(failure),
            OutputItem::Emitted(_) | OutputItem::Log(_) | OutputItem::Result(_) => None,
        });
        Ok(failures.collect())
    }

    fn to_json(&self) -> Result<Json, Failure> {
        let failures = self.failures()?;
        let faults = failures.iter().map(|found| {
            Json::object([
                ("event", Json::Text(Arc::clone(&found.event))),
                ("fault", Json::Text(Arc::clone(&found.what))),
                ("message", Json::Text(Arc::clone(&found.failure.message))),
                ("line", Json::from(found.failure.line.map(i64::from))),
                ("column", Json::from(found.failure.column.map(i64::from))),
            ])
        });
        let faults = Json::array(faults);
        let count = Json::from(self.model.progress().count);
        if self.model.is_script() {
            return Ok(Json::object([
                ("partitions", Json::object(self.states()?)),
                ("shared", self.shared()?.unwrap_or_default()),
                ("emitted", Json::from(self.emitted()?)),
                ("faults", faults),
                ("events", count),
            ]));
        }
        let mut rows = Vec::new();
        self.each(&mut |row| rows.push(row_json(self.model.columns(), &row.values, false)))?;
        Ok(Json::object([
            ("projection", Json::Text(Arc::clone(&self.definition.name))),
            ("rows", Json::array(rows)),
            ("faults", faults),
            ("events", count),
        ]))
    }
}

/// A value for people.
fn shown(value: &Stored) -> String {
    match value {
        Stored::Null => String::new(),
        Stored::Blob(_) => format!("x'{}'", value.to_hex()),
        Stored::Integer(_) | Stored::Real(_) | Stored::Text(_) => {
            String::from_utf8_lossy(&value.bytes()).into_owned()
        }
    }
}
