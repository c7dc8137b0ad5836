//! The container file: named sections with lengths and checksums, and a label that says what they are.
//!
//! ```text
//! magic (8) · format (4) · 0 (4) · where the directory begins (8) · checksum of these 24 bytes and of
//! the directory (8) · the sections, one behind the other · the directory, to the end of the file
//! ```
//! The directory is the length of the label and the label, then the number of sections and of each the
//! length of its name, its name, its length and its checksum. All numbers are little-endian. Nothing in the
//! file is without a checksum, and nothing is left over at its end, so what can be read at all is whole.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use crate::{
    store::{cache::checksum::checksum, index::Section},
    work::{Cancelled, Piece, Work},
};

const MAGIC: [u8; 8] = *b"\x89tglass\n";

/// The form of the container itself.
const FORMAT: u32 = 1;

/// Bytes before the first section.
const HEAD: u64 = 32;

/// No directory of ours comes near it.
const LARGEST_DIRECTORY: u64 = 64 << 20;

/// What files that are being written are called; see [`Draft`].
pub(super) const DRAFT_PREFIX: &str = "timeglass-";
pub(super) const DRAFT_SUFFIX: &str = ".part";

/// Why a file of the cache is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// It is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The work was withdrawn; says nothing about the file.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn damaged<T>(what: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit::Damaged(what.into()))
}

/// A file that is being written, under a name of its own until it is whole.
pub(super) struct Draft {
    file: tempfile::NamedTempFile,
    end: u64,
    table: Vec<Line>,
}

/// A line of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    name: String,
    length: u64,
    checksum: u64,
}

impl Draft {
    /// Begins a file in `folder`, which is where it will lie; another folder could be another disk.
    pub(super) fn begin(folder: &Path) -> io::Result<Self> {
        let mut named = tempfile::Builder::new();
        let mut file = named.prefix(DRAFT_PREFIX).suffix(DRAFT_SUFFIX).tempfile_in(folder)?;
        file.write_all(&[0; HEAD as usize])?;
        Ok(Self { file, end: HEAD, table: Vec::new() })
    }

    /// Adds a section.
    pub(super) fn add(&mut self, section: &Section) -> io::Result<()> {
        self.file.write_all(&section.bytes)?;
        self.end += section.bytes.len() as u64;
        self.table.push(Line {
            name: section.name.clone(),
            length: section.bytes.len() as u64,
            checksum: checksum(&section.bytes),
        });
        Ok(())
    }

    /// How many bytes there are so far.
    pub(super) fn bytes(&self) -> u64 {
        self.end
    }

    /// Ends the file and puts it in the place of whatever is called `path`; returns its size. Whoever reads
    /// that one goes on reading it, and of two who write at once the later one stays.
    pub(super) fn finish(mut self, label: &[u8], path: &Path) -> io::Result<u64> {
        let directory = self.directory(label);
        self.file.write_all(&directory)?;
        let head = head(self.end);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&head)?;
        self.file.write_all(&seal(&head, &directory).to_le_bytes())?;
        self.file.persist(path).map_err(|err| err.error)?;
        Ok(self.end + directory.len() as u64)
    }

    fn directory(&self, label: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut text = |text: &[u8]| {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text);
        };
        text(label);
        let mut lines = (self.table.len() as u32).to_le_bytes().to_vec();
        for line in &self.table {
            lines.extend((line.name.len() as u32).to_le_bytes());
            lines.extend(line.name.as_bytes());
            lines.extend(line.length.to_le_bytes());
            lines.extend(line.checksum.to_le_bytes());
        }
        bytes.extend(lines);
        bytes
    }
}

/// The first 24 bytes.
fn head(directory: u64) -> [u8; 24] {
    let mut bytes = [0; 24];
    let parts = MAGIC.into_iter().chain(FORMAT.to_le_bytes()).chain([0; 4]).chain(directory.to_le_bytes());
    bytes.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
    bytes
}

/// The checksum of all that is not a section.
fn seal(head: &[u8; 24], directory: &[u8]) -> u64 {
    checksum(&[head, directory].concat())
}

/// A file that is open and whose directory is whole.
#[derive(Debug)]
pub(super) struct Container {
    file: File,
    label: Vec<u8>,
    table: Vec<Line>,
}

