//! The `roomd` program: arguments to a call, errors to an exit code.

use std::{io, path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::{CommandFactory, Parser};
use roomd::{
    bench,
    broker::without_its_log,
    cli::{
        CheckConfigArgs, Cli, ConfigArgs, LightsShow, ProbeArgs, RoomServerArgs, RunArgs,
        Subcommands,
    },
    config::{self, Config, EX_CONFIG, LogConfig, LogDirectives, LogFormat, Secrets, Sources},
    daemon, demo, probe as probe_report,
    record::{self, RecordSettings},
    room_server,
    systemd::journal,
};
use roomd_controls::{lights, scan::Places};
use roomd_protocol::RoomUrl;
use roomd_server::recorder::{CA_VARIABLE, URL_VARIABLE};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, fmt};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One TLS provider for the whole program.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("roomd: another TLS provider was installed first");
    }
    let outcome = match cli.command {
        Subcommands::Run(arguments) => {
            with_config(&arguments.config, Secrets::OfAppliance, |config| {
                run(&arguments, &config)
            })
        }
        Subcommands::RoomServer(arguments) => {
            with_config(&arguments.config, Secrets::OfRoomServer, |config| {
                serve_rooms(&arguments, config)
            })
        }
        Subcommands::Record(arguments) => {
            with_config(&arguments.config, Secrets::OfRecorder, record_room)
        }
        Subcommands::Demo(arguments) => {
            start_log(&quiet_log());
            asynchronously(async {
                demo::run(arguments, stop_signal()?).await?;
                Ok(ExitCode::SUCCESS)
            })
        }
        Subcommands::Ctl(arguments) => {
            asynchronously(async { Ok(roomd::ctl::run(*arguments).await.into()) })
        }
        Subcommands::CheckConfig(arguments) => Ok(check_config(&arguments)),
        Subcommands::Probe(arguments) => probe(&arguments),
        Subcommands::Lights(arguments) => {
            with_config(&arguments.config, Secrets::OfRecorder, |config| {
                Ok(lights(arguments.show, &config))
            })
        }
        Subcommands::Completions(arguments) => {
            clap_complete::generate(
                arguments.shell,
                &mut Cli::command(),
                "roomd",
                &mut io::stdout(),
            );
            Ok(ExitCode::SUCCESS)
        }
        Subcommands::Bench(arguments) => {
            start_log(&quiet_log());
            asynchronously(async { bench::run(&arguments, stop_signal()?).await })
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("roomd: {error:#}");
        ExitCode::FAILURE
    })
}

fn with_config(
    arguments: &ConfigArgs,
    secrets: Secrets,
    then: impl FnOnce(Config) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    match config::load(&Sources::of_system(arguments.config.clone(), secrets)) {
        Ok(loaded) => {
            start_log(&loaded.config.log);
            then(loaded.config)
        }
        Err(error) => {
            eprintln!("{error}");
            Ok(ExitCode::from(EX_CONFIG))
        }
    }
}

fn run(arguments: &RunArgs, config: &Config) -> anyhow::Result<ExitCode> {
    asynchronously(async {
        let stop = stop_signal()?;
        let appliance = daemon::start(config, arguments.trace_signal.clone())?;
        appliance.until(stop).await;
        tracing::info!("the room is left, goodbye");
        Ok(ExitCode::SUCCESS)
    })
}

