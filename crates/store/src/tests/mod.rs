//! What is special to redb: files that lag behind, are lost, damaged, strange or newer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::port::Store;
use redb::{ReadableDatabase, ReadableTable};
use tempfile::TempDir;

use crate::contract::{self, Place};
use crate::views::{MEMORY, ROWS};
use crate::{Options, RedbStore};

mod files;
mod laws;

/// A folder that lives as long as the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn truth(&self) -> PathBuf {
        self.path().join("truth.redb")
    }

    fn views(&self) -> PathBuf {
        self.path().join("views.redb")
    }

    fn store(&self) -> RedbStore {
        RedbStore::open(self.path(), small()).unwrap()
    }
}

impl Place for Folder {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.store())
    }
}

/// Little memory, and views that are saved only when a store is closed.
fn small() -> Options {
    Options {
        truth_cache_bytes: 4 << 20,
        views_cache_bytes: 4 << 20,
        record_cache_bytes: 1 << 20,
        checkpoint_interval: std::time::Duration::from_hours(1),
        ..Options::default()
    }
}

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Every row of closed views, in order.
fn rows(views: &Path) -> Rows {
    let database = redb::Database::open(views).unwrap();
    let reading = database.begin_read().unwrap();
    let mut all = Vec::new();
    for table in [ROWS, MEMORY] {
        for row in reading.open_table(table).unwrap().iter().unwrap() {
            let (key, holds) = row.unwrap();
            all.push((key.value().to_vec(), holds.value().to_vec()));
        }
    }
    all
}

/// Holds the views of a closed store against views built from its truth alone.
fn assert_views_follow(folder: &Folder) {
    let followed = rows(&folder.views());
    std::fs::remove_file(folder.views()).unwrap();
    folder.store().close();
    let built = rows(&folder.views());
    let lacks = |one: &Rows, other: &Rows| {
        let lacking = other.iter().filter(|row| !one.contains(row));
        lacking.cloned().collect::<Rows>()
    };
    assert_eq!(
        lacks(&followed, &built),
        [],
        "views that followed lack these"
    );
    assert_eq!(
        lacks(&built, &followed),
        [],
        "views that were built lack these"
    );
}

#[test]
fn redb_does_what_a_store_does() {
    contract::run(&|| Box::new(Folder::new()));
}

/// Without a cache every read decodes what is stored.
#[test]
fn redb_does_it_without_a_record_cache() {
    struct Uncached(Folder);
    impl Place for Uncached {
        fn open(&self) -> Arc<dyn Store> {
            let options = Options {
                record_cache_bytes: 0,
                batch_limit: 3,
                ..small()
            };
            Arc::new(RedbStore::open(self.0.path(), options).unwrap())
        }
    }
    contract::run(&|| Box::new(Uncached(Folder::new())));
}
