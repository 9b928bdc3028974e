//! Pictures as pages show them: the smallest file that is sharp enough.

use catalog_api::MediaReference;
use serde::Serialize;

/// A picture to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Picture {
    url: String,
    alt: String,
    width: i32,
    height: i32,
}

/// A picture beside a name, 32 pixels wide: twice that for sharp screens.
pub(crate) fn thumb(media: &MediaReference) -> Picture {
    at_least(media, 64)
}

/// A picture in a row of pictures.
pub(crate) fn tile(media: &MediaReference) -> Picture {
    at_least(media, 320)
}

/// The narrowest file that has `width` pixels, or the picture itself.
fn at_least(media: &MediaReference, width: i32) -> Picture {
    let source = media.sources.iter().find(|source| source.width >= width);
    let url = source.map_or(&media.url, |source| &source.url).clone();
    Picture { url, alt: media.alt.clone(), width: media.width, height: media.height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog_api::MediaSource;

    #[test]
    fn the_narrowest_file_that_is_wide_enough_is_shown() {
        let source = |width: i32| MediaSource { url: format!("/media/{width}.webp"), width };
        let sources = vec![source(48), source(160), source(640)];
        let media = MediaReference { url: "/media/whole.svg".to_owned(), alt: String::new(), width: 800, height: 800, option_value: None, sources };
        assert_eq!(thumb(&media).url, "/media/160.webp");
        assert_eq!(tile(&media).url, "/media/640.webp");
        assert_eq!(thumb(&MediaReference { sources: Vec::new(), ..media }).url, "/media/whole.svg");
    }
}
