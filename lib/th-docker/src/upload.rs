//! One file into a running container.
//!
//! It goes through an exec's stdin. The archive API (`docker cp`) is about as quick, but shows a
//! cut file as if it were whole, and cannot write to tmpfs mounts or as another user.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::{Docker, Error, ExecSpec};

const RECEIVE: &str = include_str!("upload/receive.sh");

/// What is held of the file at a time.
const BUFFER: usize = 256 * 1024;

/// A file to make in a container.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its absolute path. The directory exists; a file there is replaced.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its permissions, such as `0o600`.
    pub mode: u32,
    /// Its owner, if not the container's user.
    pub user: Option<String>,
}

impl Docker {
    /// Streams `reader` to its end into a file of a running container. The file appears whole or
    /// not at all.
    ///
    /// # Errors
    /// [`Error::Upload`] when `reader` fails or holds another number of bytes, or the container
    /// cannot write the file; those of [`Docker::exec`] and [`Exec::wait`](crate::Exec::wait).
    pub fn upload(
        &self,
        container: &str,
        upload: &Upload,
        reader: &mut dyn Read,
        cancel: Arc<AtomicBool>,
    ) -> Result<(), Error> {
        let Upload {
            path,
            size,
            mode,
            user,
        } = upload;
        let (size, mode) = (size.to_string(), format!("{mode:o}"));
        let cmd = ["sh", "-c", RECEIVE, "sh", path, &size, &mode];
        let spec = ExecSpec {
            cmd: cmd.map(str::to_owned).into(),
            user: user.clone(),
            stdin: true,
            ..Default::default()
        };
        let mut exec = self.exec(container, &spec, cancel)?;
        let mut reader = BufReader::with_capacity(BUFFER, reader);
        let sent = io::copy(&mut reader, exec.connection());
        let end = exec.wait()?;
        let failed = |source| Error::Upload {
            file: path.clone(),
            source,
        };
        match sent {
            // The container's end is shut because it failed, and it has said why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(error)),
            _ if end.status != 0 => Err(failed(io::Error::other(end.stderr))),
            _ => Ok(()),
        }
    }
}
