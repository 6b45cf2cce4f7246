//! The lines of an import, for `fuzz/`.

use grantd_node::realm::engine::{Relationship, Schema};

use super::relationship_lines::{Format, LineReader, write_header, write_line};

/// The relationship of a line of JSON, if it is one.
pub fn json_line(line: &[u8], schema: &Schema) -> Option<Relationship> {
    LineReader::JsonLines.read(line, schema).ok()
}

/// The relationship of a record of CSV under a header, if it is one.
pub fn csv_line(header: &[u8], record: &[u8], schema: &Schema) -> Option<Relationship> {
    LineReader::csv(header).ok()?.read(record, schema).ok()
}

/// A relationship as an export writes it: as a line of JSON, and as a header and a record of CSV, without the last end of line.
pub fn written(relationship: &Relationship) -> (Vec<u8>, Vec<u8>) {
    let [json, csv] = [Format::JsonLines, Format::Csv].map(|format| {
        let mut out = Vec::new();
        write_header(format, &mut out);
        write_line(format, relationship.clone(), &mut out);
        out.pop();
        out
    });
    (json, csv)
}
