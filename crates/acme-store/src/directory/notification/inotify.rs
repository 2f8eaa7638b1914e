//! What Linux tells of a directory: [inotify(7)](https://man7.org/linux/man-pages/man7/inotify.7.html).

use std::{
    ffi::OsStr,
    io::{self, PipeReader, PipeWriter},
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    sync::Arc,
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
    io::Errno,
};

use super::{
    Told,
    inbox::{Inbox, News},
};
use crate::{
    StoreError,
    directory::{entry_name::FileName, folder::Folder},
};

/// Room for some hundred events.
const BUFFER: usize = 1 << 14;

/// What changes which entry is there, or what it is; a file that is being written
/// is told of when its writer has closed it.
const CHANGES: WatchFlags = WatchFlags::ATTRIB
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO);

/// What ends the directory under its path.
const ENDS: WatchFlags = WatchFlags::DELETE_SELF.union(WatchFlags::MOVE_SELF);

/// What says that nothing more will come.
const GONE: ReadFlags = ReadFlags::DELETE_SELF
    .union(ReadFlags::MOVE_SELF)
    .union(ReadFlags::IGNORED)
    .union(ReadFlags::UNMOUNT);

/// File systems that other machines write to, of which nobody is told here: 9p, AFS,
/// Ceph, CIFS, Coda, FUSE, GFS2, GPFS, Lustre, NFS, OCFS2, SMB, SMB2, VirtualBox, VMware.
const REMOTE: [u32; 15] = [
    0x0102_1997,
    0x5346_414f,
    0x00c3_6400,
    0xff53_4d42,
    0x7375_7245,
    0x6573_5546,
    0x0116_1970,
    0x4750_4653,
    0x0bd0_0bd0,
    0x0000_6969,
    0x7461_636f,
    0x0000_517b,
    0xfe53_4d42,
    0x786f_4256,
    0xbacb_acbc,
];

/// Somebody who tells of changes to one directory, until it is dropped.
#[derive(Debug)]
pub(in super::super) struct Notifier {
    inbox: Arc<Inbox>,
    directory: (u64, u64),
    /// The thread ends when this is closed.
    _stop: PipeWriter,
}

impl Notifier {
    /// Begins to tell: what changes once this has returned is told of.
    pub(in super::super) fn new(folder: &Folder) -> Result<Self, StoreError> {
        let directory = folder.identity()?;
        let failed = |error: io::Error| folder.failed("watch", error);
        let unsupported = || failed(io::ErrorKind::Unsupported.into());
        let file_system = rustix::fs::statfs(folder.path()).map_err(|it| failed(it.into()))?;
        if is_remote(file_system.f_type as u32) {
            return Err(unsupported());
        }
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        let inotify = inotify.map_err(|it| failed(it.into()))?;
        let flags = CHANGES | ENDS | WatchFlags::ONLYDIR;
        inotify::add_watch(&inotify, folder.path(), flags).map_err(|it| failed(it.into()))?;
        if folder.identity()? != directory {
            // It was replaced just now; the next attempt meets the new one.
            return Err(failed(io::ErrorKind::NotFound.into()));
        }
        let inbox = Arc::<Inbox>::default();
        let (stopped, stop) = io::pipe().map_err(failed)?;
        let teller = Teller {
            inotify,
            stopped,
            inbox: Arc::clone(&inbox),
        };
        thread::Builder::new()
            .name("acme-store-watch".to_owned())
            .spawn(move || teller.run())
            .map_err(failed)?;
        Ok(Self {
            inbox,
            directory,
            _stop: stop,
        })
    }

    /// Which directory it tells of.
    pub(in super::super) const fn directory(&self) -> (u64, u64) {
        self.directory
    }

    /// Waits for what is told. It may be dropped at any point.
    pub(in super::super) async fn told(&self) -> Told {
        self.inbox.told().await
    }
}

