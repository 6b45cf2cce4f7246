//! Opening a large realm from its snapshot, next to reading and decompressing the same bytes.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::bench::Bench;
use crate::pairs::measure;
use crate::ratio::short;
use crate::table::{Figure, Row, Target};

const WHAT: &str = "opening a realm, from the start of the server to the first right answer";
const AGAINST: &str = "reading and decompressing the same snapshot";

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let site = bench.take_large()?;
    let path = bench.check_path(&site.server)?;
    let what = format!("{WHAT}, {}", site.scale.title());
    // The first one makes the snapshot when it stops, and is not counted.
    let (site, _) = site.restart(&path)?;
    let file = site.data().join("grantd.db");
    let Some(snapshot) = newest(&file)? else {
        bench.table.row(&Row::not_available(what, AGAINST, "the server kept no snapshot"));
        bench.give_large(site);
        return Ok(());
    };
    let mut site = Some(site);
    let pairs = measure(
        bench.options.pairs,
        || {
            let (restarted, seconds) = site.take().context("a server")?.restart(&path)?;
            site = Some(restarted);
            Ok(seconds)
        },
        || {
            let start = Instant::now();
            let bytes = decompress(&file, snapshot)?;
            ensure!(bytes > 0, "the snapshot is empty");
            Ok(start.elapsed().as_secs_f64())
        },
    )?;
    let [a, b] = [pairs.median_a(), pairs.median_b()].map(short);
    bench.table.row(&Row {
        what,
        against: AGAINST.to_owned(),
        figure: Figure::Ratio(pairs.a_to_b()),
        medians: format!(
            "{a} s against {b} s; {} MB decompressed",
            short(decompress(&file, snapshot)? as f64 / 1e6)
        ),
        target: Target::AtMost(3.0),
    });
    bench.table.note(
        "**Opening** is that of the real server: its process starts, opens the store, reads, checks and builds the realm, listens, and \
         answers a question about it over HTTP. Reading and decompressing is one thread in this program that takes the pieces out \
         of the same SQLite file, compares no checksum and builds nothing. The file is in the page cache for both.",
    );
    if let Some(site) = site {
        bench.give_large(site);
    }
    Ok(())
}

fn open(file: &Path) -> anyhow::Result<Connection> {
    Ok(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// The number of the default realm's newest whole snapshot.
fn newest(file: &Path) -> anyhow::Result<Option<i64>> {
    let sql = "SELECT id FROM snapshot WHERE realm = 'default' AND whole = 1 ORDER BY revision DESC LIMIT 1";
    Ok(open(file)?.query_row(sql, [], |row| row.get(0)).optional()?)
}

/// Reads and decompresses a snapshot's pieces; gives how many bytes they are.
fn decompress(file: &Path, snapshot: i64) -> anyhow::Result<usize> {
    let db = open(file)?;
    let mut pieces = db.prepare("SELECT bytes FROM snapshot_chunk WHERE snapshot = ?1 ORDER BY number")?;
    let mut rows = pieces.query([snapshot])?;
    let mut state = Vec::new();
    while let Some(row) = rows.next()? {
        let piece = row.get_ref(0)?.as_blob()?;
        zstd::stream::copy_decode(piece, &mut state).context("a piece cannot be decompressed")?;
    }
    Ok(state.len())
}
