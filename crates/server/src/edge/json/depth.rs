//! How deep a JSON text is nested, without reading it as JSON.

/// Whether the text opens more than `max` arrays and objects inside one another. Text that is not JSON gets an answer,
/// too; the parser is who refuses it.
pub(super) fn deeper_than(text: &[u8], max: usize) -> bool {
    // Fewer brackets than levels: no need to look where they are. This is nearly every body.
    let openers = text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    openers > max && scan(text, max)
}

fn scan(text: &[u8], max: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > max {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
