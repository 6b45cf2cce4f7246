//! Which action a method is: a small table in the settings.

use std::str::FromStr;

use super::place::Place;

/// One line of the table: `METHODS HOST/PATH ACTION`, for example `* shop.example/admin admin` or `POST shop.example/search read`.
/// Methods are separated by `|`; the path counts for everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Empty: every method.
    methods: Vec<String>,
    place: String,
    action: &'static str,
}

/// The table. The first rule that fits counts; without one, `GET`, `HEAD` and `OPTIONS` are `read` and every other method is `write`.
#[derive(Debug, Clone, Default)]
pub struct Rules(pub Vec<Rule>);

const ACTIONS: [&str; 3] = ["read", "write", "admin"];

impl Rules {
    /// The action of a method on a place.
    pub(super) fn action(&self, method: &str, place: &str) -> &'static str {
        let fits = |rule: &&Rule| {
            place.starts_with(&rule.place)
                && (rule.methods.is_empty() || rule.methods.iter().any(|known| known == method))
        };
        match self.0.iter().find(fits) {
            Some(rule) => rule.action,
            None if ["GET", "HEAD", "OPTIONS"].contains(&method) => "read",
            None => "write",
        }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split_whitespace().collect();
        let [methods, place, action] = words[..] else {
            return Err(format!(
                "`{text}` is not `METHODS HOST/PATH ACTION`, like `* shop.example/admin admin`"
            ));
        };
        let action = ACTIONS.into_iter().find(|known| *known == action);
        let action = action.ok_or("the action must be `read`, `write` or `admin`")?;
        let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let path = if path.is_empty() { "/" } else { path };
        let place = Place::of(host, path).map_err(|refused| format!("`{place}`: {refused}"))?;
        let methods = match methods {
            "*" => Vec::new(),
            methods => methods.split('|').map(str::to_ascii_uppercase).collect(),
        };
        Ok(Self { methods, place: place.id().to_owned(), action })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let table = [
            "POST|put shop.example/search read",
            "* Shop.example/admin/ admin",
            "GET shop.example/admin read",
        ];
        let rules = Rules(table.iter().map(|text| text.parse().unwrap()).collect());
        for (method, place, action) in [
            ("GET", "/shop.example/", "read"),
            ("HEAD", "/shop.example/a/", "read"),
            ("POST", "/shop.example/a/", "write"),
            ("BREW", "/shop.example/a/", "write"),
            ("get", "/shop.example/a/", "write"),
            ("POST", "/shop.example/search/", "read"),
            ("PUT", "/shop.example/search/x/", "read"),
            ("POST", "/shop.example/searches/", "write"),
            ("GET", "/shop.example/admin/", "admin"),
            ("GET", "/other.example/admin/", "read"),
        ] {
            assert_eq!(rules.action(method, place), action, "{method} {place}");
        }
    }

    #[test]
    fn what_is_no_rule_says_why() {
        for text in [
            "",
            "GET shop.example",
            "GET shop.example/ own",
            "GET /a read",
            "GET shop.example/../a read",
            "a b c d",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }
}
