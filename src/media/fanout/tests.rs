//! What passes from one pipeline to many, and what may be lost.

use gstreamer as gst;
use gstreamer_app as gst_app;

use super::*;

fn sample(caps: &gst::Caps, ms: u64, delta: bool) -> gst::Sample {
    let mut buffer = gst::Buffer::with_size(4).unwrap();
    {
        let buffer = buffer.get_mut().unwrap();
        buffer.set_pts(gst::ClockTime::from_mseconds(ms));
        if delta {
            buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
        }
    }
    gst::Sample::builder().buffer(&buffer).caps(caps).build()
}

fn started_appsrc(limit: u64) -> gst_app::AppSrc {
    gst::init().unwrap();
    // In READY an appsrc takes buffers and gives none: the slowest receiver there is.
    bounded_appsrc(None, limit)
}

#[test]
fn coded_video_starts_with_a_key_frame_and_after_a_loss_waits_for_the_next() {
    let appsrc = started_appsrc(2);
    let pipeline = gst::Pipeline::new();
    pipeline.add(&appsrc).unwrap();
    pipeline.set_state(gst::State::Ready).unwrap();
    appsrc.set_state(gst::State::Paused).unwrap();
    let output = Output::new(appsrc.clone(), Flow::CodedVideo, 2);
    let caps = gst::Caps::builder("video/x-vp8").build();
    assert!(
        !output.offer(&sample(&caps, 0, false)),
        "shut: nobody is asked for anything"
    );
    output.open();
    assert!(
        output.offer(&sample(&caps, 0, true)),
        "a delta frame asks for a key frame"
    );
    assert_eq!(appsrc.current_level_buffers(), 0);
    assert!(!output.offer(&sample(&caps, 33, false)));
    assert!(!output.offer(&sample(&caps, 66, true)));
    let level = appsrc.current_level_buffers();
    for frame in 0..5 {
        output.offer(&sample(&caps, 100 + frame, true));
    }
    assert!(appsrc.current_level_buffers() <= 2, "bounded");
    assert!(output.lost() > 0 || level < 2);
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn one_stuck_output_does_not_hold_up_another() {
    gst::init().unwrap();
    let source = gst::parse::launch(
        "videotestsrc num-buffers=60 ! video/x-raw,format=I420,width=64,height=64,framerate=60/1 ! appsink name=sink sync=false",
    )
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    let sink = source
        .by_name("sink")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    let fanout = Fanout::new();
    fanout.feed_from(&sink, || {});

    let stuck = started_appsrc(3);
    let stuck_pipeline = gst::Pipeline::new();
    stuck_pipeline.add(&stuck).unwrap();
    fanout.add(&Output::opened(stuck.clone(), Flow::Loose, 3));

    let live = started_appsrc(100);
    let receiver = passing_appsink();
    let receiving = gst::Pipeline::new();
    receiving
        .add_many([live.upcast_ref::<gst::Element>(), receiver.upcast_ref()])
        .unwrap();
    live.link(&receiver).unwrap();
    let received = Fanout::new();
    received.feed_from(&receiver, || {});
    receiving.set_state(gst::State::Playing).unwrap();
    let output = Output::opened(live.clone(), Flow::Loose, 100);
    fanout.add(&output);

    let bus = source.bus().unwrap();
    source.set_state(gst::State::Playing).unwrap();
    let end = bus.timed_pop_filtered(
        gst::ClockTime::from_seconds(10),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    assert!(matches!(end.unwrap().view(), gst::MessageView::Eos(_)));
    live.end_of_stream().unwrap();
    let end = receiving
        .bus()
        .unwrap()
        .timed_pop_filtered(gst::ClockTime::from_seconds(10), &[gst::MessageType::Eos]);
    assert!(end.is_some());
    assert_eq!(fanout.samples(), 60);
    assert_eq!(received.samples(), 60);
    assert!(
        stuck.current_level_buffers() <= 3,
        "the stuck one is bounded"
    );

    fanout.remove(&output);
    assert_eq!(fanout.len(), 1);
    source.set_state(gst::State::Null).unwrap();
    receiving.set_state(gst::State::Null).unwrap();
}

#[test]
fn timestamps_cross_as_running_time() {
    gst::init().unwrap();
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::from_seconds(3_600_000));
    let mut buffer = gst::Buffer::new();
    buffer
        .get_mut()
        .unwrap()
        .set_pts(gst::ClockTime::from_seconds(3_600_001));
    let caps = gst::Caps::builder("video/x-h264").build();
    let sample = gst::Sample::builder()
        .buffer(&buffer)
        .caps(&caps)
        .segment(segment.upcast_ref())
        .build();
    let retimed = in_running_time(sample);
    assert_eq!(
        retimed.buffer().unwrap().pts(),
        Some(gst::ClockTime::from_seconds(1))
    );
    assert_eq!(retimed.caps_owned(), Some(caps));
}
