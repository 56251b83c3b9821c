//! What the port's suite cannot ask: a disk that fails, files that are not ours, and the doctor.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{Builder, Database, StorageBackend, TableDefinition};
use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{Segment, SegmentId, write_single};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, Unavailable, WriteOutcome};
use souk_runtime::ports::Store as _;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::database::File;
use crate::{Checked, EmbeddedStore, Error, check};

const SHARD: ShardId = ShardId::users(0);

fn manifest(epoch: u64) -> Manifest {
    Manifest {
        shard: SHARD,
        epoch,
        owner: "node".into(),
        address: String::new(),
        topic_id: 1,
        partitions: 8,
        fold_version: 1,
        settings_hash: 0,
        cut: 0,
        position: 0,
        position_time: 0,
        last_checksum: 0,
        lineage: [].into(),
        sections: [].into(),
        skips: [].into(),
        panics: [].into(),
    }
}

fn segment(section: u16, bytes: usize) -> Segment {
    let state: Vec<u8> = (0..bytes).map(|at| (at * 7 + at / 251) as u8).collect();
    let id = SegmentId { section, cut: 1, epoch: 1 };
    Segment { id, base: true, blob: write_single(section, &state).into() }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    (folder, path)
}

/// A file on a disk that may be full: then nothing is written, and nothing becomes durable.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn has_room(&self) -> io::Result<()> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.has_room()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.has_room()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.has_room()?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

fn open_on_disk(path: &Path, full: &Arc<AtomicBool>) -> EmbeddedStore {
    let full = full.clone();
    let opener = move |builder: &Builder, path: &Path| {
        let file = fs::File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        builder.create_with_backend(Disk { file: FileBackend::new(file)?, full: full.clone() })
    };
    let file = File::open_with(path, Box::new(opener)).expect("it opens");
    EmbeddedStore::on(file).expect("a thread starts")
}

