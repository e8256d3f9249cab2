//! The template of the page, and the policy that goes with it.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::output::html::shown::write_escaped;

/// The report as a page.
pub(in crate::output) fn report<T: Serialize>(page: &T) -> io::Result<String> {
    render(include_str!("report.html"), page)
}

/// A comparison as a page.
pub(in crate::output) fn difference<T: Serialize>(page: &T) -> io::Result<String> {
    render(include_str!("difference.html"), page)
}

/// A page: style and script are the only things in it that a browser may act on, and it knows them
/// by their hash (Content Security Policy Level 3, section 2.3.1).
fn render<T: Serialize>(template: &str, page: &T) -> io::Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let mut syntax = SyntaxConfig::builder();
    syntax
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    environment.set_syntax(syntax.build().map_err(io::Error::other)?);
    environment.set_formatter(|out, _, value| {
        if let (Some(text), true) = (value.as_str(), value.is_safe()) {
            return out.write_str(text).map_err(minijinja::Error::from);
        }
        write_escaped(out, &value.to_string()).map_err(minijinja::Error::from)
    });
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let context = context! {
        page => Value::from(Serde(page)),
        version => env!("CARGO_PKG_VERSION"),
        policy => Value::from_safe_string(policy),
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
    };
    environment
        .render_str(template, context)
        .map_err(io::Error::other)
}

fn hash(text: &str) -> String {
    format!(
        "sha256-{}",
        STANDARD.encode(digest(&SHA256, text.as_bytes()))
    )
}

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
