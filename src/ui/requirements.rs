//! What the window needs of the system, checked before it is opened.
//!
//! The window library ends in a panic without some of these; a user deserves the package's name.

use std::{env, fs, path::Path};

/// Why there can be no window: two lines, what is missing and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{missing}\n{remedy}")]
pub struct NoWindow {
    /// What is missing.
    pub missing: String,
    /// What to do.
    pub remedy: String,
}

/// Libraries that the window loads under X11, each with the Debian package that brings it.
const X11: [(&str, &str); 7] = [
    ("libX11.so.6", "libx11-6"),
    ("libXcursor.so.1", "libxcursor1"),
    ("libXi.so.6", "libxi6"),
    ("libX11-xcb.so.1", "libx11-xcb1"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ("libGL.so.1", "libgl1"),
];

/// Libraries that the window loads under Wayland.
const WAYLAND: [(&str, &str); 3] = [
    ("libwayland-client.so.0", "libwayland-client0"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libEGL.so.1", "libegl1"),
];

/// Checks that there is a display and what the window loads at run time.
pub fn check() -> Result<(), NoWindow> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let needed = match (is_set("WAYLAND_DISPLAY") || is_set("WAYLAND_SOCKET"), is_set("DISPLAY")) {
        (true, _) if lacking(&WAYLAND, &is_installed).is_empty() => return Ok(()),
        (_, true) => &X11[..],
        (true, false) => &WAYLAND[..],
        (false, false) => return Err(no_display()),
    };
    verdict(needed, &is_installed)
}

fn no_display() -> NoWindow {
    NoWindow {
        missing: "There is no display: neither DISPLAY nor WAYLAND_DISPLAY is set".to_owned(),
        remedy: "Run it in a desktop session or under Xvfb (package xvfb), or ask without a window: timeglass info FILE"
            .to_owned(),
    }
}

fn verdict(
    needed: &[(&'static str, &'static str)],
    is_installed: &dyn Fn(&str) -> bool,
) -> Result<(), NoWindow> {
    let lacking = lacking(needed, is_installed);
    if lacking.is_empty() {
        return Ok(());
    }
    let libraries: Vec<&str> = lacking.iter().map(|(library, _)| *library).collect();
    let packages: Vec<&str> = lacking.iter().map(|(_, package)| *package).collect();
    Err(NoWindow {
        missing: format!("The window needs libraries that are not installed: {}", libraries.join(", ")),
        remedy: format!(
            "Install them (Debian: apt install {}), or ask without a window: timeglass info FILE",
            packages.join(" ")
        ),
    })
}

fn lacking<'a>(
    needed: &'a [(&'static str, &'static str)],
    is_installed: &dyn Fn(&str) -> bool,
) -> Vec<&'a (&'static str, &'static str)> {
    needed.iter().filter(|(library, _)| !is_installed(library)).collect()
}

/// Whether the loader would find a library: named in its cache, or lying in a folder it looks into.
fn is_installed(library: &str) -> bool {
    let cache = fs::read("/etc/ld.so.cache").unwrap_or_default();
    let name = format!("{library}\0");
    if cache.windows(name.len()).any(|window| window == name.as_bytes()) {
        return true;
    }
    let named = env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = named.split(':').filter(|folder| !folder.is_empty());
    folders
        .chain(["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"])
        .any(|folder| Path::new(folder).join(library).exists())
}

#[cfg(test)]
mod tests {
    use super::{X11, verdict};

    #[test]
    fn every_missing_library_is_named_with_its_package() {
        let lacks_two = |library: &str| !matches!(library, "libXi.so.6" | "libxkbcommon-x11.so.0");
        let err = verdict(&X11, &lacks_two).unwrap_err();
        assert_eq!(
            err.to_string(),
            "The window needs libraries that are not installed: libXi.so.6, libxkbcommon-x11.so.0\n\
             Install them (Debian: apt install libxi6 libxkbcommon-x11-0), or ask without a window: timeglass info FILE"
        );
        assert_eq!(verdict(&X11, &|_| true), Ok(()));
    }
}
