//! What was acknowledged is there after a restart, whatever the disk does in between.

use std::sync::atomic::{AtomicBool, Ordering};

use cae_core::state::record::{AccountStatus, Cause, Entry, Record, TransmitterId};
use cae_core::state::{Record as AnyRecord, StateKey};
use cae_core::time::EventTime;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;

/// A disk that can be full. Its contents outlive the database that is open on it.
#[derive(Clone, Debug)]
struct Disk {
    contents: Arc<InMemoryBackend>,
    full: Arc<AtomicBool>,
    slow: Arc<AtomicBool>,
}

impl Disk {
    fn new() -> Self {
        Self {
            contents: Arc::new(InMemoryBackend::new()),
            full: Arc::default(),
            slow: Arc::default(),
        }
    }

    fn check(&self) -> Result<(), std::io::Error> {
        if self.full.load(Ordering::Relaxed) {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.contents.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.contents.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.check()?;
        self.contents.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.check()?;
        if self.slow.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_secs(4));
        }
        self.contents.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.check()?;
        self.contents.write(offset, data)
    }
}

fn open(disk: &Disk, bounds: LogBounds) -> Store {
    open_and_compact(disk, bounds, COMPACTION)
}

fn open_and_compact(disk: &Disk, bounds: LogBounds, compaction: Compaction) -> Store {
    let database = Database::on(disk.clone()).unwrap();
    let again = disk.clone();
    let reopen = Box::new(move || Database::on(again.clone()));
    Store::on(
        database,
        reopen,
        Path::new("memory"),
        (bounds, compaction),
        Box::new(|_| {}),
    )
    .unwrap()
}

const BOUNDS: LogBounds = LogBounds {
    age: Duration::MAX,
    entries: 1_000,
};

fn key(n: u8) -> StateKey {
    StateKey::from_bytes([n; 16])
}

fn cut_off(at: u64) -> Record {
    Record {
        cut_off: Some(Entry {
            at: EventTime::from_micros(at.saturating_mul(1_000_000)),
            issued: UnixTime::from_secs(at),
            value: Cause::SessionRevoked,
        }),
        ..Record::default()
    }
}

fn event(jti: &str, n: u8, record: &AnyRecord) -> AcceptedEvent {
    AcceptedEvent {
        transmitter: "https://t.example".to_owned(),
        jti: jti.to_owned(),
        changes: vec![Change {
            key: key(n),
            record: record.to_bytes(),
        }],
        json: r#"{"eventTypes":["x"],"subject":{"n":1},"notes":["unmatchable:device"]}"#.to_owned(),
    }
}

fn keep(store: &Store, event: AcceptedEvent) -> Result<Kept, NotKept> {
    store
        .keep_all(vec![event], UnixTime::from_secs(10))
        .remove(0)
}

#[test]
fn what_is_acknowledged_is_in_force_and_outlives_the_process() {
    let disk = Disk::new();
    let store = open(&disk, BOUNDS);
    assert_eq!(
        keep(&store, event("a", 1, &cut_off(100))),
        Ok(Kept::Applied)
    );
    assert_eq!(store.read(|table| table.get(&key(1))), Some(cut_off(100)));
    assert_eq!(
        keep(&store, event("a", 1, &cut_off(100))),
        Ok(Kept::Repeated)
    );
    assert_eq!(keep(&store, event("b", 1, &cut_off(50))), Ok(Kept::Applied));
    assert_eq!(
        store.read(|table| table.get(&key(1))),
        Some(cut_off(100)),
        "the later one"
    );
    assert_eq!(store.health().unmatchable.values().sum::<u64>(), 2);
    let note = ("keys/x".to_owned(), b"1".to_vec());
    store.keep_note(note.0.clone(), note.1.clone()).unwrap();
    store.keep_note("kez".to_owned(), b"2".to_vec()).unwrap();
    assert_eq!(store.notes("keys/").unwrap(), [note]);
    store.close();
    drop(store);

    let store = open(&disk, BOUNDS);
    assert_eq!(store.read(|table| table.get(&key(1))), Some(cut_off(100)));
    assert_eq!(
        keep(&store, event("b", 1, &cut_off(50))),
        Ok(Kept::Repeated)
    );
    assert_eq!(store.health().log_entries, 2);
    store.close();
    let database = Database::on(disk).unwrap();
    assert_eq!(
        database.notes("keys/").unwrap(),
        [("x".to_owned(), b"1".to_vec())]
    );
}

#[test]
fn a_full_disk_acknowledges_nothing_and_decisions_go_on() {
    let disk = Disk::new();
    let store = open(&disk, BOUNDS);
    assert_eq!(
        keep(&store, event("a", 1, &cut_off(100))),
        Ok(Kept::Applied)
    );
    disk.full.store(true, Ordering::Relaxed);
    assert_eq!(
        keep(&store, event("b", 2, &cut_off(100))),
        Err(NotKept::Failing)
    );
    assert_eq!(
        store.read(|table| table.get(&key(2))),
        None,
        "not in force, so it comes again"
    );
    assert!(store.health().failing.is_some());
    // What a decision says to remember counts in this process all the same.
    let change = Change {
        key: key(3),
        record: cut_off(7).to_bytes(),
    };
    assert_eq!(store.change(vec![change]), Err(NotKept::Failing));
    assert_eq!(store.read(|table| table.get(&key(3))), Some(cut_off(7)));
    assert_eq!(store.health().unsaved, 1);

    disk.full.store(false, Ordering::Relaxed);
    let again = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        keep(&store, event("b", 2, &cut_off(100))).is_ok()
    });
    assert!(again, "it comes back by itself");
    assert_eq!(store.health().failing.map(|it| it.0), None);
    store.close();
    drop(store);
    let store = open(&disk, BOUNDS);
    assert_eq!(store.read(|table| table.get(&key(1))), Some(cut_off(100)));
    assert_eq!(store.read(|table| table.get(&key(2))), Some(cut_off(100)));
    store.close();
}

