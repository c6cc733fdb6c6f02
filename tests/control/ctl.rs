//! `roomd ctl` against a box at a real broker.

use clap::Parser;
use roomd::{
    appliance::Command,
    ctl::{self, CtlArgs, Outcome},
};

use crate::{
    appliance::{Appliance, config},
    broker::Broker,
};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    ctl: CtlArgs,
}

async fn run(broker: &Broker, line: &str) -> Outcome {
    let url = broker.url();
    let line = ["ctl", "--broker", &url].into_iter().chain(line.split(' '));
    ctl::run(Cli::try_parse_from(line).unwrap().ctl).await
}

#[tokio::test]
async fn its_exit_code_tells_done_refused_usage_and_no_answer() {
    let mut broker = Broker::start().await;
    let mut appliance = Appliance::start(config(&broker, "5")).await;
    for more in ["", " --mqtt-3", " --json"] {
        let line = format!("--device wall set_volume level=33{more}");
        assert_eq!(run(&broker, &line).await, Outcome::Done, "{line}");
        assert_eq!(appliance.command().await.0, Command::SetVolume(33));
    }
    assert_eq!(
        run(&broker, "--device wall lock_room ON").await,
        Outcome::Refused
    );
    assert_eq!(run(&broker, "--device wall reboot").await, Outcome::Refused);
    assert_eq!(
        run(&broker, "--device wall set_volume level=333").await,
        Outcome::Usage
    );
    assert_eq!(
        run(&broker, "--device desk --timeout 1 knock").await,
        Outcome::NoAnswer
    );
    broker.kill().await;
    assert_eq!(run(&broker, "--device wall knock").await, Outcome::NoAnswer);
}
