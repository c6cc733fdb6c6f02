//! A target guided by coverage, with libFuzzer; `FUZZ_TARGET` names it. Built and started by `tests/fuzz/run`.

#![no_main]
#![allow(clippy::expect_used, reason = "a panic is how it ends")]

use std::sync::LazyLock;

libfuzzer_sys::fuzz_target!(|input: &[u8]| (TARGET.run)(input));

static TARGET: LazyLock<&roomd_fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    roomd_fuzz::target(&name).expect("FUZZ_TARGET is a target")
});
