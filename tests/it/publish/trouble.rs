//! A full disk, a busy writer, a file or folder that may only be read: the store is as it was.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
};

use rusqlite::Connection;
use timeglass::publish::{BackupPlace, PublishError};

use super::{
    kill::{child, said},
    stage::{Stage, everything, write_watched},
};

/// Nothing is written, and the message says why.
#[track_caller]
fn check_busy(journal: &str, hold: &str) {
    let stage = Stage::with(journal, "");
    let owner = Connection::open(&stage.path).expect("the store");
    let plan = stage.plan(&everything(3)).expect("a plan");
    owner.execute_batch(hold).expect("a lock");
    let refused = stage.write(&everything(3), &plan);
    assert!(matches!(refused, Err(PublishError::Busy { .. })), "{journal}, {hold}: {refused:?}");
    // Its own transaction is not disturbed.
    owner.execute_batch("INSERT INTO orders (id, status) VALUES ('its-own', 'x'); COMMIT").expect("a commit");
    let rows = stage.rows("orders");
    assert_eq!(rows.len(), 61);
    assert!(stage.files().iter().all(|file| !file.contains("backup")), "{:?}", stage.files());
    drop(owner);
    // With nobody in the way the same edits can be written.
    stage.write(&everything(3), &plan).expect("a publication");
    assert_eq!(stage.files(), ["shop.sqlite", "shop.sqlite.backup-20240301-093000"]);
}

#[test]
fn a_busy_writer_is_waited_for_and_then_left_alone() {
    for journal in ["delete", "wal"] {
        check_busy(journal, "BEGIN IMMEDIATE");
        check_busy(journal, "BEGIN EXCLUSIVE");
        check_busy(journal, "BEGIN; UPDATE orders SET items = items + 1 WHERE id = 'order-59'");
    }
}

/// Somebody reads on: with a rollback journal the commit has to wait, and gives up in the end.
#[test]
fn a_reader_that_does_not_end_keeps_the_commit_out() {
    let stage = Stage::new();
    let plan = stage.plan(&everything(3)).expect("a plan");
    let before = fs::read(&stage.path).expect("the store");
    let reader = Connection::open(&stage.path).expect("the store");
    let mut statement = reader.prepare("SELECT * FROM events").expect("a statement");
    let mut rows = statement.query([]).expect("rows");
    rows.next().expect("a row").expect("a row");
    let refused = stage.write(&everything(3), &plan);
    assert!(matches!(refused, Err(PublishError::Busy { .. })), "{refused:?}");
    drop(rows);
    drop(statement);
    drop(reader);
    assert_eq!(fs::read(&stage.path).expect("the store"), before);
    assert_eq!(stage.files(), ["shop.sqlite"]);
}

#[test]
fn a_backup_that_cannot_be_made_stops_everything() {
    let stage = Stage::new();
    let plan = stage.plan(&everything(3)).expect("a plan");
    let before = fs::read(&stage.path).expect("the store");
    for place in ["no such folder/copy.sqlite", "shop.sqlite"] {
        let place = BackupPlace::At(stage.folder.path().join(place));
        let refused = write_watched(&stage.path, &everything(3), &plan, &place, &|_| Ok(()));
        let is_told = matches!(refused, Err(PublishError::Backup { .. } | PublishError::BackupExists { .. }));
        assert!(is_told, "{refused:?}");
        assert_eq!(fs::read(&stage.path).expect("the store"), before);
    }
    assert_eq!(stage.files(), ["shop.sqlite"]);
}

