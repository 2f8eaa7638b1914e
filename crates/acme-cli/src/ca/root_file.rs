//! The files with the roots: where the user wants them, or in a folder that goes when the CA ends.

use std::{
    fs::Permissions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::Failure;

/// Where both roots are.
#[derive(Debug)]
pub(super) struct RootFiles {
    /// What a client must trust to speak with the CA; none where that is without TLS.
    pub(super) https: Option<PathBuf>,
    /// What verifies the certificates that it issues.
    pub(super) issuer: PathBuf,
    folder: Option<TempDir>,
}

impl RootFiles {
    /// Writes both, each whole or not at all.
    pub(super) fn write(
        (https, https_pem): (Option<PathBuf>, &str),
        (issuer, issuer_pem): (Option<PathBuf>, &str),
    ) -> Result<Self, Failure> {
        if https.is_some() && https == issuer {
            return Err(Failure::configuration(
                "--root-out and --issuer-root-out name the same file; they are two roots",
            ));
        }
        let folder =
            match (&https, &issuer) {
                (Some(_), Some(_)) => None,
                _ => Some(TempDir::with_prefix("acme-ca-").map_err(|error| {
                    Failure::configuration("a temporary folder").because(&error)
                })?),
            };
        let place = |given: Option<PathBuf>, name: &str| {
            given
                .or_else(|| Some(folder.as_ref()?.path().join(name)))
                .unwrap_or_else(|| name.into())
        };
        let issuer = place(issuer, "issuer-root.pem");
        let https = match https_pem {
            "" => None,
            _ => Some(place(https, "https-root.pem")),
        };
        if let Some(path) = &https {
            write_whole("--root-out", path, https_pem)?;
        }
        write_whole("--issuer-root-out", &issuer, issuer_pem)?;
        Ok(Self {
            https,
            issuer,
            folder,
        })
    }

    /// Whether both stay when the CA ends.
    pub(super) const fn stay(&self) -> bool {
        self.folder.is_none()
    }
}

/// Writes beside the place and renames, so that nobody ever reads a part of it.
fn write_whole(option: &str, path: &Path, pem: &str) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let written: io::Result<()> = (|| {
        let mut builder = tempfile::Builder::new();
        let permissions = public();
        if let Some(permissions) = permissions {
            builder.permissions(permissions);
        }
        let mut file = builder.prefix(".acme-ca-").tempfile_in(folder)?;
        file.write_all(pem.as_bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    })();
    written.map_err(|error| {
        Failure::configuration(format!("{option} {} cannot be written", path.display()))
            .because(&error)
    })
}

/// A root is for everybody to read, as far as the umask lets them.
#[cfg(unix)]
fn public() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn public() -> Option<Permissions> {
    None
}
