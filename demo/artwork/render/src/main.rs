//! Renders drawings into pictures: `artwork FROM INTO PLAN`.
//!
//! The plan has a line for each drawing: its name, then the widths in pixels it is wanted in, the widest last. `FROM/name.svg` becomes
//! `INTO/name-WIDTH.webp` for each width. Only the widest is drawn; the others are that picture made smaller, so that fine grain becomes a
//! tone instead of a flicker. Nothing depends on the clock, on chance, or on which thread draws what: the same drawings give the same bytes.

mod shrink;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, bail, ensure};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use shrink::Picture;

/// Where the soft grounds show no steps that the drawing does not have.
const QUALITY: f32 = 88.0;

/// What is wanted of one drawing.
struct Wish {
    name: String,
    widths: Vec<u32>,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [from, into, plan] = arguments.as_slice() else { bail!("usage: artwork FROM INTO PLAN") };
    let plan = std::fs::read_to_string(plan).with_context(|| plan.display().to_string())?;
    let wishes = plan.lines().filter(|line| !line.is_empty()).map(Wish::read).collect::<anyhow::Result<Vec<_>>>()?;
    std::fs::create_dir_all(into).with_context(|| into.display().to_string())?;
    let bytes = draw_all(&wishes, from, into)?;
    println!("{} drawings, {} pictures, {} KB", wishes.len(), wishes.iter().map(|wish| wish.widths.len()).sum::<usize>(), bytes / 1024);
    Ok(())
}

impl Wish {
    fn read(line: &str) -> anyhow::Result<Self> {
        let mut words = line.split(' ');
        let name = words.next().context("no name")?.to_owned();
        let widths = words.map(str::parse).collect::<Result<Vec<u32>, _>>().with_context(|| line.to_owned())?;
        ensure!(!widths.is_empty() && widths.is_sorted() && !widths.contains(&0), "{line}: no widths, or the widest is not the last");
        Ok(Self { name, widths })
    }
}

/// Draws on every processor. Returns how many bytes were written.
fn draw_all(wishes: &[Wish], from: &Path, into: &Path) -> anyhow::Result<usize> {
    let (next, bytes, failure) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(None));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(wish) = wishes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match draw(wish, from, into) {
                        Ok(written) => drop(bytes.fetch_add(written, Ordering::Relaxed)),
                        Err(error) => {
                            // The first failure ends the run; the others finish the picture they are at.
                            next.store(wishes.len(), Ordering::Relaxed);
                            failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error.context(wish.name.clone()));
                        }
                    }
                }
            });
        }
    });
    let failure = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failure.map_or_else(|| Ok(bytes.into_inner()), Err)
}

fn draw(wish: &Wish, from: &Path, into: &Path) -> anyhow::Result<usize> {
    let text = std::fs::read(from.join(format!("{}.svg", wish.name)))?;
    let tree = Tree::from_data(&text, &Options::default())?;
    let widest = wish.widths.last().copied().context("no width")?;
    let full = render(&tree, widest)?;
    let mut bytes = 0;
    for width in &wish.widths {
        let picture = if *width == widest { full.clone() } else { full.shrunk_to(*width) };
        let encoded = encode(&picture)?;
        std::fs::write(into.join(format!("{}-{width}.webp", wish.name)), &encoded)?;
        bytes += encoded.len();
    }
    Ok(bytes)
}

fn render(tree: &Tree, width: u32) -> anyhow::Result<Picture> {
    let size = tree.size();
    let scale = width as f32 / size.width();
    let height = (size.height() * scale).round() as u32;
    let mut canvas = Pixmap::new(width, height).context("no such size")?;
    resvg::render(tree, Transform::from_scale(scale, height as f32 / size.height()), &mut canvas.as_mut());
    // Every drawing has a ground, so nothing is seen through.
    ensure!(canvas.pixels().iter().all(|pixel| pixel.alpha() == u8::MAX), "the drawing does not cover its canvas");
    let pixels = canvas.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    Ok(Picture { width, height, pixels })
}

fn encode(picture: &Picture) -> anyhow::Result<Vec<u8>> {
    let mut config = webp::WebPConfig::new().map_err(|()| anyhow::anyhow!("libwebp is of another version"))?;
    config.quality = QUALITY;
    config.method = 6;
    config.use_sharp_yuv = 1;
    let encoder = webp::Encoder::from_rgb(&picture.pixels, picture.width, picture.height);
    let encoded = encoder.encode_advanced(&config).map_err(|error| anyhow::anyhow!("libwebp: {error:?}"))?;
    Ok(encoded.to_vec())
}
