//! What the guide for operators says is there, and what is there is in it.

use super::Finding;
use super::model::Model;

const GUIDE: &str = "docs/OPERATIONS.md";
const SETTINGS: &str = "crates/platform/src/config.rs";
/// How a setting is read there.
const READS: [&str; 5] = ["reader.value(\"", "reader.number(\"", "reader.milliseconds(\"", "reader.secret(\"", "reader.optional(\""];

/// The guide has every setting of the program, and no setting that is not there.
pub(super) fn settings_are_told(model: &Model) -> Vec<Finding> {
    let (Some(guide), Some(code)) = (model.files.get(GUIDE), model.files.get(SETTINGS)) else { return Vec::new() };
    let settings: Vec<&str> =
        code.lines().flat_map(|line| READS.iter().flat_map(move |read| line.split(read).skip(1))).filter_map(|rest| rest.split('"').next()).collect();
    let told: Vec<&str> = guide.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1)).flat_map(words_in_code).collect();
    let untold = settings.iter().filter(|name| !told.contains(name)).map(|name| Finding::new(GUIDE, format!("does not tell the setting {name}")));
    let sections: Vec<&str> = settings.iter().filter_map(|name| name.split_once('.')).map(|(section, _)| section).collect();
    let is_setting = |name: &str| name.split_once('.').is_some_and(|(section, _)| sections.contains(&section));
    let unknown = told
        .iter()
        .filter(|name| is_setting(name) && !settings.contains(name))
        .map(|name| Finding::new(GUIDE, format!("tells a setting that is not there: {name}")));
    untold.chain(unknown).collect()
}

/// What stands between backquotes.
fn words_in_code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(table: &str) -> Vec<String> {
        let code = "data_dir: reader.value(\"data_dir\", \"./data\"),\nurl: reader.secret(\"redis.url\"),\nlog: Log { format: reader.value(\"log.format\", \"auto\"), filter: reader.value(\"log.filter\", \"\") },";
        let mut model = Model::example_with(SETTINGS, code);
        model.files.insert(GUIDE.to_owned(), table.to_owned());
        settings_are_told(&model).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_guide_with_every_setting_is_fine() {
        assert_eq!(findings("| `data_dir` | `./data` |\n| `redis.url` | |\n| `log.format`, `log.filter` | |\n| `storefront` | pages |"), Vec::<String>::new());
    }

    #[test]
    fn a_setting_too_few_and_one_too_many_are_found() {
        let found = findings("| `data_dir` | |\n| `redis.url`, `redis.colour` | |\n| `log.format` | |");
        assert_eq!(found, ["docs/OPERATIONS.md: does not tell the setting log.filter", "docs/OPERATIONS.md: tells a setting that is not there: redis.colour"]);
    }
}
