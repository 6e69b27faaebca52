//! Draws figures by number of timers, descriptors, and guests.

use std::path::Path;

use anyhow::Result;

use super::rows::{PLOTS, Plot, Side};
use super::runs::Runs;
use crate::drawing::{self, Drawing, Panel, Point, Series};

const SIZE: (u32, u32) = (760, 380);

/// Draws all that there are figures for. Returns how many that is.
pub fn draw_all(runs: &Runs, dir: &Path) -> Result<usize> {
    let drawing = |plot: &'static Plot| {
        Some(Drawing {
            file: dir.join(format!("{}.svg", plot.file)),
            size: SIZE,
            panels: vec![Panel {
                title: plot.title,
                along: plot.along,
                logarithmic: true,
                series: series(plot, runs)?,
            }],
        })
    };
    let drawings: Vec<Drawing> = PLOTS.iter().filter_map(drawing).collect();
    if !drawings.is_empty() {
        drawing::draw(&drawings)?;
    }
    Ok(drawings.len())
}

/// A line for each side: at each number the median of the rounds, the lowest and the highest.
fn series(plot: &'static Plot, runs: &Runs) -> Option<Vec<Series>> {
    let point = |work: &'static str, side: Side| {
        let mut values = runs.of((work, side), plot.figure)?;
        values.sort_by(f64::total_cmp);
        let range = (*values.first()?, *values.last()?);
        let at = runs.number(work)? as f64;
        Some(Point { at, value: values[values.len() / 2], range: Some(range) })
    };
    let line = |&side: &Side| {
        let points = plot.works.iter().map(|work| point(work, side)).collect::<Option<_>>()?;
        Some(Series { name: Some(side.name()), points })
    };
    plot.sides.iter().map(line).collect()
}