/// Whether changes to this kind of file system may come from another machine.
pub(super) fn is_remote(file_system: u32) -> bool {
    REMOTE.contains(&file_system)
}

/// A thread that waits for the system: a runtime may have no driver that could.
struct Teller {
    inotify: OwnedFd,
    stopped: PipeReader,
    inbox: Arc<Inbox>,
}

impl Teller {
    fn run(self) {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        while self.wait().is_ok_and(|told| told) {
            if self.read_all(&mut reader).is_err() {
                self.inbox.news().lost = true;
            }
            self.inbox.tell();
            if self.inbox.news().lost {
                return;
            }
        }
    }

    /// Waits for events; there are none when it is time to end.
    fn wait(&self) -> Result<bool, Errno> {
        loop {
            let mut waiting = [
                PollFd::new(&self.stopped, PollFlags::IN),
                PollFd::new(&self.inotify, PollFlags::IN),
            ];
            match poll(&mut waiting, None) {
                // The other end of the pipe is never written to, only closed.
                Ok(_) => return Ok(waiting[0].revents().is_empty()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    fn read_all(&self, reader: &mut Reader<'_, &OwnedFd>) -> Result<(), Errno> {
        loop {
            match reader.next() {
                Ok(event) => {
                    let file = event.file_name().map(|it| OsStr::from_bytes(it.to_bytes()));
                    hear(&mut self.inbox.news(), event.events(), file);
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// Takes note of one event.
fn hear(news: &mut News, events: ReadFlags, file: Option<&OsStr>) {
    if events.intersects(GONE) {
        news.lost = true;
    }
    if events.contains(ReadFlags::QUEUE_OVERFLOW) {
        news.too_much();
    }
    if let Some(FileName::Entry(name)) = file.map(FileName::of) {
        news.changed(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: &[(ReadFlags, Option<&str>)]) -> Option<Told> {
        let mut news = News::default();
        for (events, file) in events {
            hear(&mut news, *events, file.map(OsStr::new));
        }
        news.take()
    }

    #[test]
    fn events_become_news() {
        let close = ReadFlags::CLOSE_WRITE;
        let changed = |name: &str| Some(Told::Changed(vec![name.parse().unwrap()]));
        assert_eq!(told(&[]), None);
        let twice = [
            (ReadFlags::CREATE, Some("a.b.pem")),
            (close, Some("a.b.pem")),
        ];
        assert_eq!(told(&twice), changed("a.b"));
        for nobodys in ["client.key", ".0.tmp", "DEFAULT.pem", "A.b.pem"] {
            assert_eq!(told(&[(close, Some(nobodys))]), None, "{nobodys}");
        }
        assert_eq!(told(&[(ReadFlags::ATTRIB | ReadFlags::ISDIR, None)]), None);
        let overflow = (ReadFlags::QUEUE_OVERFLOW, None);
        let after = (close, Some("a.b.pem"));
        assert_eq!(told(&[overflow, after]), Some(Told::TooMuch));
        for end in [
            ReadFlags::DELETE_SELF,
            ReadFlags::MOVE_SELF,
            ReadFlags::IGNORED,
            ReadFlags::UNMOUNT,
        ] {
            assert_eq!(told(&[after, (end, None), overflow]), Some(Told::Lost));
        }
    }

    #[test]
    fn disks_of_other_machines_are_known() {
        let directory = tempfile::tempdir().unwrap();
        for (file_system, remote) in [
            (0x6969, true),
            (0xff53_4d42, true),
            (0x6573_5546, true),
            (0xef53, false),
            (0x0102_1994, false),
            (0x794c_7630, false),
        ] {
            assert_eq!(is_remote(file_system), remote, "{file_system:x}");
        }
        let folder = Folder::new(directory.path().join("missing"));
        let refused = Notifier::new(&folder);
        assert!(matches!(refused, Err(StoreError::DirectoryMissing { .. })));
    }
}