/// A store whose pages are damaged is not written: there would be no sound backup.
#[test]
fn a_damaged_store_is_not_written() {
    let stage = Stage::with("delete", "CREATE INDEX by_status ON orders (status, items);");
    let connection = Connection::open(&stage.path).expect("the store");
    // The index says something else than the table.
    connection
        .execute_batch(
            "PRAGMA writable_schema = 1;
             UPDATE sqlite_schema SET sql = 'CREATE INDEX by_status ON orders (status, id)' WHERE name = 'by_status';",
        )
        .expect("damage");
    drop(connection);
    let before = fs::read(&stage.path).expect("the store");
    let plan = stage.plan(&everything(3)).expect("a plan");
    let refused = stage.write(&everything(3), &plan);
    assert!(matches!(refused, Err(PublishError::Damaged { .. })), "{refused:?}");
    assert_eq!(fs::read(&stage.path).expect("the store"), before);
    assert_eq!(stage.files(), ["shop.sqlite"]);
}

/// This binary under a limit of the size of files, in kibibytes: a disk that is full from there on.
#[cfg(unix)]
fn with_room_for(kibibytes: u64, store: &Path) -> Child {
    let mut command = Command::new("bash");
    let binary = std::env::current_exe().expect("this binary");
    // The signal that comes with it is ignored, so that writing fails as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {kibibytes} && exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(binary);
    child(command, store, None)
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_store_as_it_was() {
    for journal in ["delete", "wal"] {
        let stage = Stage::with(journal, "");
        let (before, files) = (stage.rows("orders"), stage.files());
        let kibibytes = fs::metadata(&stage.path).expect("the store").len().div_ceil(1024);
        // No room for the backup; none for the rows; none for the last of them.
        for (room, doing) in [(kibibytes / 2, "backup"), (kibibytes + 8, "rows"), (kibibytes + 2000, "rows")]
        {
            let errors = said(with_room_for(room, &stage.path), "error ");
            assert_eq!(errors.len(), 1, "{journal} {room}: {errors:?}");
            let is_backup = errors[0].contains("the backup");
            // A log needs its shared memory first.
            assert!(journal == "wal" || is_backup == (doing == "backup"), "{errors:?}");
            assert_eq!(stage.rows("orders"), before, "{journal} {room}");
            assert_eq!(stage.files(), files, "{journal} {room}");
        }
        let connection = Connection::open(&stage.path).expect("the store");
        let verdict: String =
            connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a verdict");
        assert_eq!(verdict, "ok");
    }
}

/// This binary as a user for whom permissions count, which they do not for root.
#[cfg(unix)]
fn as_nobody(folder: &Path, store: &Path) -> Child {
    use std::os::unix::{fs::MetadataExt as _, process::CommandExt as _};
    let binary = std::env::current_exe().expect("this binary");
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return child(Command::new(binary), store, None);
    }
    // Where the binary lies may be out of sight for others.
    let copy = folder.join("it");
    if !copy.exists() {
        fs::copy(&binary, &copy).expect("a copy");
    }
    let mut command = Command::new(copy);
    command.uid(65534).gid(65534).current_dir("/");
    child(command, store, None)
}

#[cfg(unix)]
#[test]
fn what_may_only_be_read_is_not_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a permission");
    };
    let tools = tempfile::tempdir().expect("a folder");
    mode(tools.path(), 0o755);
    let check = |journal: &str, file: u32, folder: u32, reason: &str| {
        let stage = Stage::with(journal, "");
        let before = fs::read(&stage.path).expect("the store");
        mode(&stage.path, file);
        mode(stage.folder.path(), folder);
        let errors = said(as_nobody(tools.path(), &stage.path), "error ");
        mode(stage.folder.path(), 0o755);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(reason), "{journal}: {errors:?}");
        assert_eq!(fs::read(&stage.path).expect("the store"), before);
        assert_eq!(stage.files(), ["shop.sqlite"]);
    };
    check("delete", 0o444, 0o777, "cannot be written: the file is marked read-only");
    check("delete", 0o464, 0o777, "cannot be written: Permission denied");
    check("delete", 0o444, 0o555, "cannot be written: the file is marked read-only");
    check("delete", 0o666, 0o555, "the backup");
    check("wal", 0o444, 0o777, "cannot be written: the file is marked read-only");
    check("wal", 0o666, 0o555, "cannot be written: ");
}
