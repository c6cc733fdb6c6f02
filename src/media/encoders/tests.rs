//! What becomes of the tables in `pipelines/`, and which row is chosen on which machine.

use gstreamer as gst;

use super::*;

fn tables() -> Tables {
    Tables::built_in().unwrap()
}

#[test]
fn hardware_is_preferred_where_its_elements_exist() {
    let table = tables().encoders;
    let choice = table.choose(Codec::H264, &[], |_| true).unwrap();
    assert_eq!(
        (choice.entry.name.as_str(), choice.why.as_str()),
        ("v4l2h264enc", "first of the list")
    );
    let choice = table
        .choose(Codec::H264, &[], |name| {
            !name.starts_with("v4l2") && !name.starts_with("nv")
        })
        .unwrap();
    assert_eq!(choice.entry.name, "vah264enc");
    assert!(
        choice.why.contains("v4l2h264enc: no element v4l2h264enc"),
        "{}",
        choice.why
    );
}

#[test]
fn without_hardware_openh264_is_used_and_x264_without_it() {
    let table = tables().encoders;
    let software = |name: &str| matches!(name, "openh264enc" | "x264enc" | "h264parse");
    assert_eq!(
        table.choose(Codec::H264, &[], software).unwrap().entry.name,
        "openh264enc"
    );
    let refused = [("openh264enc".to_owned(), "could not open".to_owned())];
    let choice = table.choose(Codec::H264, &refused, software).unwrap();
    assert_eq!(choice.entry.name, "x264enc");
    assert!(
        choice.why.contains("openh264enc: could not open"),
        "{}",
        choice.why
    );
}

#[test]
fn nothing_that_works_is_an_error_that_lists_what_was_tried() {
    let error = tables()
        .encoders
        .choose(Codec::Vp8, &[], |_| false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("vp8enc: no element vp8enc"), "{error}");
}

#[test]
fn the_vp8_line_is_as_expected() {
    let entry = tables().encoders.entries(Codec::Vp8)[0].clone();
    assert_eq!(
        entry.line(&encoder_values(1_500_000, 30)).unwrap(),
        "vp8enc name=encoder deadline=1 cpu-used=12 threads=1 lag-in-frames=0 end-usage=cbr buffer-size=600 \
         buffer-initial-size=400 buffer-optimal-size=500 min-quantizer=4 max-quantizer=56 undershoot=95 \
         static-threshold=1 error-resilient=default keyframe-max-dist=300 target-bitrate=1500000"
    );
}

#[test]
fn every_line_whose_elements_exist_here_is_accepted_by_gstreamer() {
    gst::init().unwrap();
    let tables = tables();
    let mut accepted = 0;
    let mut values = encoder_values(1_500_000, 30).to_vec();
    values.extend([("payload", "96".to_owned()), ("ssrc", "7".to_owned())]);
    for codec in [Codec::Vp8, Codec::H264, Codec::Opus] {
        for table in [
            &tables.encoders,
            &tables.decoders,
            &tables.payloaders,
            &tables.depayloaders,
        ] {
            for entry in table
                .entries(codec)
                .iter()
                .filter(|entry| entry.elements.iter().all(|name| is_present(name)))
            {
                let line = entry.line(&values).unwrap();
                crate::launch::pipeline(&format!("identity ! {line} ! identity")).unwrap();
                accepted += 1;
            }
            table.choose(codec, &[], is_present).unwrap();
        }
    }
    assert!(accepted >= 9, "only {accepted} lines could be tried");
}

#[test]
fn a_table_with_an_unknown_key_is_refused() {
    let error = Table::parse(
        "encoders.toml",
        "[[vp8]]\nname='x'\nelements=[]\nlaunch=''\nspeed=1\n",
    )
    .unwrap_err();
    assert!(error.to_string().contains("encoders.toml"), "{error}");
}

#[test]
fn the_bitrate_follows_the_number_of_peers() {
    let rates: Vec<_> = (0..9)
        .map(|peers| camera_bitrate(1_500_000, peers) / 1000)
        .collect();
    assert_eq!(rates, [1500, 1500, 384, 256, 192, 128, 128, 64, 64]);
    assert_eq!(camera_bitrate(100_000, 2), 100_000);
}
