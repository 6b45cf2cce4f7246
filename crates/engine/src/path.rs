//! Ids of path types: lists of segments, written `/a/b/`.
//!
//! What is stored on a path counts for everything below it, so one thing must have one spelling. [`normalise`] is the
//! only place that knows it; its table of cases is `cases/paths.txt`.

use std::borrow::Cow;
use std::fmt::Write;

use thiserror::Error;

use crate::segment;
use crate::text::hex_pair;

/// The most segments a path may have.
pub const MAX_SEGMENTS: usize = 64;

/// Why an id is no path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// The id has no byte.
    #[error("the path is empty: the root is `/`")]
    Empty,
    /// Two slashes follow each other.
    #[error("`{0}` has an empty segment: write one `/` between segments")]
    EmptySegment(String),
    /// More than [`MAX_SEGMENTS`] segments.
    #[error("the path has {0} segments: at most 64 are allowed")]
    TooDeep(usize),
}

/// The one spelling of a path: `/` or `/a/b/`.
///
/// An id without a leading slash is opaque: it becomes a single segment by [`segment::encode`], slashes and percent signs
/// included. One with a leading slash is a list of segments, in which every byte outside `[A-Za-z0-9_.~-]` is
/// percent-encoded with upper-case digits, whatever way it came, and every other byte is not (RFC 3986, section 6.2.2). A segment that is `.` or `..` is
/// encoded too, for the reader who resolves paths.
pub fn normalise(id: &str) -> Result<Cow<'_, str>, PathError> {
    if id.is_empty() {
        return Err(PathError::Empty);
    }
    let Some(path) = id.strip_prefix('/') else {
        return Ok(Cow::Owned(format!("/{}/", segment::encode(id))));
    };
    if path.is_empty() {
        return Ok(Cow::Borrowed(id));
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments = path.split('/').count();
    if path.split('/').any(str::is_empty) {
        return Err(PathError::EmptySegment(id.to_owned()));
    }
    if segments > MAX_SEGMENTS {
        return Err(PathError::TooDeep(segments));
    }
    if id.ends_with('/') && path.split('/').all(is_normal) {
        return Ok(Cow::Borrowed(id));
    }
    let mut normal = String::with_capacity(id.len() + 1);
    normal.push('/');
    for segment in path.split('/') {
        push_segment(&mut normal, segment);
    }
    Ok(Cow::Owned(normal))
}

/// The path itself and then each path above it, the root last. `id` must be normal.
///
/// ```
/// let up: Vec<_> = grantd_engine::path::upwards("/a/b/").collect();
/// assert_eq!(up, ["/a/b/", "/a/", "/"]);
/// ```
pub fn upwards(id: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(id), |path| {
        let inside = path.strip_suffix('/')?;
        let end = inside.rfind('/')?;
        inside.get(..=end)
    })
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'~' | b'-')
}

/// Whether the segment needs no change. Anything encoded is left to the slow way, which is rare.
fn is_normal(segment: &str) -> bool {
    segment.bytes().all(plain) && segment != "." && segment != ".."
}

fn push_segment(normal: &mut String, segment: &str) {
    let start = normal.len();
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if plain(byte) {
            normal.push(char::from(byte));
            continue;
        }
        let mut ahead = bytes.clone();
        let encoded = if byte == b'%' { hex_pair(ahead.next(), ahead.next()) } else { None };
        if encoded.is_some() {
            bytes = ahead;
        }
        match encoded.unwrap_or(byte) {
            byte if plain(byte) => normal.push(char::from(byte)),
            byte => push_encoded(normal, byte),
        }
    }
    let dots = match normal.get(start..) {
        Some(".") => 1,
        Some("..") => 2,
        _ => 0,
    };
    if dots > 0 {
        normal.truncate(start);
        for _ in 0..dots {
            push_encoded(normal, b'.');
        }
    }
    normal.push('/');
}

fn push_encoded(normal: &mut String, byte: u8) {
    // Writing to a `String` cannot fail.
    let _ = write!(normal, "%{byte:02X}");
}
