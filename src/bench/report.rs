//! Figures, whether they meet their goals, and how they are shown.

use std::fmt::Write;

use serde::Serialize;

use super::statistics;

/// How a figure stands to its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// Figure and upper end of its interval keep to it.
    Met,
    /// The figure keeps to it, the upper end of its interval does not.
    Open,
    /// The figure is above it.
    Missed,
    /// There is none.
    Informative,
}

impl Verdict {
    fn of(value: f64, interval: Option<(f64, f64)>, goal: Option<f64>) -> Self {
        match goal {
            None => Self::Informative,
            Some(goal) if value > goal => Self::Missed,
            Some(goal) if interval.is_some_and(|(_, high)| high > goal) => Self::Open,
            Some(_) => Self::Met,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Open => "open",
            Self::Missed => "missed",
            Self::Informative => "",
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Figure {
    /// What was measured.
    pub(super) name: String,
    /// The value.
    pub(super) value: f64,
    /// Its 95 % interval.
    pub(super) interval: Option<(f64, f64)>,
    /// `ms`, `MB`, `%`, `×` …
    pub(super) unit: &'static str,
    /// The largest value that is good.
    pub(super) goal: Option<f64>,
    /// How it stands to the goal.
    pub(super) verdict: Verdict,
    /// Number of samples.
    pub(super) samples: usize,
    /// Rounds that count.
    pub(super) rounds: usize,
    /// Rounds that do not.
    pub(super) voided: usize,
}

/// Which rounds stand behind a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Those that count.
    pub(super) kept: usize,
    /// Those that do not.
    pub(super) voided: usize,
}

impl Figure {
    /// A statistic of samples with its interval. `None` without samples.
    pub(super) fn of(
        name: impl Into<String>,
        unit: &'static str,
        samples: &[f64],
        statistic: impl Fn(&[f64]) -> Option<f64>,
        goal: Option<f64>,
        rounds: Count,
    ) -> Option<Self> {
        let value = statistic(samples)?;
        let interval = statistics::interval(samples, statistic).filter(|_| samples.len() > 1);
        Some(Self {
            name: name.into(),
            value,
            interval,
            unit,
            goal,
            verdict: Verdict::of(value, interval, goal),
            samples: samples.len(),
            rounds: rounds.kept,
            voided: rounds.voided,
        })
    }
}

/// What a measurement gave.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    /// Its name on the command line.
    pub(super) measurement: &'static str,
    /// What it gave; empty when it did not work.
    pub(super) figures: Vec<Figure>,
    /// What is to be known about it.
    pub(super) notes: Vec<String>,
    /// Why there is nothing, and what to do.
    pub(super) problem: Option<String>,
}

/// The table for people.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let mut rows =
        vec![["", "figure", "95 % interval", "goal", "", "n", "rounds"].map(str::to_owned)];
    for outcome in outcomes {
        for figure in &outcome.figures {
            let number = |value: f64| format!("{value:.*}", digits(value));
            rows.push([
                format!("{}: {}", outcome.measurement, figure.name),
                format!("{} {}", number(figure.value), figure.unit),
                figure
                    .interval
                    .map(|(low, high)| format!("{} … {}", number(low), number(high)))
                    .unwrap_or_default(),
                figure
                    .goal
                    .map(|goal| format!("≤ {goal}"))
                    .unwrap_or_default(),
                figure.verdict.word().to_owned(),
                figure.samples.to_string(),
                match figure.voided {
                    0 => figure.rounds.to_string(),
                    voided => format!("{} ({voided} void)", figure.rounds),
                },
            ]);
        }
    }
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width - cell.chars().count());
            let (left, right) = match index {
                0 | 4 => ("", padding.as_str()),
                _ => (padding.as_str(), ""),
            };
            // Writing to a string cannot fail.
            let _ = write!(line, "{left}{cell}{right}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for outcome in outcomes {
        for note in outcome.notes.iter().chain(&outcome.problem) {
            text.push_str(&format!("{}: {note}\n", outcome.measurement));
        }
    }
    text
}

fn digits(value: f64) -> usize {
    match value.abs() {
        large if large >= 100.0 => 0,
        medium if medium >= 10.0 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(samples: &[f64], goal: f64) -> Figure {
        let rounds = Count { kept: 3, voided: 1 };
        Figure::of("it", "ms", samples, statistics::median, Some(goal), rounds).unwrap()
    }

    #[test]
    fn a_goal_is_met_only_when_the_interval_keeps_to_it_too() {
        let samples = [1.0, 2.0, 3.0, 4.0, 9.0];
        assert_eq!(figure(&samples, 10.0).verdict, Verdict::Met);
        assert_eq!(figure(&samples, 3.5).verdict, Verdict::Open);
        assert_eq!(figure(&samples, 2.5).verdict, Verdict::Missed);
    }

    #[test]
    fn one_sample_has_no_interval() {
        assert_eq!(figure(&[1.0], 2.0).interval, None);
        assert_eq!(
            Figure::of("it", "ms", &[], statistics::median, None, Count::default()),
            None
        );
    }

    #[test]
    fn the_table_shows_figures_goals_void_rounds_and_what_did_not_work() {
        let text = table(&[
            Outcome {
                measurement: "command",
                figures: vec![figure(&[10.0, 12.0, 300.0], 50.0)],
                notes: vec!["a note".into()],
                problem: None,
            },
            Outcome {
                measurement: "mute",
                figures: Vec::new(),
                notes: Vec::new(),
                problem: Some("install tcpdump".into()),
            },
        ]);
        for part in [
            "command: it",
            "12.0 ms",
            "10.0 … 300",
            "≤ 50",
            "open",
            "3 (1 void)",
            "command: a note",
            "mute: install tcpdump",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}
