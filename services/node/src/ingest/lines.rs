//! Lines of a file, one at a time, each of bounded length.

use std::io::{self, BufRead as _, BufReader, Read};

use super::limits::{LINE_BYTES, READ_BYTES};

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(&'a str),
    /// Too long, or not UTF-8: how it begins, and what is wrong with it.
    Unreadable(String, &'static str),
}

#[derive(Debug)]
pub(super) struct Lines<R> {
    from: BufReader<R>,
    buffer: Vec<u8>,
    /// Of the line read last, from 1.
    pub(super) number: u64,
    /// So far, with their ends.
    pub(super) bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from: BufReader::with_capacity(READ_BYTES, from), buffer: Vec::new(), number: 0, bytes: 0 }
    }

    /// Whether the next line would have to be waited for.
    pub(super) fn is_drained(&self) -> bool {
        self.from.buffer().is_empty()
    }

    /// The next line that is not blank, without its end; none after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            self.buffer.clear();
            let read = (&mut self.from).take(LINE_BYTES as u64 + 1).read_until(b'\n', &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.bytes += read as u64;
            if read > LINE_BYTES && self.buffer.last() != Some(&b'\n') {
                self.bytes += self.from.skip_until(b'\n')? as u64;
                return Ok(Some(Line::Unreadable(beginning(&self.buffer), "the line is longer than 64 KiB")));
            }
            if self.number == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
        }
        let end = self.buffer.trim_ascii_end().len();
        Ok(Some(match std::str::from_utf8(&self.buffer[..end]) {
            Ok(text) => Line::Text(text),
            Err(_) => Line::Unreadable(beginning(&self.buffer[..end]), "the line is not UTF-8"),
        }))
    }
}

fn beginning(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(super::limits::ORIGINAL_BYTES)];
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers_and_blank_ones_are_passed_over() {
        let mut lines = Lines::new(&b"\xef\xbb\xbfone\r\n\n  \ntwo"[..]);
        assert_eq!(lines.next().expect("readable"), Some(Line::Text("one")));
        assert_eq!(lines.number, 1);
        assert_eq!(lines.next().expect("readable"), Some(Line::Text("two")));
        assert_eq!((lines.number, lines.bytes), (4, 15));
        assert_eq!(lines.next().expect("readable"), None);
    }

    #[test]
    fn a_line_without_an_end_is_given_up_and_the_next_one_read() {
        let mut text = vec![b'x'; 3 * LINE_BYTES];
        text.extend(b"\nnext\n\xff\n");
        let mut lines = Lines::new(&text[..]);
        let long = lines.next().expect("readable");
        assert_eq!(long, Some(Line::Unreadable("x".repeat(256), "the line is longer than 64 KiB")));
        assert_eq!(lines.next().expect("readable"), Some(Line::Text("next")));
        assert!(matches!(
            lines.next().expect("readable"),
            Some(Line::Unreadable(_, "the line is not UTF-8"))
        ));
        assert_eq!(lines.bytes, text.len() as u64);
    }
}