#[test]
fn a_brake_holds_over_a_restart_until_it_is_released() {
    let disk = Disk::new();
    let store = open(&disk, BOUNDS);
    let brake = Brake {
        subjects_per_minute: 0,
        hold: true,
    };
    let brakes = || vec![("https://t.example".to_owned(), brake)];
    store.set_brakes(brakes());
    assert_eq!(keep(&store, event("a", 1, &cut_off(100))), Ok(Kept::Held));
    let mut disabled = Record::default();
    let entry = Entry {
        at: EventTime::from_micros(5_000_000),
        issued: UnixTime::from_secs(5),
        value: AccountStatus::Disabled,
    };
    disabled.status = vec![(TransmitterId([1; 8]), entry)];
    assert_eq!(
        keep(&store, event("b", 2, &disabled)),
        Ok(Kept::Applied),
        "accounts never wait"
    );
    assert_eq!(store.read(|table| table.get(&key(1))), None);
    store.close();
    drop(store);

    let store = open(&disk, BOUNDS);
    store.set_brakes(brakes());
    assert_eq!(
        keep(&store, event("a", 1, &cut_off(100))),
        Ok(Kept::Repeated)
    );
    assert_eq!(store.health().held.values().sum::<usize>(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let released = runtime.block_on(store.release("https://t.example".to_owned()));
    assert_eq!(released, Ok(1));
    assert_eq!(store.read(|table| table.get(&key(1))), Some(cut_off(100)));
    assert!(store.health().held.is_empty());
    store.close();
    drop(store);
    let store = open(&disk, BOUNDS);
    assert!(store.health().held.is_empty());
    assert_eq!(store.read(|table| table.get(&key(1))), Some(cut_off(100)));
    store.close();
}

#[test]
fn the_log_stays_within_its_bounds_and_records_are_forgotten_on_disk_too() {
    let disk = Disk::new();
    let bounds = LogBounds {
        entries: 5,
        ..BOUNDS
    };
    let store = open(&disk, bounds);
    for n in 0..20 {
        let kept = keep(&store, event(&n.to_string(), n, &cut_off(100)));
        assert_eq!(kept, Ok(Kept::Applied));
    }
    assert_eq!(store.health().log_entries, 5);
    // Forgotten, so it counts as new; what it says is known.
    assert_eq!(
        keep(&store, event("0", 0, &cut_off(100))),
        Ok(Kept::Applied)
    );
    assert_eq!(
        keep(&store, event("19", 19, &cut_off(100))),
        Ok(Kept::Repeated)
    );
    let limits = RetentionLimits {
        longest_token_age: Duration::from_secs(1_000),
        skew: Duration::ZERO,
        transmitters: BTreeMap::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let gone = runtime.block_on(store.clean(UnixTime::from_secs(5_000), limits));
    assert_eq!(gone, Ok(20));
    assert!(store.read(StateTable::is_empty));
    store.close();
    drop(store);
    let store = open(&disk, bounds);
    assert!(store.read(StateTable::is_empty), "on disk too");
    store.close();
}

#[test]
fn a_slow_disk_keeps_no_decision_waiting() {
    let disk = Disk::new();
    let store = open(&disk, BOUNDS);
    disk.slow.store(true, Ordering::Relaxed);
    let change = Change {
        key: key(1),
        record: cut_off(1).to_bytes(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let began = Instant::now();
    runtime.block_on(store.remember(vec![change]));
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    disk.slow.store(false, Ordering::Relaxed);
    store.close();
    assert!(
        open(&disk, BOUNDS).read(|state| state.bytes(&key(1)).is_some()),
        "it is remembered all the same"
    );
}

#[test]
fn a_file_that_is_mostly_free_gets_smaller() {
    let disk = Disk::new();
    let few = LogBounds {
        entries: 1,
        ..BOUNDS
    };
    let never = Compaction {
        every: Duration::MAX,
        spare: 0,
    };
    let everything = LogBounds {
        entries: 1_000,
        ..BOUNDS
    };
    let store = open_and_compact(&disk, everything, never);
    for n in 0..400 {
        let mut event = event(&n.to_string(), 1, &cut_off(100));
        // The log keeps the names of events, which are as long as their transmitter likes.
        event.jti.push_str(&"x".repeat(20_000));
        assert_eq!(keep(&store, event), Ok(Kept::Applied));
    }
    store.close();
    drop(store);
    let full = disk.contents.len().unwrap();

    let always = Compaction {
        every: Duration::ZERO,
        spare: 0,
    };
    let store = open_and_compact(&disk, few, always);
    for n in 1_000..1_010 {
        assert_eq!(
            keep(&store, event(&n.to_string(), 2, &cut_off(100))),
            Ok(Kept::Applied)
        );
    }
    store.close();
    let small = disk.contents.len().unwrap();
    assert!(small < full / 2, "{small} of {full} bytes");
    assert_eq!(store.read(|table| table.get(&key(1))), Some(cut_off(100)));
    drop(store);
    assert_eq!(
        open(&disk, BOUNDS).read(|table| table.get(&key(2))),
        Some(cut_off(100)),
        "and is still read"
    );
}
