//! Files changed by hand or by a disk: what is wrong is found and named, and nothing panics.

use super::*;
use crate::{Error, Log, Snapshot, verify};

/// Ten records, then `sql` behind the log's back, then a whole check: the record it names, and why.
async fn broken_by(sql: &str) -> (u64, String) {
    let place = Place::new();
    fill(&place.open(), 10).await;
    place.tamper(sql);
    let log = SqliteLog::open_read_only(place.file()).unwrap();
    match verify(&log).await {
        Err(Error::Corrupt { seq, what }) => (seq.0, what),
        other => panic!("not found: {other:?}"),
    }
}

#[tokio::test]
async fn a_changed_body_is_found() {
    let (seq, what) = broken_by("UPDATE records SET body = '{}' WHERE seq = 4").await;
    assert_eq!(seq, 4);
    assert!(what.ends_with("is not that of what it holds"), "{what}");
}

#[tokio::test]
async fn a_change_of_any_column_is_found() {
    for change in [
        "time_ms = 0",
        "actor = ''",
        "request_id = 'other'",
        "reason = ''",
        "kind = 'application-deleted'",
        "version = 2",
        "previous = zeroblob(32)",
        "digest = zeroblob(32)",
    ] {
        let (seq, _) = broken_by(&format!("UPDATE records SET {change} WHERE seq = 4")).await;
        assert_eq!(seq, 4, "{change}");
    }
}

#[tokio::test]
async fn a_deleted_record_is_found() {
    let missing = "missing: record 6 is next".to_owned();
    assert_eq!(broken_by("DELETE FROM records WHERE seq IN (4, 5)").await, (4, missing));
    assert_eq!(broken_by("DELETE FROM records WHERE seq = 1").await.0, 1);
}

#[tokio::test]
async fn a_record_replaced_together_with_its_digest_is_found_at_the_next_one() {
    let place = Place::new();
    let written = fill(&place.open(), 10).await;
    let forged = Record::seal(Seq(4), written[2].digest, draft("forged"));
    let db = Connection::open(place.file()).unwrap();
    let sql = "UPDATE records SET body = 'forged', digest = ?1 WHERE seq = 4";
    db.execute(sql, [forged.digest.0]).unwrap();
    let found = verify(&place.open()).await;
    assert!(matches!(found, Err(Error::Corrupt { seq: Seq(5), .. })), "{found:?}");
}

#[tokio::test]
async fn values_of_the_wrong_type_or_size_are_found() {
    for (change, column) in [
        ("version = 65536", "version"),
        ("version = -1", "version"),
        ("previous = x'00'", "previous"),
        ("digest = x''", "digest"),
        ("body = CAST(x'ff' AS TEXT)", "body"),
        ("reason = CAST(x'c0' AS TEXT)", "reason"),
    ] {
        let (seq, what) = broken_by(&format!("UPDATE records SET {change} WHERE seq = 7")).await;
        assert_eq!(seq, 7, "{change}");
        assert!(what.starts_with(&format!("column {column}: ")), "{what}");
    }
}

