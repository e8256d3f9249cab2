//! What to capture next, with a command that can be copied.

use std::borrow::Cow;

/// What to capture next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// Why.
    pub reason: Cow<'static, str>,
    /// The command. People paste it into a shell: nothing from a capture stands in it unchecked.
    pub command: Option<Cow<'static, str>>,
}

impl Advice {
    /// Advice with the command that follows it.
    #[must_use]
    pub const fn new(reason: Cow<'static, str>, command: Option<Cow<'static, str>>) -> Self {
        Self { reason, command }
    }

    /// Advice to capture whole packets of what `filter` selects (pcap-filter), on `interface`.
    ///
    /// The name of an interface comes from the capture, and whoever made it may have chosen one
    /// that does harm in a shell. One with anything but letters, digits, `.`, `_`, `:`, `@` and `-`
    /// becomes `any`.
    #[must_use]
    pub fn capture(reason: Cow<'static, str>, interface: Option<&str>, filter: &str) -> Self {
        let interface = interface.filter(|name| is_harmless(name)).unwrap_or("any");
        let filter: String = filter.chars().filter(|c| is_of_filter(*c)).collect();
        let command = format!("tcpdump -i {interface} -s 0 -w next.pcap '{filter}'");
        Self::new(reason, Some(command.into()))
    }
}

fn is_harmless(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
    !name.is_empty()
        && name.len() <= MAX_NAME_LEN
        && !name.starts_with('-')
        && name.chars().all(plain)
}

const fn is_of_filter(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | ' ' | '.' | ':' | '/' | '(' | ')')
}

/// Longer than any system allows an interface to be called.
const MAX_NAME_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_holds_nothing_that_a_shell_would_act_on() {
        let command = |interface| {
            let advice = Advice::capture("".into(), interface, "tcp port 443 and host 10.1.2.3");
            advice.command.unwrap().into_owned()
        };
        let on = |name: &str| {
            format!("tcpdump -i {name} -s 0 -w next.pcap 'tcp port 443 and host 10.1.2.3'")
        };
        assert_eq!(command(Some("eth0")), on("eth0"));
        assert_eq!(command(Some("br-lan.12")), on("br-lan.12"));
        for name in ["$(reboot)", "a b", "-wx", "a;b", "a\nb", "", "`x`", "a'b"] {
            assert_eq!(command(Some(name)), on("any"));
        }
        let quoted = Advice::capture("".into(), None, "tcp'; reboot; '");
        assert_eq!(
            quoted.command.unwrap(),
            "tcpdump -i any -s 0 -w next.pcap 'tcp reboot '"
        );
    }
}
