//! One sort for all lists. The standard library's is made anew for each type, 4 KB of a phone's library each time.

use std::cmp::Ordering;

/// The list in order; what is equal stays as it stands.
pub fn ordered<T>(list: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut places: Vec<usize> = (0..list.len()).collect();
    sort(&mut places, &|a, b| {
        let both = list.get(a).zip(list.get(b));
        both.map_or(Ordering::Equal, |(a, b)| order(a, b))
    });
    let mut list: Vec<Option<T>> = list.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| list.get_mut(place)?.take()).collect()
}

fn sort(places: &mut [usize], order: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_by(|a, b| order(*a, *b));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_stays_as_it_stands() {
        let list = vec![(2, "a"), (1, "b"), (2, "c"), (1, "d")];
        let sorted = ordered(list, |a, b| a.0.cmp(&b.0));
        assert_eq!(sorted, [(1, "b"), (1, "d"), (2, "a"), (2, "c")]);
        assert!(ordered(Vec::<u8>::new(), Ord::cmp).is_empty());
    }
}