#[tokio::test]
async fn a_broken_record_is_never_handed_out() {
    let place = Place::new();
    let log = place.open();
    fill(&log, 10).await;
    place.tamper("UPDATE records SET body = '{}' WHERE seq = 4");
    assert_eq!(log.read(Seq::ZERO, 3).await.unwrap().len(), 3);
    assert!(matches!(log.read(Seq::ZERO, 4).await, Err(Error::Corrupt { seq: Seq(4), .. })));
    assert_eq!(log.read(Seq(4), 10).await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_log_whose_last_record_is_broken_is_not_opened_for_writing() {
    for change in ["UPDATE records SET body = '' WHERE seq = 3", "UPDATE records SET seq = -9 - seq"] {
        let place = Place::new();
        fill(&place.open(), 3).await;
        place.tamper(change);
        let opened = SqliteLog::open(place.file());
        assert!(matches!(opened, Err(Error::Corrupt { .. })), "{change}: {opened:?}");
    }
}

#[tokio::test]
async fn the_largest_number_is_no_place_for_a_record() {
    let place = Place::new();
    let log = place.open();
    let last = Record::seal(Seq(i64::MAX as u64), crate::Digest::ZERO, draft("last"));
    let db = Connection::open(place.file()).unwrap();
    let sql = "INSERT INTO records VALUES (?1, ?2, ?3, ?4, NULL, ?5, 1, ?6, ?7, ?8)";
    let Draft { time_ms, actor, request_id, kind, body, .. } = &last.draft;
    db.execute(sql, (i64::MAX, time_ms, actor, request_id, kind, last.previous.0, last.digest.0, body))
        .unwrap();
    let full = log.append(last.seq, batch("one more")).await;
    assert_eq!(full.unwrap_err().to_string(), "corrupt log at record 9223372036854775808: the log is full");
}

#[tokio::test]
async fn changed_content_is_found_and_mended_by_putting_it_again() {
    let place = Place::new();
    let log = place.open();
    let stored = content("configuration");
    let put = Batch { drafts: vec![], contents: vec![stored.clone()] };
    log.append(Seq::ZERO, put.clone()).await.unwrap();
    for damage in ["bytes = x'00'", "bytes = CAST(bytes || 'x' AS BLOB)", "bytes = x''"] {
        place.tamper(&format!("UPDATE contents SET {damage}"));
        let read = log.content(stored.hash()).await;
        assert!(
            matches!(read, Err(Error::CorruptContent(hash)) if hash == stored.hash()),
            "{damage}: {read:?}"
        );
        log.append(Seq::ZERO, put.clone()).await.unwrap();
        assert_eq!(log.content(stored.hash()).await.unwrap().as_ref(), Some(stored.bytes()));
    }
}

#[tokio::test]
async fn a_damaged_snapshot_is_passed_over_and_replaced() {
    for damage in [
        "bytes = x'00'",
        "hash = x''",
        "digest = zeroblob(32)",
        "digest = x'00'",
        "format = -1",
        "seq = 99",
        "seq = -1",
    ] {
        let place = Place::new();
        let log = place.open();
        let written = fill(&log, 3).await;
        let snapshot = Snapshot {
            seq: Seq(2),
            digest: written[1].digest,
            format: 1,
            bytes: Bytes::from_static(b"state"),
        };
        log.save_snapshot(snapshot.clone()).await.unwrap();
        place.tamper(&format!("UPDATE snapshots SET {damage}"));
        assert_eq!(log.load_snapshot().await.unwrap(), None, "{damage}");
        log.save_snapshot(snapshot.clone()).await.unwrap();
        assert_eq!(log.load_snapshot().await.unwrap(), Some(snapshot), "{damage}");
    }
}

#[tokio::test]
async fn random_damage_to_the_file_never_panics_and_never_goes_unseen() {
    let place = Place::new();
    let log = place.open();
    let stored = content("configuration");
    log.append(Seq::ZERO, Batch { drafts: vec![draft("0")], contents: vec![stored.clone()] }).await.unwrap();
    for seq in 1..60 {
        log.append(Seq(seq), batch(&"x".repeat(200))).await.unwrap();
    }
    let written = log.read(Seq::ZERO, 100).await.unwrap();
    drop(log);
    let whole = std::fs::read(place.file()).unwrap();
    let damaged = place.folder.path().join("damaged");
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = whole.clone();
        // Without its first page the file is rarely opened at all, so mostly the damage is further back and small.
        let (from, most) = if seed % 4 == 0 { (0, 200) } else { (4096, 8) };
        for _ in 0..random.usize(1..most) {
            let at = random.usize(from..bytes.len());
            bytes[at] = random.u8(..);
        }
        if seed % 4 == 1 {
            bytes.truncate(random.usize(..bytes.len()));
        }
        std::fs::write(&damaged, bytes).unwrap();
        let Ok(log) = SqliteLog::open_read_only(&damaged) else { continue };
        if let Ok(read) = log.read(Seq::ZERO, 100).await {
            assert!(written.starts_with(&read), "seed {seed}: a wrong record was believed");
        }
        if let Ok(Some(read)) = log.content(stored.hash()).await {
            assert_eq!(&read, stored.bytes(), "seed {seed}");
        }
        let _ = log.load_snapshot().await;
        drop(log);
        if let Ok(log) = SqliteLog::open(&damaged) {
            let end = log.end().await.unwrap();
            let _ = log.append(end, batch("more")).await;
        }
    }
}
