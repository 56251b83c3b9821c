//! One line of a CSV file as its cells: quoted ones too, but a cell that goes over a line's end is cut there, so that a quote nobody
//! closed does not take the rest of the file with it.

use csv_core::{ReadRecordResult, Reader};

use super::limits::COLUMNS;

/// Cells of the line read last.
#[derive(Debug)]
pub(super) struct Cells {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Cells {
    pub(super) fn new() -> Self {
        Self { reader: Reader::new(), text: Vec::new(), ends: vec![0; COLUMNS], count: 0 }
    }

    /// Reads a line. None: it is cut off inside a quote, or has more columns than any format.
    pub(super) fn read(&mut self, line: &str) -> Option<&Self> {
        self.reader.reset();
        self.text.resize(line.len(), 0);
        let (result, _, written, ended) =
            self.reader.read_record(line.as_bytes(), &mut self.text, &mut self.ends);
        let (whole, more) = match result {
            // All was read, and no end was seen: the end is said by an empty input.
            ReadRecordResult::InputEmpty => {
                let (result, _, _, more) =
                    self.reader.read_record(b"", &mut self.text[written..], &mut self.ends[ended..]);
                (matches!(result, ReadRecordResult::Record), more)
            }
            ReadRecordResult::Record => (true, 0),
            _ => (false, 0),
        };
        self.count = ended + more;
        whole.then_some(self)
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// A cell without space around it.
    pub(super) fn get(&self, place: usize) -> &str {
        let from = if place == 0 { 0 } else { self.ends[place - 1] };
        // Cells are cut out of a text at ASCII characters.
        std::str::from_utf8(&self.text[from..self.ends[place]]).map_or("", str::trim)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.count).map(|place| self.get(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Option<Vec<String>> {
        Cells::new().read(line).map(|cells| cells.iter().map(str::to_owned).collect())
    }

    #[test]
    fn cells_are_read_with_and_without_quotes() {
        for (line, expected) in [
            ("a,b,c", vec!["a", "b", "c"]),
            ("a, b ,", vec!["a", "b", ""]),
            (r#""a,b","say ""so""",c"#, vec!["a,b", r#"say "so""#, "c"]),
            ("ü,é", vec!["ü", "é"]),
            ("one", vec!["one"]),
        ] {
            assert_eq!(cells(line), Some(expected.into_iter().map(str::to_owned).collect()), "{line}");
        }
        let too_many = vec!["x"; COLUMNS + 1].join(",");
        assert_eq!(cells(&too_many), None);
    }

    #[test]
    fn a_reader_forgets_the_line_before() {
        let mut reader = Cells::new();
        assert_eq!(reader.read("a,\"b").map(Cells::count), Some(2));
        let second: Vec<_> = reader.read("c,d,e").expect("cells").iter().map(str::to_owned).collect();
        assert_eq!(second, ["c", "d", "e"]);
    }
}
