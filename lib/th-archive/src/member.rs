//! Members of tar archives: how ours are written, and which are accepted.

use std::io::{self, Read, Write};

use tar::{EntryType, Header};

use crate::{EntryPath, Error, Meta};

/// The unit of a tar archive.
const BLOCK: u64 = 512;

/// Writes the header of a regular file of `size` bytes. Names of any length and bytes are written:
/// long ones as GNU tar does.
pub(crate) fn write_header(
    writer: &mut impl Write,
    path: &EntryPath,
    meta: &Meta,
    size: u64,
) -> io::Result<()> {
    let name = path.as_bytes();
    let mut header = Header::new_gnu();
    let field = header.as_old().name.len();
    if name.len() > field {
        let mut long = Header::new_gnu();
        set_name(&mut long, b"././@LongLink");
        long.set_entry_type(EntryType::GNULongName);
        long.set_mode(0o644);
        long.set_uid(0);
        long.set_gid(0);
        long.set_mtime(0);
        // The name is ended by a zero byte.
        let length = name.len() as u64 + 1;
        long.set_size(length);
        long.set_cksum();
        writer.write_all(long.as_bytes())?;
        writer.write_all(name)?;
        writer.write_all(&[0])?;
        write_padding(writer, length)?;
    }
    set_name(&mut header, &name[..name.len().min(field)]);
    header.set_entry_type(EntryType::Regular);
    header.set_mode(meta.mode);
    header.set_uid(meta.uid.into());
    header.set_gid(meta.gid.into());
    // Tar has no times before 1970 nor parts of a second: the listing has.
    header.set_mtime(u64::try_from(meta.mtime.seconds()).unwrap_or(0));
    header.set_size(size);
    header.set_cksum();
    writer.write_all(header.as_bytes())
}

fn set_name(header: &mut Header, name: &[u8]) {
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
}

/// Fills up the last block of a member of `size` bytes.
pub(crate) fn write_padding(writer: &mut impl Write, size: u64) -> io::Result<()> {
    const ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];
    writer.write_all(&ZEROS[..(size.next_multiple_of(BLOCK) - size) as usize])
}

/// Ends an archive.
pub(crate) fn write_end(writer: &mut impl Write) -> io::Result<()> {
    writer.write_all(&[0; 2 * BLOCK as usize])
}

/// Returns the path of a member, which must be a regular file under a plain relative path: our
/// archives hold nothing else, and nothing else is ever unpacked.
pub(crate) fn path<R: Read>(archive: &str, entry: &tar::Entry<'_, R>) -> Result<EntryPath, Error> {
    let name = entry.path_bytes();
    let hostile = |problem| Error::Hostile {
        archive: archive.to_owned(),
        member: String::from_utf8_lossy(&name).into_owned(),
        problem,
    };
    if entry.header().entry_type() != EntryType::Regular {
        return Err(hostile("is not a regular file"));
    }
    EntryPath::from_bytes(&*name).map_err(|_| hostile("is not a plain relative path"))
}
