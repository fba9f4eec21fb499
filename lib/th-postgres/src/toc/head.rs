//! What a dump begins with: its header and its table of contents.

use std::collections::HashMap;

/// The versions of the format whose entries are known: those of PostgreSQL 9.0 to 18.
const VERSIONS: std::ops::RangeInclusive<u8> = 12..=16;

/// An entry has data, but where is not noted: `K_OFFSET_POS_NOT_SET`.
const NOT_SET: u8 = 1;

/// Where things are.
pub(super) struct Head {
    /// The bytes of an integer, without the one of its sign.
    pub(super) int_size: usize,
    /// The bytes of a place, without the one that says whether it is set.
    pub(super) offset_size: usize,
    /// Where the place of an entry's data is to be noted, by the entry's id.
    pub(super) slots: HashMap<i64, usize>,
    /// Where the data begin.
    pub(super) end: usize,
}

/// Why there is no table of contents.
pub(super) enum Stop {
    /// There is more to come.
    Cut,
    /// It is of another format.
    Foreign,
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Stop> {
        let mut reader = Reader {
            bytes,
            at: 0,
            int_size: 0,
        };
        if reader.take(5)? != b"PGDMP" {
            return Err(Stop::Foreign);
        }
        let (major, minor, _) = (reader.byte()?, reader.byte()?, reader.byte()?);
        reader.int_size = usize::from(reader.byte()?);
        let offset_size = usize::from(reader.byte()?);
        let custom = reader.byte()? == 1;
        let sizes = 1..=8;
        if major != 1
            || !VERSIONS.contains(&minor)
            || !custom
            || !sizes.contains(&reader.int_size)
            || !sizes.contains(&offset_size)
        {
            return Err(Stop::Foreign);
        }
        // The compression: a level, later a method.
        match minor {
            ..15 => drop(reader.int()?),
            15.. => drop(reader.byte()?),
        }
        // When it was made, in seven numbers; the database, and the versions of both programs.
        for _ in 0..7 {
            reader.int()?;
        }
        for _ in 0..3 {
            reader.string()?;
        }
        let mut slots = HashMap::new();
        for _ in 0..reader.int()? {
            let id = reader.entry(minor)?;
            if reader.byte()? == NOT_SET {
                slots.insert(id, reader.at - 1);
            }
            reader.take(offset_size)?;
        }
        Ok(Self {
            int_size: reader.int_size,
            offset_size,
            slots,
            end: reader.at,
        })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    int_size: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.checked_add(count).ok_or(Stop::Foreign)?;
        let taken = self.bytes.get(self.at..end).ok_or(Stop::Cut)?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        Ok(self.take(1)?[0])
    }

    fn int(&mut self) -> Result<i64, Stop> {
        let taken = self.take(1 + self.int_size)?;
        int(taken).ok_or(Stop::Foreign)
    }

    /// Passes a string, and returns whether there was one: a null has the length -1.
    fn string(&mut self) -> Result<bool, Stop> {
        match usize::try_from(self.int()?) {
            Ok(length) => self.take(length).map(|_| true),
            Err(_) => Ok(false),
        }
    }

    /// Passes an entry up to the place of its data, and returns its id.
    fn entry(&mut self, minor: u8) -> Result<i64, Stop> {
        let id = self.int()?;
        // Whether it has data.
        self.int()?;
        // Its table's oid, its own, its name, and what it is.
        for _ in 0..4 {
            self.string()?;
        }
        // Before the data, of them, or after them.
        self.int()?;
        // How to create, drop and copy it; its schema and its tablespace.
        for _ in 0..5 {
            self.string()?;
        }
        if minor >= 14 {
            // The access method.
            self.string()?;
        }
        if minor >= 16 {
            // The kind of relation.
            self.int()?;
        }
        // Its owner, and whether it has oids.
        for _ in 0..2 {
            self.string()?;
        }
        // What it depends on, up to a null.
        while self.string()? {}
        Ok(id)
    }
}

/// Returns the integer whose first byte is its sign, and the others its digits, lowest first; none
/// when it is too large.
pub(super) fn int(bytes: &[u8]) -> Option<i64> {
    let (sign, digits) = bytes.split_first()?;
    let value = digits.iter().rev().try_fold(0_i64, |value, digit| {
        value.checked_mul(256)?.checked_add(i64::from(*digit))
    })?;
    Some(if *sign == 0 { value } else { -value })
}
