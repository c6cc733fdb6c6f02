//! Runs a test in a network namespace with one address: libnice leaves loopback alone, and nothing of
//! the machine's network is touched.

use std::{future::Future, process::Command, time::Duration};

const INSIDE: &str = "ROOMD_MEDIA_TEST_INSIDE_NAMESPACE";
const SET_UP: &str = "ip link set lo up && ip link add room0 type veth peer name room1 \
    && ip addr add 10.77.0.1/24 dev room0 && ip link set room0 up && ip link set room1 up && exec \"$0\" \"$@\"";

/// Runs `body` inside a namespace by executing this test binary again for the test `name`. Where no
/// namespace can be made the test says so loudly and does nothing.
pub fn run<F: Future<Output = ()>>(name: &str, limit: Duration, body: impl FnOnce() -> F) {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            tokio::time::timeout(limit, body())
                .await
                .expect("the test took too long")
        });
        return;
    }
    let Some(flags) = ["-n", "-rn"].into_iter().find(|flags| can_unshare(flags)) else {
        eprintln!(
            "\n*** SKIPPED {name}: `unshare -n` is not allowed here, so there is no network to test in ***\n"
        );
        return;
    };
    let status = Command::new("unshare")
        .args([flags, "sh", "-c", SET_UP])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .env("G_DEBUG", "fatal-criticals")
        .status()
        .unwrap();
    assert!(
        status.success(),
        "{name} failed inside its namespace: {status}"
    );
}

fn can_unshare(flags: &str) -> bool {
    Command::new("unshare")
        .args([flags, "true"])
        .status()
        .is_ok_and(|status| status.success())
}
