//! The command line: what may be asked of `roomd`, with the texts of `--help`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

/// Arguments of `roomd`.
#[derive(Debug, Parser)]
#[command(
    name = "roomd",
    version,
    about = "A conferencing room appliance: this computer as a participant of a Whereby room",
    long_about = "roomd makes a small Linux computer with a camera, a microphone and a display a participant of a \
        Whereby room. MQTT controls it and tells what it does.",
    after_help = "Begin here:\n  \
        roomd demo                   a room, a broker and the appliance on this machine, without configuration\n  \
        roomd probe                  which cameras, sound devices, displays, encoders, buttons and lights were found\n  \
        roomd check-config           what the configuration says, and where each value comes from\n\n\
        Every subcommand explains itself: roomd run --help",
    arg_required_else_help = true,
    propagate_version = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Subcommands,
}

/// What may be asked of `roomd`.
#[derive(Debug, Subcommand)]
pub enum Subcommands {
    /// Run the appliance: join the room, obey MQTT, until told to stop
    ///
    /// This is what the systemd unit starts. It reads the configuration, tells systemd when it is
    /// ready, and leaves the room properly on SIGTERM.
    #[command(after_help = "Examples:\n  \
        roomd run                              with /etc/roomd/roomd.toml and its drop-ins\n  \
        roomd run --config ./roomd.toml        with another file\n  \
        ROOMD_ROOM__URL=https://example.whereby.com/room roomd run\n\n\
        Exit codes: 0 stopped as asked, 1 failed, 2 wrong arguments, 78 the configuration is wrong.")]
    Run(RunArgs),

    /// Show everything on this machine: room server, room page, broker and appliance
    ///
    /// Needs no configuration, no hardware and no network. It prints the address of the room page
    /// as text and as a QR code; open it in a browser and you are in a call with the appliance.
    /// Keys: m microphone, c camera, h hand, s screenshare, l leave or join, q quit.
    #[command(after_help = "Examples:\n  \
        roomd demo                       this machine's camera and microphone, or a test picture and tone\n  \
        roomd demo --test-media          the test picture and tone even if there is a camera\n  \
        roomd ctl toggle_microphone      in a second terminal: control it over MQTT")]
    Demo(DemoArgs),

    /// Run a room server: rooms on one's own network, without the public service
    ///
    /// Speaks the protocol of Whereby's SDK and serves a page on which people join with a browser.
    #[command(after_help = "Examples:\n  \
        roomd room-server                           as [server] of the configuration says\n  \
        roomd room-server --ephemeral               keep nothing on disk\n  \
        roomd room-server --listen 127.0.0.1:8080   another address")]
    RoomServer(RoomServerArgs),

