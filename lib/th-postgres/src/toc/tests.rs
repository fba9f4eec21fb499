use super::*;

const NOT_SET: u8 = 1;
const NO_DATA: u8 = 3;

/// Writes dumps as `pg_dump` does: into a file, where places are set, or into a pipe.
struct Writer {
    bytes: Vec<u8>,
    minor: u8,
}

impl Writer {
    fn int(&mut self, value: i32) {
        self.bytes.push(u8::from(value < 0));
        self.bytes.extend(value.unsigned_abs().to_le_bytes());
    }

    fn string(&mut self, text: &str) {
        self.int(text.len() as i32);
        self.bytes.extend(text.as_bytes());
    }

    fn strings(&mut self, texts: &[&str]) {
        texts.iter().for_each(|text| self.string(text));
    }

    fn head(minor: u8) -> Self {
        let bytes = [b"PGDMP".as_slice(), &[1, minor, 0, 4, 8, 1]].concat();
        let mut writer = Self { bytes, minor };
        match minor {
            ..15 => writer.int(0),
            15.. => writer.bytes.push(0),
        }
        (0..7).for_each(|n| writer.int(n * 40));
        writer.strings(&["shop", "15.18", "15.18"]);
        writer
    }

    /// Returns where its place is noted.
    fn entry(&mut self, id: i32, flag: u8) -> usize {
        self.int(id);
        self.int(i32::from(flag != NO_DATA));
        self.strings(&["0", "16385", "users", "TABLE DATA"]);
        self.int(3);
        self.strings(&[
            "CREATE \u{1}\0 …",
            "",
            "COPY users FROM stdin;\n",
            "public",
            "",
        ]);
        if self.minor >= 14 {
            self.string("heap");
        }
        if self.minor >= 16 {
            self.int(114);
        }
        self.strings(&["postgres", "false", "12", "13"]);
        self.int(-1);
        self.bytes.push(flag);
        self.bytes.extend([0; 8]);
        self.bytes.len() - 9
    }

    fn block(&mut self, kind: u8, id: i32) -> usize {
        let at = self.bytes.len();
        self.bytes.push(kind);
        self.int(id);
        at
    }

    fn pieces(&mut self, pieces: &[&[u8]]) {
        for piece in pieces {
            self.int(piece.len() as i32);
            self.bytes.extend(*piece);
        }
        self.int(0);
    }
}

/// Returns a dump of a pipe, and what its table of contents is in a file.
fn dump(minor: u8) -> (Vec<u8>, Vec<u8>) {
    let mut writer = Writer::head(minor);
    writer.int(4);
    let users = writer.entry(217, NOT_SET);
    writer.entry(3, NO_DATA);
    let objects = writer.entry(218, NOT_SET);
    let empty = writer.entry(70_000, NOT_SET);
    let end = writer.bytes.len();

    let long = [0_u8; 3000];
    let mut places = vec![(users, writer.block(1, 217))];
    writer.pieces(&[b"1\tAda\n", &long, b"\x03"]);
    places.push((objects, writer.block(3, 218)));
    writer.int(16_999);
    writer.pieces(&[&long, &long]);
    writer.int(17_000);
    writer.pieces(&[]);
    writer.int(0);
    places.push((empty, writer.block(1, 70_000)));
    writer.pieces(&[]);

    let mut toc = writer.bytes[..end].to_vec();
    for (slot, place) in places {
        toc[slot] = 2;
        toc[slot + 1..slot + 9].copy_from_slice(&(place as u64).to_le_bytes());
    }
    (writer.bytes, toc)
}

fn toc(dump: &[u8], chunk: usize) -> Option<Vec<u8>> {
    let mut toc = Toc::default();
    dump.chunks(chunk).for_each(|bytes| toc.pass(bytes));
    toc.finish()
}

#[test]
fn a_dump_of_a_pipe_gets_the_places_that_one_of_a_file_has() {
    for minor in 12..=16 {
        let (dump, expected) = dump(minor);
        for chunk in [1, 2, 3, 7, 100, 4096, dump.len()] {
            assert!(toc(&dump, chunk) == Some(expected.clone()), "1.{minor}");
        }
    }
}

#[test]
fn a_dump_that_is_not_whole_has_none() {
    let (dump, _) = dump(14);
    let whole: Vec<usize> = (0..=dump.len())
        .filter(|end| toc(&dump[..*end], 50).is_some())
        .collect();
    // Between two blocks it cannot tell: there `pg_dump` itself says whether it has ended.
    assert_eq!(whole.len(), 3, "{whole:?}");
    assert_eq!(whole.last(), Some(&dump.len()));
}

#[test]
fn what_is_not_known_is_left_alone() {
    let (good, _) = dump(14);
    let with = |at: usize, byte: u8| {
        let mut dump = good.clone();
        dump[at] = byte;
        toc(&dump, 64)
    };
    assert!(with(0, b'X').is_none(), "no dump");
    assert!(with(6, 17).is_none(), "a later version");
    assert!(with(10, 3).is_none(), "a tar");
    assert!(toc(&[], 64).is_none());
    assert!(
        toc(&[&good[..], b"\x07"].concat(), 64).is_none(),
        "a block of another kind"
    );
    let stranger = [&good[..], &[1, 0, 99, 0, 0, 0]].concat();
    assert!(toc(&stranger, 64).is_none(), "data of no entry");

    let mut writer = Writer::head(14);
    writer.int(1);
    writer.entry(3, NO_DATA);
    assert!(toc(&writer.bytes, 64).is_none(), "no data");
}

#[test]
fn no_bytes_make_it_panic() {
    let (good, _) = dump(16);
    for at in 0..good.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut dump = good.clone();
            dump[at] = byte;
            let _ = toc(&dump, 1000);
        }
    }
}
