//! One suite for every store. SQLite runs always. PostgreSQL needs a server and shows as ignored without one:
//! `GRANTD_TEST_POSTGRES=postgres://... cargo test -p grantd-ledger -- --include-ignored`; each test has a schema
//! of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "a test says what is wrong by panicking"
)]

mod cutting;
mod postgres;
mod postgres_cost;
mod postgres_hosts;
mod postgres_lost;
mod postgres_only;
mod postgres_tls;
mod postgres_view;
mod private;
mod sqlite;
mod sqlite_only;
mod suite;
mod world;

/// Makes a test for each store out of each function of the suite.
macro_rules! conformance {
    ($($theme:ident: $($case:ident),+;)+) => {
        mod on_sqlite {
            $(mod $theme { $(
                #[tokio::test]
                async fn $case() {
                    let subject = crate::sqlite::subject().await;
                    crate::suite::$theme::$case(&subject.world()).await;
                }
            )+ })+
        }
        mod on_postgres {
            $(mod $theme { $(
                #[tokio::test]
                #[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
                async fn $case() {
                    let subject = crate::postgres::subject().await;
                    crate::suite::$theme::$case(&subject.world()).await;
                }
            )+ })+
        }
    };
}

conformance! {
    appends: create_once, order_and_paging, heads_of_many, conflict_tells_the_head, one_winner_among_many, many_at_once,
        refused_drafts, unknown_realm, realms_are_isolated, commands_are_found, continue_as, time_never_runs_back,
        reopen_keeps_everything, closed_store_fails;
    side_data: rows_expire_and_are_purged, rows_go_with_the_append, rows_are_listed_by_prefix, rows_are_found_by_key,
        a_renewed_row_does_not_come_back, a_row_is_moved_by_one, a_row_is_taken_once, what_cannot_be_taken_writes_nothing, secrets, checkpoints;
    erasure: erased_values_are_gone, erasure_needs_the_head, late_snapshot_is_refused;
    moving: entries_are_adopted_as_they_are, what_does_not_follow_is_not_adopted, all_rows_page_by_page,
        side_data_is_cleared, a_store_is_marked_unfinished;
    snapshots: round_trip, newest_replaces_older, damaged_chunk_counts_as_none, foreign_snapshot_counts_as_none;
    bases: archived_entries_are_gone, everything_can_be_archived, a_base_is_compared_and_set, snapshots_leave_the_base_alone,
        an_erasure_reaches_archived_values, erased_meanwhile_is_of_nobody, entries_are_put_back,
        other_entries_are_not_put_back, a_base_is_adopted, a_damaged_base_is_noticed, appends_go_on_meanwhile;
    damage: changed_entry, missing_entry, swapped_entries, cut_ledger, replaced_ledger;
}
