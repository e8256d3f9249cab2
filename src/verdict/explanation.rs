//! The page about each verdict, as it stands in `docs/verdicts.md`.

use crate::verdict::finding::VerdictId;

impl VerdictId {
    /// The section of the documentation about this verdict, in Markdown: what a capture shows, the
    /// likely cause, what to do, how sure it is, and how to prove it.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        let heading = format!("\n## `{self}`\n");
        let from = PAGE
            .find(&heading)
            .map_or("", |at| PAGE.get(at + 1..).unwrap_or_default());
        let end = from
            .get(1..)
            .and_then(|rest| rest.find("\n## "))
            .map_or(from.len(), |at| at + 2);
        from.get(..end).unwrap_or_default()
    }
}

const PAGE: &str = include_str!("../../docs/verdicts.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_explained_in_a_section_of_its_own() {
        for id in VerdictId::ALL {
            let text = id.explanation();
            assert!(
                text.starts_with(&format!("## `{id}`\n")),
                "{id}: {text:.60}"
            );
            assert_eq!(
                text.matches("\n## ").count(),
                0,
                "{id} runs into the next section"
            );
            assert!(text.len() > 100, "{id}: {text}");
        }
        assert_eq!(PAGE.matches("\n## `").count(), VerdictId::ALL.len());
    }
}
