//! `[recording]`: where the room server's recordings are kept, and how much of them.

use std::{path::PathBuf, time::Duration};

use super::{
    reader::Section,
    units::{KeepFree, RecordingQuota, RetentionDays},
};
use crate::record::{Limits, Storage};

/// Bytes of a megabyte, as disks are sold.
const MEGABYTE: u64 = 1_000_000;

/// Recordings, `None` where none are made.
pub(super) fn read(section: &mut Section<'_, '_>) -> Option<Storage> {
    let directory: Option<PathBuf> =
        section.optional("directory", "\"/var/lib/roomd-room-server/recordings\"");
    let bytes = |megabytes: u32| u64::from(megabytes) * MEGABYTE;
    let quota = bytes(
        section
            .key("quota_megabytes", RecordingQuota::DEFAULT)
            .get(),
    );
    let keep_free = bytes(section.key("keep_free_megabytes", KeepFree::DEFAULT).get());
    let days = section.key("retention_days", RetentionDays::DEFAULT).get();
    let retention = (days > 0).then(|| Duration::from_secs(u64::from(days) * 86_400));
    Some(Storage {
        directory: directory?,
        limits: Limits {
            quota,
            keep_free,
            retention,
        },
    })
}