    /// Record a room of the room server, as a participant of its own
    ///
    /// The room server starts it when a host asks for a recording and [recording] names a directory.
    /// The address of the room, with the key that makes it the recorder, is in the variable
    /// ROOMD_RECORD_URL of the environment. It ends when its standard input does (a pipe of the
    /// server), when the room sends it out, or on SIGTERM.
    #[command(after_help = "Examples:\n  \
        roomd record --config /etc/roomd/roomd.toml                what the room server starts\n  \
        ROOMD_RECORD_URL=\"$(cat recorder-room-url)\" roomd record   by hand, with the recorderRoomUrl of a meeting\n\n\
        Exit codes: 0 finished, 1 failed, 2 wrong arguments, 73 no room for more (recording.quota_megabytes),\n\
        78 the configuration is wrong.")]
    Record(RecordArgs),

    /// Leave the configured lights showing a fault, or dark
    ///
    /// For the time when no roomd drives them: the unit calls it when the service has ended, so that no
    /// light goes on telling what was true before. Without an argument it is `dark` after a service that
    /// was stopped and `fault` after one that broke ($SERVICE_RESULT).
    #[command(after_help = "Examples:\n  \
        ExecStopPost=/usr/bin/roomd lights     in the unit\n  \
        roomd lights fault                     to see how a fault looks")]
    Lights(LightsArgs),

    /// List the cameras, sound devices, displays, encoders, buttons and lights that were found
    ///
    /// Opens encoders for a moment to see whether they work; opens no camera and no microphone.
    #[command(after_help = "Examples:\n  \
        roomd probe                            a table\n  \
        roomd probe --json | jq .encoders      for programs")]
    Probe(ProbeArgs),

    /// Check the configuration and print it with the origin of each value, secrets hidden
    ///
    /// Runs the same code as `roomd run`. All mistakes are listed at once, each with its file and
    /// line, the value found, what is allowed and the remedy.
    #[command(after_help = "Examples:\n  \
        roomd check-config\n  \
        roomd check-config --config ./roomd.toml && sudo systemctl restart roomd\n  \
        roomd check-config --json | jq '.keys[] | select(.origin.kind != \"default\")'\n\n\
        Exit codes: 0 all is well, 78 the configuration is wrong.")]
    CheckConfig(CheckConfigArgs),

    /// Send commands to an appliance over MQTT, or watch what it publishes
    ///
    /// A client of the interface that docs/mqtt.md describes; it needs no configuration and runs on
    /// any machine that reaches the broker.
    #[command(after_help = "Examples:\n  \
        roomd ctl toggle_microphone                                 the appliance `roomd` of the broker on this machine\n  \
        roomd ctl --device room-4 join_room roomUrl=https://example.whereby.com/standup\n  \
        roomd ctl --broker mqtt://10.0.0.2 --device room-4 watch     what it publishes, as it comes\n\n\
        Exit codes: 0 done, 1 refused, 2 wrong arguments, 3 no answer.")]
    Ctl(Box<crate::ctl::CtlArgs>),

    /// Measure the cost and the delays of this build on this machine
    ///
    /// Every figure is compared with something that is measured in the same run. Starts a room
    /// server, a broker and appliances of its own on the loopback interface; docs/performance.md
    /// explains the figures. Measure a release build on a machine that does nothing else.
    #[command(after_help = "Examples:\n  \
        roomd bench                          everything\n  \
        roomd bench sending --json           one measurement, for programs\n  \
        roomd bench command mute --rounds 3  two, and quickly\n\n\
        `mute` needs tcpdump and root, `join` the repository (ROOMD_REPOSITORY or the current\n\
        directory) with Node, Chromium and mosquitto; without them they are skipped.\n\n\
        Exit codes: 0 measured, whether goals are met or missed; 1 something could not be measured.")]
    Bench(BenchArgs),

    /// Print the completions of a shell
    #[command(after_help = "Examples:\n  \
        roomd completions bash > /usr/share/bash-completion/completions/roomd\n  \
        roomd completions fish > ~/.config/fish/completions/roomd.fish")]
    Completions(CompletionsArgs),
}

/// Which configuration file to read.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// Configuration file; its drop-ins are <FILE>.d/*.toml. Default: /etc/roomd/roomd.toml, which
    /// may be absent
    #[arg(short, long, value_name = "FILE", env = "ROOMD_CONFIG", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// Arguments of `roomd run`.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Which configuration file to read.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Append every signalling frame to this file as a JSON line, keys left out
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trace_signal: Option<PathBuf>,
}

/// Arguments of `roomd demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Name of the room; without one it is made up, so that strangers in the network do not find it
    #[arg(long, value_name = "NAME")]
    pub room: Option<String>,
    /// Send the moving test picture and the tone even if a camera and a microphone are there
    #[arg(long)]
    pub test_media: bool,
    /// Address of the room server and its page, with TLS; port 0 takes a free one
    #[arg(long, default_value = "0.0.0.0:8443", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Port of the page without TLS, for browsers on this machine; 0 takes a free one
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub local_port: u16,
    /// Port of the MQTT broker, on this machine only; 0 takes a free one
    #[arg(long, default_value_t = 1883, value_name = "PORT")]
    pub mqtt_port: u16,
    /// Do not read keys: for a terminal that belongs to something else
    #[arg(long)]
    pub no_keys: bool,
}

