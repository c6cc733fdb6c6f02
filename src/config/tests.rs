//! Good and bad configuration through the whole loader.

use super::*;

#[test]
fn nothing_configured_gives_the_defaults() {
    let loaded = load(&Sources::none()).unwrap();
    assert!(loaded.files.is_empty());
    assert!(loaded.config.room.url.is_none());
    assert_eq!(
        loaded.config.media.settings,
        roomd_media::settings::MediaSettings::default()
    );
}
