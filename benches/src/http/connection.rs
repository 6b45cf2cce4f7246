//! HTTP/1.1 answers, as far as this program meets them.

use anyhow::{Context as _, bail};

/// The body, if all of the answer is there. Any status but 200 is an error.
pub(crate) fn whole_answer(buffer: &[u8]) -> anyhow::Result<Option<&[u8]>> {
    let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(buffer.get(..head).unwrap_or_default())?;
    if !text.starts_with("HTTP/1.1 200") {
        bail!("unexpected answer: {}", String::from_utf8_lossy(buffer));
    }
    let length: usize = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without a length")?
        .1
        .parse()?;
    let body = buffer.get(head + 4..).unwrap_or_default();
    Ok((body.len() >= length).then_some(body))
}

#[cfg(test)]
mod tests {
    use super::whole_answer;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        for end in 0..answer.len() {
            assert_eq!(whole_answer(&answer[..end]).unwrap(), None);
        }
        assert_eq!(whole_answer(answer).unwrap(), Some(&b"{}"[..]));
        assert!(whole_answer(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
