//! Draws what a figure is with different numbers: timers, descriptors, guests.

use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;

use super::rows::{PLOTS, Plot, Side};
use super::runs::Runs;

const SIZE: (u32, u32) = (760, 380);
const COLOURS: [RGBColor; 2] = [BLUE, RED];

/// A side's points: the number, and the median, lowest and highest figure.
type Line = (Side, Vec<(f64, [f64; 3])>);

/// Draws all that there are figures for. Returns how many that is.
pub fn draw_all(runs: &Runs, dir: &Path) -> Result<usize> {
    let mut drawn = 0;
    for plot in PLOTS {
        if let Some(lines) = lines(plot, runs) {
            let file = dir.join(format!("{}.svg", plot.file));
            draw(plot, &lines, &file).with_context(|| format!("cannot draw {}", file.display()))?;
            drawn += 1;
        }
    }
    Ok(drawn)
}

fn lines(plot: &Plot, runs: &Runs) -> Option<Vec<Line>> {
    let point = |work: &'static str, side: Side| {
        let mut values = runs.of((work, side), plot.figure)?;
        values.sort_by(f64::total_cmp);
        let (first, last) = (*values.first()?, *values.last()?);
        Some((runs.number(work)? as f64, [values[values.len() / 2], first, last]))
    };
    let line = |&side: &Side| {
        let points = plot.works.iter().map(|work| point(work, side)).collect::<Option<_>>()?;
        Some((side, points))
    };
    plot.sides.iter().map(line).collect()
}

fn draw(plot: &Plot, lines: &[Line], file: &Path) -> Result<()> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|(_, points)| points);
    let first = points().map(|point| point.0).fold(f64::MAX, f64::min);
    let last = points().map(|point| point.0).fold(0.0, f64::max);
    // From zero, so that what looks like growth is growth.
    let highest = points().map(|point| point.1[2]).fold(1.0, f64::max) * 1.15;
    let mut chart = ChartBuilder::on(&area)
        .caption(plot.title, ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(56)
        .build_cartesian_2d((first..last).log_scale(), 0.0..highest)?;
    let whole = |value: &f64| format!("{value:.0}");
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc(plot.along)
        .x_label_formatter(&whole)
        .y_label_formatter(&whole)
        .draw()?;
    for ((side, points), colour) in lines.iter().zip(COLOURS) {
        let medians = points.iter().map(|&(at, [median, ..])| (at, median));
        chart
            .draw_series(LineSeries::new(medians, colour.stroke_width(2)))?
            .label(side.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour));
        // From the lowest of the rounds to the highest.
        chart.draw_series(
            points.iter().map(|&(at, [_, low, high])| PathElement::new([(at, low), (at, high)], colour)),
        )?;
    }
    chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
    area.present()?;
    Ok(())
}
