/// A picture of three bytes for each pixel: red, green, blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
}

/// What a pixel of the smaller picture takes from the larger one along one side: where it begins, and how much of each pixel from there on.
struct Share {
    first: usize,
    weights: Vec<u64>,
}

impl Picture {
    /// The picture made smaller, each pixel the mean of what it covers. Whole numbers only, so that every machine finds the same.
    pub(crate) fn shrunk_to(&self, width: u32) -> Self {
        let height = u32::try_from((u64::from(self.height) * u64::from(width) * 2 + u64::from(self.width)) / (u64::from(self.width) * 2)).unwrap_or(u32::MAX);
        let (columns, rows) = (shares(self.width, width), shares(self.height, height));
        let total = u64::from(self.width) * u64::from(self.height);
        let stride = self.width as usize * 3;
        let mut pixels = Vec::with_capacity(columns.len() * rows.len() * 3);
        for row in &rows {
            for column in &columns {
                let mut sums = [0; 3];
                for (down, y) in row.weights.iter().zip(row.first..) {
                    let line = &self.pixels[y * stride + column.first * 3..];
                    for (across, pixel) in column.weights.iter().zip(line.chunks_exact(3)) {
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += down * across * u64::from(*value);
                        }
                    }
                }
                pixels.extend(sums.map(|sum| ((sum + total / 2) / total) as u8));
            }
        }
        Self { width, height, pixels }
    }
}

/// Cuts a side of `from` pixels into `to` equal parts. A part is `from` units long, a pixel `to` units, so the weights of a part sum to `from`.
fn shares(from: u32, to: u32) -> Vec<Share> {
    let (from, to) = (u64::from(from), u64::from(to));
    let part = |index: u64| {
        let (start, end) = (index * from, (index + 1) * from);
        let pixels = start / to..end.div_ceil(to);
        let weights = pixels.clone().map(|pixel| end.min((pixel + 1) * to) - start.max(pixel * to)).collect();
        Share { first: pixels.start as usize, weights }
    };
    (0..to).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_the_mean_of_what_it_covers() {
        let grey = |values: &[u8]| values.iter().flat_map(|value| [*value; 3]).collect::<Vec<u8>>();
        let picture = Picture { width: 4, height: 2, pixels: grey(&[0, 100, 10, 10, 50, 50, 10, 30]) };
        assert_eq!(picture.shrunk_to(2), Picture { width: 2, height: 1, pixels: grey(&[50, 15]) });
        let thirds = Picture { width: 3, height: 3, pixels: grey(&[90, 0, 0, 90, 0, 0, 90, 0, 0]) };
        assert_eq!(thirds.shrunk_to(2).pixels, grey(&[60, 0, 60, 0]));
    }

    #[test]
    fn a_plain_picture_stays_plain() {
        let picture = Picture { width: 960, height: 7, pixels: vec![201; 960 * 7 * 3] };
        let small = picture.shrunk_to(640);
        assert_eq!((small.width, small.height), (640, 5));
        assert!(small.pixels.iter().all(|value| *value == 201));
    }
}
