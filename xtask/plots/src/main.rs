//! Draws the charts that standard input describes in JSON. xtask/src/drawing.rs writes it.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context, Result};
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use serde::Deserialize;

const COLORS: [RGBColor; 2] = [BLUE, RED];

/// A drawing: panels, one above the other.
#[derive(Debug, Deserialize)]
struct Drawing {
    /// The SVG.
    file: PathBuf,
    /// Width and height in pixels.
    size: (u32, u32),
    panels: Vec<Panel>,
}

/// A chart. Its vertical axis begins at zero, so that apparent growth is real growth.
#[derive(Debug, Deserialize)]
struct Panel {
    title: String,
    /// The title of the horizontal axis.
    along: String,
    /// Whether the horizontal axis is logarithmic.
    #[serde(default)]
    logarithmic: bool,
    series: Vec<Series>,
}

#[derive(Debug, Deserialize)]
struct Series {
    /// The name in the legend. A chart without names has no legend.
    name: Option<String>,
    points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
struct Point {
    at: f64,
    value: f64,
    /// The lowest and the highest value, drawn as a bar.
    range: Option<(f64, f64)>,
}

fn main() -> Result<()> {
    let drawings: Vec<Drawing> =
        serde_json::from_reader(std::io::stdin().lock()).context("standard input holds no drawings")?;
    drawings.iter().try_for_each(|drawing| {
        draw(drawing).with_context(|| format!("cannot draw {}", drawing.file.display()))
    })
}

fn draw(drawing: &Drawing) -> Result<()> {
    let area = SVGBackend::new(&drawing.file, drawing.size).into_drawing_area();
    area.fill(&WHITE)?;
    let parts = area.split_evenly((drawing.panels.len().max(1), 1));
    parts.iter().zip(&drawing.panels).try_for_each(|(part, panel)| draw_panel(part, panel))?;
    Ok(area.present()?)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw_panel(area: &Area<'_>, panel: &Panel) -> Result<()> {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let first = points().map(|point| point.at).fold(f64::MAX, f64::min);
    let last = points().map(|point| point.at).fold(0.0, f64::max);
    let top = |point: &Point| point.range.map_or(point.value, |(_, highest)| highest);
    let height = 0.0..points().map(top).fold(1.0, f64::max) * 1.15;
    let mut builder = ChartBuilder::on(area);
    builder.caption(&panel.title, ("sans-serif", 15));
    builder.margin(10).x_label_area_size(30).y_label_area_size(56);
    if panel.logarithmic {
        draw_series(builder.build_cartesian_2d((first..last).log_scale(), height)?, panel)
    } else {
        let width: Range<f64> = 0.0..last;
        draw_series(builder.build_cartesian_2d(width, height)?, panel)
    }
}

fn draw_series<'a, X>(
    mut chart: ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, RangedCoordf64>>,
    panel: &Panel,
) -> Result<()>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let whole = |value: &f64| format!("{value:.0}");
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).y_labels(6).x_desc(&panel.along);
    mesh.x_label_formatter(&whole).draw()?;
    for (series, color) in panel.series.iter().zip(COLORS.iter().cycle()) {
        let line = series.points.iter().map(|point| (point.at, point.value));
        let drawn = chart.draw_series(LineSeries::new(line, color.stroke_width(2)))?;
        if let Some(name) = &series.name {
            drawn.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], *color));
        }
        let bars = series.points.iter().filter_map(|point| Some((point.at, point.range?)));
        chart.draw_series(bars.map(|(at, (low, high))| PathElement::new([(at, low), (at, high)], *color)))?;
    }
    if panel.series.iter().any(|series| series.name.is_some()) {
        chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_of_both_kinds_are_drawn() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.svg");
        let json = r#"{
            "file": "FILE", "size": [400, 300], "panels": [
                {"title": "first", "along": "minutes", "series": [
                    {"points": [{"at": 0, "value": 1}, {"at": 2, "value": 3.5}]}]},
                {"title": "second", "along": "timers", "logarithmic": true, "series": [
                    {"name": "one", "points": [{"at": 10, "value": 1, "range": [0.5, 2]},
                                               {"at": 100, "value": 2, "range": [1, 3]}]},
                    {"name": "two", "points": []}]}
            ]}"#;
        let drawing = serde_json::from_str(&json.replace("FILE", file.to_str().unwrap())).unwrap();
        draw(&drawing).unwrap();
        let svg = std::fs::read_to_string(file).unwrap();
        for text in ["first", "minutes", "second", "timers", "one", "two"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
