//! The middle of figures that were measured several times: one that was disturbed does not count.
#![allow(clippy::indexing_slicing, reason = "a bench that can't go on ends by it")]

/// The middle one of some figures, or the mean of the two in the middle.
pub fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let (from, to) = ((figures.len() - 1) / 2, figures.len() / 2);
    f64::midpoint(figures[from], figures[to])
}
