//! One line of a GPIO chip, over the character device (uAPI v2).

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use gpiocdev::{
    Chip, Request,
    line::{EdgeDetection, EdgeKind, Value},
    request::Builder,
};
use thiserror::Error;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    input::{Bias, GpioLine},
    news::{News, Use, watched},
};

/// Why a line cannot be used.
#[derive(Debug, Error)]
pub enum GpioError {
    /// No chip, or none of that label.
    #[error("there is no GPIO chip {wanted}, but {there}")]
    NoChip {
        /// The chip, as configured.
        wanted: String,
        /// Labels of what is there.
        there: String,
    },
    /// The chip has no such line.
    #[error("there is no GPIO line {line}; roomd probe lists the lines")]
    NoLine {
        /// The line, as configured.
        line: String,
    },
    /// The chip refuses.
    #[error(
        "cannot use the GPIO line {line}: {source}; the service's user needs the group gpio, and the line may have no other user"
    )]
    Line {
        /// The line, as configured.
        line: String,
        /// What the system says.
        source: gpiocdev::Error,
    },
}

/// A line in use.
#[derive(Debug)]
pub(crate) struct Line {
    request: Request,
}

impl Line {
    /// The line as an input with both edges. The kernel debounces it when a time is given; what is
    /// shorter than that is then no edge at all.
    pub(crate) fn input(line: &GpioLine, debounce: Option<Duration>) -> Result<Self, GpioError> {
        Self::request(line, |builder| {
            builder
                .as_input()
                .with_edge_detection(EdgeDetection::BothEdges);
            if let Some(debounce) = debounce.filter(|time| !time.is_zero()) {
                builder.with_debounce_period(debounce);
            }
            let bias = match line.bias {
                Bias::AsIs => None,
                Bias::Disabled => Some(gpiocdev::line::Bias::Disabled),
                Bias::PullUp => Some(gpiocdev::line::Bias::PullUp),
                Bias::PullDown => Some(gpiocdev::line::Bias::PullDown),
            };
            builder.with_bias(bias);
        })
    }

    /// The line as an output, inactive at first.
    pub(crate) fn output(line: &GpioLine) -> Result<Self, GpioError> {
        Self::request(line, |builder| {
            builder.as_output(Value::Inactive);
        })
    }

    fn request(line: &GpioLine, shape: impl FnOnce(&mut Builder)) -> Result<Self, GpioError> {
        let (chip, offset) = find(line)?;
        let mut builder = Request::builder();
        builder
            .on_chip(chip)
            .with_consumer("roomd")
            .with_line(offset);
        if line.active_low {
            builder.as_active_low();
        }
        shape(&mut builder);
        let request = builder.request().map_err(|source| GpioError::Line {
            line: line.to_string(),
            source,
        })?;
        Ok(Self { request })
    }

    /// Whether it is active.
    pub(crate) fn is_active(&self) -> Result<bool, gpiocdev::Error> {
        Ok(self.request.lone_value()? == Value::Active)
    }

    /// Makes an output active, or not, and reads it back.
    pub(crate) fn set(&self, active: bool) -> Result<bool, gpiocdev::Error> {
        let value = if active {
            Value::Active
        } else {
            Value::Inactive
        };
        self.request.set_lone_value(value)?;
        Ok(self.is_active()? == active)
    }
}

/// Reads an input until its chip is gone.
pub(crate) async fn read_line(line: Line, used: Use, news: UnboundedSender<News>) {
    let why = match follow(line, used, &news).await {
        Ok(()) => return,
        Err(why) => why,
    };
    // Nobody hears when the panel ends.
    let _ = news.send(News::LineGone(used, why));
}

/// The library's own asynchronous reader never ends once the chip is gone, so it is waited for here.
async fn follow(line: Line, used: Use, news: &UnboundedSender<News>) -> Result<(), String> {
    let request = watched(line.request).map_err(|error| error.to_string())?;
    let mut last = None;
    loop {
        let mut guard = request
            .readable()
            .await
            .map_err(|error| error.to_string())?;
        let line = request.get_ref();
        let active = if line.has_edge_event().map_err(|error| error.to_string())? {
            let event = line.read_edge_event().map_err(|error| error.to_string())?;
            event.kind == EdgeKind::Rising
        } else if guard.ready().is_read_closed() || guard.ready().is_error() {
            return Err("its chip is gone".to_owned());
        } else {
            guard.clear_ready();
            // In a flood the kernel drops edges; the level at its end is what counts.
            let level = line.lone_value().map_err(|error| error.to_string())? == Value::Active;
            if last.is_none_or(|last| last == level) {
                continue;
            }
            level
        };
        last = Some(active);
        if news.send(News::Line(used, active, Instant::now())).is_err() {
            return Ok(());
        }
    }
}

/// The chip's node and the line's number on it.
fn find(line: &GpioLine) -> Result<(PathBuf, u32), GpioError> {
    let failed = |source| GpioError::Line {
        line: line.to_string(),
        source,
    };
    let (mut labels, mut unreadable) = (Vec::new(), None);
    let mut is_there = false;
    for path in gpiocdev::chip::chips().map_err(failed)? {
        let opened = Chip::from_path(&path).and_then(|chip| chip.info().map(|info| (chip, info)));
        let (chip, info) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                unreadable = Some(error);
                continue;
            }
        };
        labels.push(info.label.clone());
        let is_meant = line
            .chip
            .as_deref()
            .is_none_or(|wanted| is_chip(wanted, &path, &info.name, &info.label));
        if !is_meant {
            continue;
        }
        is_there = true;
        let number = line.line.parse::<u32>().ok();
        if let Some(number) = number.filter(|number| *number < info.num_lines) {
            return Ok((path, number));
        }
        if let Some(found) = chip.find_line_info(&line.line) {
            return Ok((path, found.offset));
        }
    }
    if let Some(error) = unreadable.filter(|_| !is_there) {
        return Err(failed(error));
    }
    if is_there {
        return Err(GpioError::NoLine {
            line: line.to_string(),
        });
    }
    Err(GpioError::NoChip {
        wanted: line.chip.clone().unwrap_or_else(|| "at all".to_owned()),
        there: if labels.is_empty() {
            "no other either".to_owned()
        } else {
            labels.join(", ")
        },
    })
}

fn is_chip(wanted: &str, path: &Path, name: &str, label: &str) -> bool {
    if wanted.starts_with('/') {
        return std::fs::canonicalize(wanted).is_ok_and(|target| target == path);
    }
    wanted == name || wanted == label
}

/// A line for `roomd probe`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FoundLine {
    /// Label of its chip.
    pub chip: String,
    /// Its number there.
    pub number: u32,
    /// Its name, if it has one.
    pub name: String,
    /// Who uses it, if anybody does.
    pub consumer: String,
}

/// All lines of all chips that may be read.
#[must_use]
pub fn lines() -> Vec<FoundLine> {
    let mut found = Vec::new();
    for path in gpiocdev::chip::chips().unwrap_or_default() {
        let Ok(chip) = Chip::from_path(&path) else {
            continue;
        };
        let label = chip.info().map(|info| info.label).unwrap_or_default();
        let Ok(lines) = chip.line_info_iter() else {
            continue;
        };
        found.extend(lines.flatten().map(|line| FoundLine {
            chip: label.clone(),
            number: line.offset,
            name: line.name.clone(),
            consumer: line.consumer.clone(),
        }));
    }
    found
}