#[tokio::test]
async fn a_full_disk_is_an_unknown_outcome_and_passes() {
    let (_folder, path) = folder();
    let full = Arc::new(AtomicBool::new(false));
    let store = open_on_disk(&path, &full);
    assert_eq!(store.write_manifest(Condition::Absent, manifest(1)).await, CasOutcome::Applied);
    assert_eq!(store.write_segments(SHARD, vec![segment(1, 10_000)]).await, WriteOutcome::Written);

    full.store(true, Ordering::SeqCst);
    assert_eq!(store.write_segments(SHARD, vec![segment(2, 1 << 20)]).await, WriteOutcome::Unknown);
    assert_eq!(store.write_manifest(Condition::Epoch(1), manifest(2)).await, CasOutcome::Unknown);

    full.store(false, Ordering::SeqCst);
    let deadline = Instant::now() + Duration::from_secs(30);
    // A read alone brings it back: an owner that takes over begins with one.
    let stands = loop {
        match store.manifest(SHARD).await {
            Ok(stands) => break stands,
            Err(Unavailable) => assert!(Instant::now() < deadline, "it never came back"),
        }
        sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(stands, Some(manifest(1)), "what was unknown is settled by a read");
    assert_eq!(store.load_sections(SHARD, vec![1, 2]).await, Ok(vec![segment(1, 10_000)]));
    assert_eq!(store.write_segments(SHARD, vec![segment(2, 1 << 20)]).await, WriteOutcome::Written);
    assert_eq!(store.write_manifest(Condition::Epoch(1), manifest(2)).await, CasOutcome::Applied);
}

#[tokio::test]
async fn dropping_the_store_writes_what_was_asked_for() {
    let (_folder, path) = folder();
    let store = EmbeddedStore::open(&path).expect("it opens");
    {
        let write = store.write_segments(SHARD, vec![segment(1, 100)]);
        futures_poll_once(write).await;
    }
    drop(store);
    let store = EmbeddedStore::open(&path).expect("the file is free again");
    assert_eq!(store.load_sections(SHARD, vec![1]).await, Ok(vec![segment(1, 100)]));
}

/// Lets a future begin, then drops it.
async fn futures_poll_once(future: impl Future<Output = WriteOutcome>) {
    tokio::select! {
        biased;
        _ = future => {}
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn a_store_in_use_is_not_opened_twice() {
    let (_folder, path) = folder();
    let _store = EmbeddedStore::open(&path).expect("it opens");
    assert!(matches!(EmbeddedStore::open(&path), Err(Error::InUse { .. })));
    assert!(matches!(check(&path), Err(Error::InUse { .. })));
}

#[tokio::test]
async fn the_doctor_counts_what_is_there() {
    let (_folder, path) = folder();
    assert!(matches!(check(&path), Err(Error::Io { .. })), "nothing is there, and check makes nothing");
    let store = EmbeddedStore::open(&path).expect("it opens");
    store.write_manifest(Condition::Absent, manifest(1)).await;
    let broken =
        Segment { id: SegmentId { section: 9, cut: 1, epoch: 1 }, base: true, blob: vec![1; 50].into() };
    let segments = vec![segment(1, 10_000), segment(2, 90_000), broken];
    let bytes = segments.iter().map(|segment| segment.blob.len() as u64).sum();
    store.write_segments(SHARD, segments).await;
    drop(store);
    let file_bytes = fs::metadata(&path).expect("it is there").len();
    let found = check(&path).expect("it reads");
    assert_eq!(found, Checked { shards: 1, segments: 3, bytes, damaged: 1, file_bytes });
}

#[test]
fn what_is_no_store_is_named_and_refused() {
    let (_folder, path) = folder();
    fs::write(&path, b"a shopping list, twelve eggs and some milk").expect("a file");
    let error = EmbeddedStore::open(&path).expect_err("it is no store");
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("store.redb") && error.to_string().contains("backup"), "{error}");
    assert!(matches!(EmbeddedStore::open(path.join("x")), Err(Error::Io { .. })));
}

#[test]
fn data_of_a_newer_build_is_refused() {
    let (_folder, path) = folder();
    drop(EmbeddedStore::open(&path).expect("it opens"));
    rewrite(&path, |transaction| {
        let mut about = transaction.open_table(TableDefinition::<&str, u64>::new("about")).expect("a table");
        about.insert("format", 2).expect("a row");
    });
    assert!(matches!(EmbeddedStore::open(&path), Err(Error::Newer { found: 2, newest: 1, .. })));
    assert!(matches!(check(&path), Err(Error::Newer { found: 2, newest: 1, .. })));
}

#[test]
fn a_manifest_that_does_not_read_is_refused() {
    let (_folder, path) = folder();
    // A manifest that says format 7, and one that says nothing.
    for (bytes, is_newer) in [(&[8, 7][..], true), (&[][..], false)] {
        drop(EmbeddedStore::open(&path).expect("it opens"));
        rewrite(&path, |transaction| {
            let definition = TableDefinition::<(u8, u16), &[u8]>::new("manifests");
            let mut manifests = transaction.open_table(definition).expect("a table");
            manifests.insert((0, 0), bytes).expect("a row");
        });
        for error in [EmbeddedStore::open(&path).map(drop), check(&path).map(drop)] {
            assert_eq!(matches!(error, Err(Error::Newer { found: 7, .. })), is_newer, "{error:?}");
            assert_eq!(matches!(error, Err(Error::Damaged { .. })), !is_newer, "{error:?}");
        }
        fs::remove_file(&path).expect("a file");
    }
}

fn rewrite(path: &Path, change: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(path).expect("it opens");
    let transaction = database.begin_write().expect("it writes");
    change(&transaction);
    transaction.commit().expect("it commits");
}

/// Whatever is broken in the file, opening and checking it answer.
#[tokio::test]
async fn no_damage_makes_it_panic() {
    let (_folder, path) = folder();
    let store = EmbeddedStore::open(&path).expect("it opens");
    store.write_manifest(Condition::Absent, manifest(1)).await;
    store.write_segments(SHARD, (0..20).map(|section| segment(section, 3_000)).collect()).await;
    drop(store);
    let sound = fs::read(&path).expect("a file");
    let used = sound.len() - sound.iter().rev().take_while(|byte| **byte == 0).count();
    let mut refused = 0;
    for round in 0..120 {
        let mut bytes = sound.clone();
        // Whole sectors, spread over what is used.
        let at = used * round / 120 / 512 * 512;
        bytes[at..at + 512].fill(0xa5);
        if round % 10 == 9 {
            bytes.truncate(at);
        }
        fs::write(&path, &bytes).expect("a file");
        let _checked = check(&path);
        match EmbeddedStore::open(&path) {
            Ok(store) => {
                let _manifest = store.manifest(SHARD).await;
                let _segments = store.load_sections(SHARD, (0..20).collect()).await;
                let _outcome = store.write_segments(SHARD, vec![segment(3, 100)]).await;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 10, "{refused} of 120 were noticed at opening");
}
