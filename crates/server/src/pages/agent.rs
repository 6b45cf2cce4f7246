//! What a client calls itself, in words that its user knows. Only a help for the eye: nothing is decided by it.

/// `Firefox on Linux`; the first word of anything else.
pub(super) fn describe(agent: &str) -> String {
    // The order matters: each of them also claims to be those behind it.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrom", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let known = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (known(&browsers), known(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.into(),
        (None, _) => match agent.split(['/', ' ']).next().filter(|word| !word.is_empty()) {
            Some(word) => word.chars().filter(|c| !c.is_control()).take(40).collect(),
            None => "Unknown client".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_named() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";
        assert_eq!(describe(&format!("{linux} Chrome/140.0.0.0 Safari/537.36")), "Chrome on Linux");
        assert_eq!(describe(&format!("{linux} HeadlessChrome/140.0.0.0 Safari/537.36")), "Chrome on Linux");
        assert_eq!(
            describe("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on Linux"
        );
        let iphone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/1 Safari/604.1";
        assert_eq!(describe(iphone), "Safari on iPhone");
        assert_eq!(describe("curl/8.14.1"), "curl");
        assert_eq!(describe(""), "Unknown client");
        assert_eq!(describe("<b>x</b>"), "<b>x<");
    }
}
