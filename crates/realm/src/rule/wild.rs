//! Matching with wildcards, in time that is at worst the product of both lengths.

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<T> {
    /// This.
    Is(T),
    /// Any number of anything, none included.
    Any,
}

/// Whether a pattern fits the whole of `text`. A wildcard takes only what `takes` lets it.
pub(super) fn fits<P, T>(
    pattern: &[Part<P>],
    text: &[T],
    is: impl Fn(&P, &T) -> bool,
    takes: impl Fn(&T) -> bool,
) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last wildcard stands, and up to where it has taken.
    let mut last: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some(Part::Any), _) => {
                last = Some((p, t));
                p += 1;
                continue;
            }
            (Some(Part::Is(wanted)), Some(found)) if is(wanted, found) => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            _ => {}
        }
        // The earliest place for what stands between two wildcards leaves the most to what follows.
        let Some((any, taken)) = last else { return false };
        if !text.get(taken).is_some_and(&takes) {
            return false;
        }
        (p, t) = (any + 1, taken + 1);
        last = Some((any, taken + 1));
    }
    pattern.get(p..).unwrap_or_default().iter().all(|part| matches!(part, Part::Any))
}
