//! Draws a soak's samples: a panel for each measure, over the same minutes.

use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;

const SIZE: (u32, u32) = (900, 820);

/// What a panel shows: its title, and of each sample what is drawn.
pub type Panel<S> = (&'static str, fn(&S) -> f64);

/// Something that was sampled at a time.
pub trait Timed {
    /// Seconds since the beginning.
    fn seconds(&self) -> f64;
}

/// Writes them as an SVG.
pub fn draw<S: Timed>(samples: &[S], panels: &[Panel<S>], file: &Path) -> Result<()> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    let drawn = area.fill(&WHITE).map_err(anyhow::Error::from).and_then(|()| {
        let parts = area.split_evenly((panels.len(), 1));
        parts.iter().zip(panels).try_for_each(|(part, panel)| draw_panel(part, samples, panel))
    });
    drawn.and_then(|()| Ok(area.present()?)).with_context(|| format!("cannot draw {}", file.display()))
}

fn draw_panel<S: Timed>(
    part: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    samples: &[S],
    (title, of): &Panel<S>,
) -> Result<()> {
    let minutes = |sample: &S| sample.seconds() / 60.0;
    let end = samples.last().map_or(1.0, minutes);
    // From zero, so that what looks like growth is growth.
    let highest = samples.iter().map(of).fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(part)
        .caption(*title, ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..end, 0.0..highest)?;
    chart.configure_mesh().light_line_style(TRANSPARENT).y_labels(5).x_desc("minutes").draw()?;
    chart.draw_series(LineSeries::new(samples.iter().map(|sample| (minutes(sample), of(sample))), &BLUE))?;
    Ok(())
}