impl Container {
    /// Opens a file and reads its directory; `None` if there is no such file.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Unfit> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err.into()),
        };
        let size = file.metadata()?.len();
        if size < HEAD {
            return damaged("it is cut off");
        }
        let start = read_at(&file, 0, HEAD as usize)?;
        let mut fields = Fields(&start);
        let (magic, format, zero) = (fields.take(8)?, fields.number4()?, fields.number4()?);
        let (directory, sealed) = (fields.number8()?, fields.number8()?);
        if magic != MAGIC || zero != 0 {
            return damaged("it begins with something else");
        }
        if format != FORMAT {
            return damaged(format!("it has form {format}, and this program writes form {FORMAT}"));
        }
        let length = size.checked_sub(directory).filter(|length| *length <= LARGEST_DIRECTORY);
        let Some(length) = length.filter(|_| directory >= HEAD) else { return damaged("it is cut off") };
        let bytes = read_at(&file, directory, length as usize)?;
        if seal(&head(directory), &bytes) != sealed {
            return damaged("its directory is damaged");
        }
        let (label, table) = parse_directory(&bytes)?;
        let sections = table.iter().try_fold(HEAD, |sum: u64, line| sum.checked_add(line.length));
        if sections != Some(directory) {
            return damaged("its sections do not fill it");
        }
        Ok(Some(Self { file, label, table }))
    }

    /// What the file says it is.
    pub(super) fn label(&self) -> &[u8] {
        &self.label
    }

    /// Reads all sections, side by side on the lanes of `work`.
    pub(super) fn read(&self, work: &Work) -> Result<Vec<Section>, Unfit> {
        let mut slots: Vec<Option<Section>> = Vec::new();
        slots.resize_with(self.table.len(), || None);
        let failure: Mutex<Option<Unfit>> = Mutex::default();
        let mut at = HEAD;
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for (line, slot) in self.table.iter().zip(&mut slots) {
            let (start, failure) = (at, &failure);
            pieces.push(Box::new(move || match self.section(line, start, work) {
                Ok(section) => *slot = Some(section),
                Err(err) => *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(err),
            }));
            at += line.length;
        }
        work.run(pieces);
        if let Some(err) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(err);
        }
        work.advance(0)?;
        slots.into_iter().collect::<Option<_>>().ok_or_else(|| Unfit::from(Cancelled))
    }

    fn section(&self, line: &Line, at: u64, work: &Work) -> Result<Section, Unfit> {
        work.advance(0)?;
        let bytes = read_at(&self.file, at, line.length as usize)?;
        if checksum(&bytes) != line.checksum {
            return damaged(format!("its section “{}” is damaged", line.name));
        }
        Ok(Section { name: line.name.clone(), bytes })
    }
}

fn parse_directory(bytes: &[u8]) -> Result<(Vec<u8>, Vec<Line>), Unfit> {
    let mut fields = Fields(bytes);
    let length = fields.number4()? as usize;
    let label = fields.take(length)?.to_vec();
    let count = fields.number4()?;
    let mut table = Vec::new();
    for _ in 0..count {
        let length = fields.number4()? as usize;
        let name = String::from_utf8_lossy(fields.take(length)?).into_owned();
        table.push(Line { name, length: fields.number8()?, checksum: fields.number8()? });
    }
    if fields.0.is_empty() { Ok((label, table)) } else { damaged("its directory is longer than it says") }
}

/// Bytes, taken off from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Unfit> {
        let Some((taken, rest)) = self.0.split_at_checked(count) else { return damaged("it is cut off") };
        self.0 = rest;
        Ok(taken)
    }

    fn number4(&mut self) -> Result<u32, Unfit> {
        let bytes = self.take(4)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    fn number8(&mut self) -> Result<u64, Unfit> {
        let bytes = self.take(8)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }
}

/// Reads exactly so many bytes from a place; the file's own place does not matter, so lanes can share it.
fn read_at(file: &File, at: u64, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    #[cfg(unix)]
    std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, at)?;
    #[cfg(windows)]
    {
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match std::os::windows::fs::FileExt::seek_read(file, rest, at + done as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => done += read,
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Container, Draft, Unfit};
    use crate::{store::index::Section, work::Work};

    fn sections() -> Vec<Section> {
        let section = |name: &'static str, bytes: &[u8]| Section { name: name.into(), bytes: bytes.to_vec() };
        vec![
            section("names", b"order-1 order-2"),
            section("empty", b""),
            section("times", &(0..90_u8).collect::<Vec<_>>()),
        ]
    }

    type Read = Option<(Vec<u8>, Vec<Section>)>;

    fn read(path: &std::path::Path) -> Result<Read, Unfit> {
        let Some(container) = Container::open(path)? else { return Ok(None) };
        Ok(Some((container.label().to_vec(), container.read(&Work::default())?)))
    }

    /// Whatever is done to a file, it is refused or says what it said.
    fn check(bytes: &[u8], path: &std::path::Path, how: &str) {
        fs::write(path, bytes).unwrap();
        assert!(matches!(read(path), Err(Unfit::Damaged(_))), "{how}: {:?}", read(path));
    }

    #[test]
    fn what_was_written_comes_back_and_all_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.tgx");
        assert!(read(&path).unwrap().is_none(), "there is none yet");
        let mut draft = Draft::begin(folder.path()).unwrap();
        for section in sections() {
            draft.add(&section).unwrap();
        }
        let size = draft.finish(b"a label", &path).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, size);
        assert_eq!(read(&path).unwrap(), Some((b"a label".to_vec(), sections())));
        for at in 0..bytes.len() {
            for bit in [0, 3, 7] {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                check(&damaged, &path, &format!("byte {at}, bit {bit}"));
            }
            check(&bytes[..at], &path, &format!("cut off at {at}"));
        }
        check(&[bytes.as_slice(), &[0]].concat(), &path, "something behind it");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
    }

    #[test]
    fn a_draft_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(Draft::begin(folder.path()).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
