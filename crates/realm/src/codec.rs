//! The realm's binary form, for changes, state snapshots and remembered answers.
//!
//! Integers are little-endian and of fixed width, texts and byte strings carry a `u32` length. There are no
//! floats and no map order, so that equal values have equal bytes for ever.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::personal::Personal;

/// What is wrong with bytes that should have been ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end before the value does.
    #[error("the bytes end too early")]
    Short,
    /// A value is left over behind the last field.
    #[error("{0} bytes are left over")]
    Trailing(usize),
    /// A text is not UTF-8.
    #[error("a text is not valid UTF-8")]
    Utf8,
    /// A tag or name has no meaning here.
    #[error("{what} has the unknown value {found}")]
    Unknown {
        /// Which field.
        what: &'static str,
        /// What stood there.
        found: String,
    },
}

/// Writes the binary form.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    personal: Vec<Personal>,
    first_slot: usize,
    values: Values,
    hasher: Option<blake3::Hasher>,
}

/// What a writer does with the values of a state's personal fields.
#[derive(Clone, Copy, Default)]
enum Values {
    /// Nothing stands in their place.
    #[default]
    LeftOut,
    /// They are written.
    Revealed,
    /// Each stands there as if it had been erased.
    Withheld,
}

/// How many bytes of a hash are collected before they are hashed.
const SPILL: usize = 64 << 10;

impl Writer {
    /// For bytes without personal fields, and for hashes.
    pub fn new() -> Self {
        Self::default()
    }

    /// For a change: its personal fields become slots from this number on, collected beside the bytes.
    pub fn from_slot(first_slot: usize) -> Self {
        Self { first_slot, ..Self::default() }
    }

    /// For a state snapshot: personal fields keep their value. Without this the bytes hold only commitments, so
    /// that a state's hash is the same before and after an erasure.
    pub fn revealing() -> Self {
        Self { values: Values::Revealed, ..Self::default() }
    }

    /// For a state snapshot that is kept apart from personal values: it reads like one of a state of which all are erased.
    /// See [`Reader::with_values`].
    pub fn withholding() -> Self {
        Self { values: Values::Withheld, ..Self::default() }
    }

    /// For the hash of more bytes than should be in memory at once, by BLAKE3's key derivation with this context. See
    /// [`Self::spill`] and [`Self::hash`].
    pub fn hashing(context: &str) -> Self {
        Self { hasher: Some(blake3::Hasher::new_derive_key(context)), ..Self::default() }
    }

    /// To be called now and then while a hash is made: forgets bytes that are hashed. Without a hash it does nothing.
    pub fn spill(&mut self) {
        if let Some(hasher) = &mut self.hasher
            && self.bytes.len() >= SPILL
        {
            hasher.update(&self.bytes);
            self.bytes.clear();
        }
    }

    /// The hash of what was written, if this writer is for a hash.
    pub fn hash(self) -> Option<[u8; 32]> {
        self.hasher.map(|mut hasher| *hasher.update(&self.bytes).finalize().as_bytes())
    }

    /// For what has a binary form of its own: the bytes so far, to be appended to.
    pub fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
    }

    /// The bytes, and the personal values that they name by slot.
    pub fn finish(self) -> (Vec<u8>, Vec<Personal>) {
        (self.bytes, self.personal)
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// A flag.
    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes, signed.
    pub fn i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Bytes of a length that the reader knows.
    pub fn fixed(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    /// Bytes with their length. Nothing that reaches the codec comes near 4 GiB: limits at the edge see to that.
    pub fn bytes(&mut self, value: &[u8]) {
        self.u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(value);
    }

    /// A text with its length.
    pub fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    /// An id.
    pub fn uuid(&mut self, value: Uuid) {
        self.fixed(value.as_bytes());
    }

    /// A value that may be absent.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.u8(0),
            Some(value) => {
                self.u8(1);
                write(self, value);
            }
        }
    }

    /// A list of texts.
    pub fn texts<T: AsRef<str>>(&mut self, values: &[T]) {
        self.u32(u32::try_from(values.len()).unwrap_or(u32::MAX));
        values.iter().for_each(|value| self.text(value.as_ref()));
    }

    /// A personal field of a change: its slot.
    pub fn slot(&mut self, value: &Personal) {
        self.u32(u32::try_from(self.first_slot + self.personal.len()).unwrap_or(u32::MAX));
        self.personal.push(value.clone());
    }

    /// A personal field of a state: its commitment, and its value if this writer reveals values.
    pub fn personal(&mut self, value: &Personal) {
        self.fixed(&value.commitment);
        match self.values {
            Values::LeftOut => {}
            Values::Revealed => self.option(value.value.as_deref(), Self::text),
            Values::Withheld => self.option(None, Self::text),
        }
    }
}

/// Reads the binary form. Any bytes give a value or a [`CodecError`], never a panic.
pub struct Reader<'a> {
    bytes: &'a [u8],
    slots: &'a [Personal],
    values: Option<&'a KnownValues>,
}

/// Personal values by what was committed to.
pub type KnownValues = HashMap<[u8; 32], Arc<str>>;

impl<'a> Reader<'a> {
    /// For bytes without personal fields, or a revealing snapshot.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, slots: &[], values: None }
    }

    /// For a change, whose personal fields are slots into these.
    pub fn with_slots(bytes: &'a [u8], slots: &'a [Personal]) -> Self {
        Self { bytes, slots, values: None }
    }

    /// For a withholding snapshot: the values that are still known are put back.
    pub fn with_values(bytes: &'a [u8], values: &'a KnownValues) -> Self {
        Self { bytes, slots: &[], values: Some(values) }
    }

    /// Ends the reading; left-over bytes are an error.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(CodecError::Trailing(self.bytes.len())) }
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// Bytes of a known length.
    pub fn fixed(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(CodecError::Short)?;
        self.bytes = rest;
        Ok(head)
    }

    /// An array of a known length.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        self.fixed(N)?.try_into().map_err(|_| CodecError::Short)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, CodecError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// A flag; any byte but 0 and 1 is an error.
    pub fn bool(&mut self) -> Result<bool, CodecError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(CodecError::Unknown { what: "a flag", found: other.to_string() }),
        }
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Eight bytes, signed.
    pub fn i64(&mut self) -> Result<i64, CodecError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// Bytes with their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let length = self.u32()? as usize;
        self.fixed(length)
    }

    /// A text.
    pub fn text(&mut self) -> Result<&'a str, CodecError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| CodecError::Utf8)
    }

    /// An id.
    pub fn uuid(&mut self) -> Result<Uuid, CodecError> {
        Ok(Uuid::from_bytes(self.array()?))
    }

    /// A value that may be absent.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Option<T>, CodecError> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A list of texts.
    pub fn texts<T: for<'t> From<&'t str>>(&mut self) -> Result<Vec<T>, CodecError> {
        (0..self.u32()?).map(|_| self.text().map(T::from)).collect()
    }

    /// A personal field of a change.
    pub fn slot(&mut self) -> Result<Personal, CodecError> {
        let slot = self.u32()?;
        self.slots
            .get(slot as usize)
            .cloned()
            .ok_or_else(|| CodecError::Unknown { what: "a disclosure slot", found: slot.to_string() })
    }

    /// A personal field of a snapshot.
    pub fn personal(&mut self) -> Result<Personal, CodecError> {
        let commitment = self.array()?;
        let written = self.option(|r| r.text().map(Into::into))?;
        let value = written.or_else(|| self.values?.get(&commitment).cloned());
        Ok(Personal { commitment, salt: None, value })
    }
}
