//! A full disk, a busy writer, a file or folder that may only be read: the store is as it was.
