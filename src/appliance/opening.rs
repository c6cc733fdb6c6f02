//! Demands to open a device that the media graph has not answered yet: until it has, samples may flow.

use roomd_room::CaptureReport;

/// Counts of unanswered demands to open.
#[derive(Debug, Default)]
pub(super) struct Opening {
    pub(super) microphone: u32,
    pub(super) camera: u32,
}

/// Each demand to open is answered by one report that it flows or why not.
pub(super) fn answered(opening: &mut u32, report: &CaptureReport) {
    if report.flowing || report.error.is_some() {
        *opening = opening.saturating_sub(1);
    }
}
