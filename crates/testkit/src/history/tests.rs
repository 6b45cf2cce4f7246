//! Each violation by hand, and random histories that have none until something is changed in them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test panics")]

mod by_hand;
mod mutation;
mod random;

use proptest::prelude::*;

use super::{Rules, Violation, check};

fn names(violations: &[Violation]) -> Vec<&'static str> {
    let mut names: Vec<_> = violations.iter().map(Violation::name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

proptest! {
    #[test]
    fn a_cluster_that_does_right_is_not_accused(lot in any::<u64>()) {
        let random::Past { ledger, history } = random::cluster(lot);
        prop_assert_eq!(check(&ledger, &history, Rules::default()), vec![]);
    }

    #[test]
    fn whatever_is_changed_is_found(lot in any::<u64>(), pick in any::<u64>()) {
        for mutation in mutation::ALL {
            let mut past = random::cluster(lot);
            if (mutation.change)(&mut past, pick).is_some() {
                let found = names(&check(&past.ledger, &past.history, Rules::default()));
                prop_assert!(found.contains(&mutation.name), "{} is not in {found:?}", mutation.name);
            }
        }
    }
}

#[test]
fn each_change_can_be_made() {
    for mutation in mutation::ALL {
        let made = (0..200).any(|lot| (mutation.change)(&mut random::cluster(lot), lot).is_some());
        assert!(made, "no random history has what {} takes", mutation.name);
    }
}
