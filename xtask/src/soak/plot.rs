//! Draws a soak's samples: a panel for each measure, over the same minutes.

use std::path::Path;

use anyhow::Result;

use crate::drawing::{self, Drawing, Point, Series};

const SIZE: (u32, u32) = (900, 820);

/// A panel: its title, and the value of each sample.
pub type Panel<S> = (&'static str, fn(&S) -> f64);

/// Something that was sampled at a time.
pub trait Timed {
    /// Seconds since the beginning.
    fn seconds(&self) -> f64;
}

/// Writes them as an SVG.
pub fn draw<S: Timed>(samples: &[S], panels: &[Panel<S>], file: &Path) -> Result<()> {
    let panel = |&(title, of): &Panel<S>| {
        let point = |sample: &S| Point { at: sample.seconds() / 60.0, value: of(sample), range: None };
        let series = vec![Series { name: None, points: samples.iter().map(point).collect() }];
        drawing::Panel { title, along: "minutes", logarithmic: false, series }
    };
    let panels = panels.iter().map(panel).collect();
    drawing::draw(&[Drawing { file: file.to_owned(), size: SIZE, panels }])
}
