//! A camera with a plug: an element that takes the place of `v4l2src` in this process and fails as it does when its
//! device goes.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use gst::{glib, prelude::*};
use gstreamer as gst;

static PLUGGED: AtomicBool = AtomicBool::new(true);
static OPEN: Mutex<Vec<glib::WeakRef<Camera>>> = Mutex::new(Vec::new());

glib::wrapper! {
    pub struct Camera(ObjectSubclass<imp::Camera>) @extends gst::Bin, gst::Element, gst::Object, @implements gst::ChildProxy;
}

/// Makes every `v4l2src` of this process such a camera, plugged in.
pub fn install() {
    gst::init().unwrap();
    if let Some(real) = gst::ElementFactory::find("v4l2src") {
        // A plugin that is loaded later would register its own again.
        let real = real.load().unwrap();
        gst::Registry::get().remove_feature(&real);
    }
    gst::Element::register(None, "v4l2src", gst::Rank::NONE, Camera::static_type()).unwrap();
}

/// Pulls the plug: whoever has the camera open gets an error, and nobody can open it.
pub fn pull() {
    PLUGGED.store(false, Ordering::SeqCst);
    let open = std::mem::take(&mut *OPEN.lock().unwrap());
    for camera in open.iter().filter_map(glib::WeakRef::upgrade) {
        gst::element_error!(camera, gst::ResourceError::Read, ["the device is gone"]);
    }
}

/// Puts it back.
pub fn put_back() {
    PLUGGED.store(true, Ordering::SeqCst);
}

mod imp {
    use std::sync::LazyLock;

    use super::{OPEN, Ordering, PLUGGED, glib, gst};
    use gst::{prelude::*, subclass::prelude::*};

    #[derive(Default)]
    pub struct Camera;

    #[glib::object_subclass]
    impl ObjectSubclass for Camera {
        const NAME: &'static str = "RoomdTestCamera";
        type Type = super::Camera;
        type ParentType = gst::Bin;
    }

    impl ObjectImpl for Camera {
        fn properties() -> &'static [glib::ParamSpec] {
            static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
                vec![
                    glib::ParamSpecString::builder("device").build(),
                    glib::ParamSpecBoolean::builder("do-timestamp").build(),
                ]
            });
            &PROPERTIES
        }

        fn set_property(&self, _: usize, _: &glib::Value, _: &glib::ParamSpec) {}

        fn property(&self, _: usize, pspec: &glib::ParamSpec) -> glib::Value {
            pspec.default_value().clone()
        }

        fn constructed(&self) {
            self.parent_constructed();
            let pictures = gst::parse::bin_from_description(
                "videotestsrc is-live=true do-timestamp=true pattern=blue
                 ! capsfilter caps=video/x-raw,format=I420,width=640,height=360,framerate=30/1,colorimetry=bt601",
                true,
            )
            .unwrap();
            let camera = self.obj();
            camera.add(&pictures).unwrap();
            let inner = pictures.static_pad("src").unwrap();
            let outer = gst::GhostPad::builder_with_target(&inner)
                .unwrap()
                .name("src")
                .build();
            // A device that is gone gives nothing.
            outer.add_probe(gst::PadProbeType::BUFFER, |_, _| {
                if PLUGGED.load(Ordering::SeqCst) {
                    gst::PadProbeReturn::Ok
                } else {
                    gst::PadProbeReturn::Drop
                }
            });
            camera.add_pad(&outer).unwrap();
        }
    }

    impl GstObjectImpl for Camera {}

    impl ElementImpl for Camera {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "Camera",
                    "Source/Video",
                    "With a plug",
                    "roomd",
                )
            });
            Some(&METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let caps = gst::Caps::new_empty_simple("video/x-raw");
                let (source, always) = (gst::PadDirection::Src, gst::PadPresence::Always);
                vec![gst::PadTemplate::new("src", source, always, &caps).unwrap()]
            });
            &TEMPLATES
        }

        fn change_state(
            &self,
            transition: gst::StateChange,
        ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
            if transition == gst::StateChange::NullToReady {
                if !PLUGGED.load(Ordering::SeqCst) {
                    gst::element_imp_error!(
                        self,
                        gst::ResourceError::NotFound,
                        ["Cannot identify device '/dev/room/camera'."]
                    );
                    return Err(gst::StateChangeError);
                }
                OPEN.lock().unwrap().push(self.obj().downgrade());
            }
            self.parent_change_state(transition)
        }
    }

    impl BinImpl for Camera {}
}