/// Arguments of `roomd room-server`.
#[derive(Clone, Debug, Default, Args)]
pub struct RoomServerArgs {
    /// Which configuration file to read.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Address and port instead of server.listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Keep nothing on disk: rooms, and who was who in them, end with the process
    #[arg(long)]
    pub ephemeral: bool,
}

/// Arguments of `roomd record`.
#[derive(Clone, Debug, Default, Args)]
pub struct RecordArgs {
    /// Which configuration file to read.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `roomd lights`.
#[derive(Clone, Debug, Default, Args)]
pub struct LightsArgs {
    /// Which configuration file to read.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What to show
    #[arg(value_enum)]
    pub show: Option<LightsShow>,
}

/// What lights show when nobody drives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LightsShow {
    /// The pattern of a fault
    Fault,
    /// Nothing
    Dark,
}

/// Arguments of `roomd probe`.
#[derive(Clone, Debug, Default, Args)]
pub struct ProbeArgs {
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `roomd check-config`.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckConfigArgs {
    /// Which configuration file to read.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print JSON instead of TOML with comments
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `roomd bench`.
#[derive(Clone, Debug, Default, Args)]
pub struct BenchArgs {
    /// Only these measurements
    #[arg(value_enum)]
    pub only: Vec<Measurement>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Seconds of media for each measurement
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=600))]
    pub seconds: u16,
    /// Rounds of each measurement that must succeed
    #[arg(long, default_value_t = 5, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: u16,
    /// Rounds in which other programs use more than this share of the processors do not count
    #[arg(long, default_value_t = 25, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub foreign: u8,
    /// Run the bare pipeline that `sending` compares with, until standard input ends
    #[arg(long, hide = true, value_name = "CONFIG", value_hint = ValueHint::FilePath)]
    pub bare: Option<PathBuf>,
    /// Run the bare echo that `server` compares with, until standard input ends
    #[arg(long, hide = true)]
    pub bare_echo: bool,
}

/// What `roomd bench` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Measurement {
    /// Processor time of sending to one peer, against the bare pipeline
    Sending,
    /// Processor time of each added peer
    Peers,
    /// From a command to the published state
    Command,
    /// 500 commands a second: whether any is lost
    Flood,
    /// From a command to mute to the last audible packet, also on a machine at its limit
    Mute,
    /// From a command to join to the first picture
    Join,
    /// Processor time and memory of a call, against Chromium in roomd's place
    Call,
    /// Memory, idle and in a call
    Memory,
    /// The room server under a thousand clients
    Server,
}

/// Arguments of `roomd completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_teaches_by_example() {
        for subcommand in Cli::command().get_subcommands_mut() {
            let help = subcommand.render_long_help().to_string();
            assert!(
                help.contains("Examples:"),
                "{} has no examples",
                subcommand.get_name()
            );
        }
    }

    #[test]
    fn every_argument_is_explained() {
        for subcommand in Cli::command().get_subcommands() {
            for argument in subcommand.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{argument} of {}",
                    subcommand.get_name()
                );
            }
        }
    }

    #[test]
    fn a_configuration_file_is_taken_before_or_behind_other_arguments() {
        let cli =
            Cli::try_parse_from(["roomd", "check-config", "--json", "-c", "/r.toml"]).unwrap();
        let Subcommands::CheckConfig(args) = cli.command else {
            panic!("{cli:?}");
        };
        assert!(args.json);
        assert_eq!(args.config.config, Some(PathBuf::from("/r.toml")));
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for arguments in [
            &["roomd", "rnu"][..],
            &["roomd", "bench", "--seconds", "0"],
            &["roomd", "demo", "--listen", "8443"],
            &["roomd", "completions", "dos"],
        ] {
            assert_eq!(
                Cli::try_parse_from(arguments).unwrap_err().exit_code(),
                2,
                "{arguments:?}"
            );
        }
    }
}