fn serve_rooms(arguments: &RoomServerArgs, config: Config) -> anyhow::Result<ExitCode> {
    let mut settings = config.server;
    if let Some(listen) = arguments.listen {
        settings.listen = listen;
    }
    if arguments.ephemeral {
        settings.state_dir = None;
    }
    if config.recording.is_some() && settings.recorder_command.is_empty() {
        settings.recorder_command = own_recorder(arguments)?;
    }
    asynchronously(async {
        room_server::run(settings, config.recording, stop_signal()?).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// This very program as the recorder, with the same configuration.
fn own_recorder(arguments: &RoomServerArgs) -> anyhow::Result<Vec<String>> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let text = |path: PathBuf| {
        let not_text = |path| anyhow::anyhow!("the path {path:?} is not UTF-8");
        path.into_os_string().into_string().map_err(not_text)
    };
    let mut command = vec![text(program)?, "record".to_owned()];
    if let Some(file) = &arguments.config.config {
        command.extend(["--config".to_owned(), text(file.clone())?]);
    }
    Ok(command)
}

fn record_room(config: Config) -> anyhow::Result<ExitCode> {
    let Some(storage) = config.recording else {
        bail!("no directory for recordings is configured: set recording.directory");
    };
    let url = std::env::var(URL_VARIABLE).with_context(|| {
        format!("{URL_VARIABLE} does not say which room: roomd record --help explains it")
    })?;
    let room = RoomUrl::parse(&url).with_context(|| format!("{URL_VARIABLE} names no room"))?;
    let settings = RecordSettings {
        room,
        storage,
        ca_file: std::env::var_os(CA_VARIABLE)
            .map(PathBuf::from)
            .or(config.room.service.ca_file),
        allow_loopback: config.media.settings.allow_loopback,
    };
    asynchronously(async {
        let stop = stop_signal()?;
        record::stop_with_input(&stop);
        match record::run(settings, stop).await {
            Ok(()) => {
                tracing::info!("the recording is complete");
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                tracing::error!(%error, "the recording has ended");
                Ok(ExitCode::from(error.exit_code()))
            }
        }
    })
}

fn check_config(arguments: &CheckConfigArgs) -> ExitCode {
    let outcome = config::load(&Sources::of_system(
        arguments.config.config.clone(),
        Secrets::All,
    ));
    let report = if arguments.json {
        config::report_json(&outcome)
    } else {
        config::report(&outcome)
    };
    println!("{report}");
    if outcome.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EX_CONFIG)
    }
}

fn probe(arguments: &ProbeArgs) -> anyhow::Result<ExitCode> {
    let media = roomd_media::probe().context("cannot look for devices")?;
    let report = probe_report::probe(media, &Places::default());
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", probe_report::table(&report));
    }
    Ok(ExitCode::SUCCESS)
}

/// What lights show when nobody drives them. Not every light can be left showing something; that is said
/// and is no failure, because the box works without.
fn lights(show: Option<LightsShow>, config: &Config) -> ExitCode {
    let controls = &config.controls;
    // Set by systemd for ExecStopPost=: what became of the service.
    let stopped_well = std::env::var("SERVICE_RESULT").is_ok_and(|result| result == "success");
    let show = show.unwrap_or(if stopped_well {
        LightsShow::Dark
    } else {
        LightsShow::Fault
    });
    let failed = match show {
        LightsShow::Fault => lights::leave_with_a_fault(&controls.table.lights, &controls.places),
        LightsShow::Dark => lights::leave_dark(&controls.table.lights, &controls.places),
    };
    for failure in failed {
        tracing::warn!("{failure}");
    }
    ExitCode::SUCCESS
}

fn asynchronously(
    work: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(work)
}

/// Cancelled by SIGTERM or Ctrl-C.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        cancelled.cancel();
    });
    Ok(stop)
}

/// The demo's terminal belongs to its status line, that of the benchmarks to their table.
fn quiet_log() -> LogConfig {
    let level = std::env::var("ROOMD_LOG__LEVEL")
        .ok()
        .and_then(|text| LogDirectives::new(&without_its_log(&text)))
        .or_else(|| LogDirectives::new(&without_its_log("error")))
        .unwrap_or_default();
    LogConfig {
        level,
        format: LogFormat::Text,
    }
}

fn start_log(log: &LogConfig) {
    let filter = EnvFilter::builder().parse_lossy(log.level.as_str());
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr);
    let for_the_journal = match log.format {
        LogFormat::Journal => true,
        LogFormat::Auto => journal::is_standard_error_the_journal(),
        LogFormat::Text => false,
        LogFormat::Json => {
            lines.json().init();
            return;
        }
    };
    if for_the_journal {
        lines
            .with_writer(journal::PriorityPrefix(io::stderr))
            .without_time()
            .with_level(false)
            .with_ansi(false)
            .init();
    } else {
        lines.init();
    }
}
