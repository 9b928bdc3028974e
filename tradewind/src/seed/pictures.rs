use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;

/// Copies pictures to where the shop serves them from, `<data folder>/objects/media`. Returns how many were not there yet, or
/// not the same.
///
/// # Errors
/// A picture is missing or cannot be written.
pub(super) fn copy(from: &Path, data_dir: &Path, files: impl Iterator<Item = String>) -> anyhow::Result<usize> {
    let to = data_dir.join("objects").join("media");
    std::fs::create_dir_all(&to).with_context(|| to.display().to_string())?;
    let mut copied = 0;
    for file in files.collect::<BTreeSet<_>>() {
        let source = from.join(&file);
        let picture = std::fs::read(&source).with_context(|| source.display().to_string())?;
        let target = to.join(&file);
        if std::fs::read(&target).is_ok_and(|present| present == picture) {
            continue;
        }
        // Written beside its place and moved there, so that nobody is served half a picture.
        let fresh = to.join(format!(".{file}.new"));
        std::fs::write(&fresh, &picture).and_then(|()| std::fs::rename(&fresh, &target)).with_context(|| target.display().to_string())?;
        copied += 1;
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    #[test]
    fn only_what_is_missing_or_other_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("media");
        std::fs::create_dir(&from).unwrap();
        std::fs::write(from.join("a.svg"), "a").unwrap();
        std::fs::write(from.join("b.svg"), "b").unwrap();
        let data = dir.path().join("data");
        let copy = |files: &[&str]| super::copy(&from, &data, files.iter().map(ToString::to_string));
        assert_eq!(copy(&["a.svg", "b.svg", "a.svg"]).unwrap(), 2);
        assert_eq!(copy(&["a.svg", "b.svg"]).unwrap(), 0);
        std::fs::write(data.join("objects/media/b.svg"), "half").unwrap();
        assert_eq!(copy(&["a.svg", "b.svg"]).unwrap(), 1);
        assert!(copy(&["c.svg"]).is_err());
    }
}
