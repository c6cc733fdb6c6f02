//! Rounds: repeated until enough of them count.

use anyhow::bail;

use super::{proc::Watch, report::Count};
use crate::cli::BenchArgs;

/// Runs `round` until `wanted` rounds count. It is told how many there were and gives `None` when its
/// work was not done; a round in which other programs used too much does not count either.
pub(super) async fn rounds<T>(
    arguments: &BenchArgs,
    wanted: usize,
    mut round: impl AsyncFnMut(usize) -> anyhow::Result<Option<T>>,
) -> anyhow::Result<(Vec<T>, Count)> {
    let limit = f64::from(arguments.foreign) / 100.0;
    let mut kept = Vec::new();
    let mut voided = 0;
    while kept.len() < wanted {
        let watch = Watch::begin()?;
        let gave = round(kept.len() + voided).await?;
        let foreign = watch.foreign()?;
        let why = match gave {
            Some(gave) if foreign <= limit => {
                kept.push(gave);
                eprintln!(
                    "  {} of {wanted} (other programs {:.0} %)",
                    kept.len(),
                    foreign * 100.0
                );
                continue;
            }
            Some(_) => "other programs used too much",
            None => "not all pictures, sounds or packets came",
        };
        voided += 1;
        eprintln!("  void: {why} (other programs {:.0} %)", foreign * 100.0);
        if voided > 2 * wanted {
            bail!(
                "{voided} rounds do not count, {} do; the last because {why}",
                kept.len()
            );
        }
    }
    let count = Count {
        kept: kept.len(),
        voided,
    };
    Ok((kept, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_count() -> BenchArgs {
        BenchArgs {
            foreign: 100,
            ..BenchArgs::default()
        }
    }

    #[tokio::test]
    async fn rounds_whose_work_was_not_done_are_repeated_and_counted() {
        let (kept, count) = rounds(&all_count(), 3, async |number| {
            Ok((number != 1).then_some(number))
        })
        .await
        .unwrap();
        assert_eq!(kept, [0, 2, 3]);
        assert_eq!(count, Count { kept: 3, voided: 1 });
    }

    #[tokio::test]
    async fn work_that_is_never_done_ends_with_an_error() {
        let outcome = rounds(&all_count(), 2, async |_| Ok(None::<()>)).await;
        assert!(outcome.unwrap_err().to_string().contains("5 rounds"));
    }
}
