//! How a manifest is laid out: indented for people, with each element of a list on one line.
//!
//! Most of a manifest is lists (tables, columns, packs). So it is a third smaller than indented
//! throughout, which counts where thousands are read, and its lines can be searched and compared.

use std::io::{Result, Write};

use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// Indents what is not within an element of a list.
pub(super) struct Layout {
    outside: PrettyFormatter<'static>,
    within: CompactFormatter,
    /// How many elements are open, one in the other.
    elements: usize,
}

impl Layout {
    pub(super) fn new() -> Self {
        Self {
            outside: PrettyFormatter::new(),
            within: CompactFormatter,
            elements: 0,
        }
    }
}

/// Asks whichever formatter the place calls for.
macro_rules! by_place {
    ($($name:ident($($first:ident)?)),+ $(,)?) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $first: bool)?) -> Result<()> {
            match self.elements {
                0 => self.outside.$name(writer $(, $first)?),
                _ => self.within.$name(writer $(, $first)?),
            }
        })+
    };
}

impl Formatter for Layout {
    by_place!(
        begin_array(),
        end_array(),
        begin_object(),
        end_object(),
        begin_object_key(first),
        begin_object_value(),
        end_object_value(),
    );

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> Result<()> {
        self.elements += 1;
        match self.elements {
            1 => self.outside.begin_array_value(writer, first),
            _ => self.within.begin_array_value(writer, first),
        }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> Result<()> {
        self.elements -= 1;
        match self.elements {
            0 => self.outside.end_array_value(writer),
            _ => self.within.end_array_value(writer),
        }
    }
}
