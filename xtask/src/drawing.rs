//! Charts, drawn by the program xtask-plots.
//!
//! The program is a package of its own, compiled when something is drawn.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::process;

/// Charts, one above the other, in one SVG.
pub struct Drawing {
    pub file: PathBuf,
    /// Width and height in pixels.
    pub size: (u32, u32),
    pub panels: Vec<Panel>,
}

/// A chart.
pub struct Panel {
    pub title: &'static str,
    /// The title of the horizontal axis.
    pub along: &'static str,
    pub logarithmic: bool,
    pub series: Vec<Series>,
}

/// A line of a chart.
pub struct Series {
    /// The name in the legend.
    pub name: Option<&'static str>,
    pub points: Vec<Point>,
}

/// A point of a line.
pub struct Point {
    pub at: f64,
    pub value: f64,
    /// The lowest and the highest value.
    pub range: Option<(f64, f64)>,
}

/// Draws all of them.
pub fn draw(drawings: &[Drawing]) -> Result<()> {
    let charts: Value = drawings.iter().map(Drawing::to_json).collect();
    let mut plots = process::cargo();
    plots.args(["run", "--quiet", "--package", "xtask-plots"]);
    process::run_with_input(&mut plots, charts.to_string().as_bytes())
}

impl Drawing {
    fn to_json(&self) -> Value {
        let point = |point: &Point| json!({"at": point.at, "value": point.value, "range": point.range});
        let series = |series: &Series| {
            let points: Value = series.points.iter().map(point).collect();
            json!({"name": series.name, "points": points})
        };
        let panel = |panel: &Panel| {
            let series: Value = panel.series.iter().map(series).collect();
            let (title, along, logarithmic) = (panel.title, panel.along, panel.logarithmic);
            json!({"title": title, "along": along, "logarithmic": logarithmic, "series": series})
        };
        let panels: Value = self.panels.iter().map(panel).collect();
        json!({"file": self.file, "size": self.size, "panels": panels})
    }
}
