//! What a path of the git front asks for. Nothing of a path reaches the disk but a parsed UUID and one of two words.

use http::Method;
use uuid::Uuid;

/// One of git's two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Clone and fetch.
    UploadPack,
    /// Push.
    ReceivePack,
}

impl Service {
    /// Git's name for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    /// What one must hold on the repository.
    pub(super) fn relation(self) -> &'static str {
        match self {
            Self::UploadPack => "read",
            Self::ReceivePack => "write",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack].into_iter().find(|service| service.name() == name)
    }
}

/// A request of the smart protocol (git's `gitprotocol-http`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// On which repository.
    pub(super) repository: Uuid,
    /// By which service.
    pub(super) service: Service,
    /// Whether it asks what there is; else the service itself is called.
    pub(super) advertises: bool,
}

impl Place {
    /// Reads method, path and query as they came: `/<uuid>[.git]/info/refs?service=...` and `/<uuid>[.git]/<service>`. Anything
    /// else is no place: the dumb protocol, other files of a repository, another spelling.
    pub(super) fn of(method: &Method, path: &str, query: Option<&str>) -> Option<Self> {
        let (repository, rest) = path.strip_prefix('/')?.split_once('/')?;
        let repository = repository_id(repository)?;
        let service = match (method, rest) {
            (&Method::GET, "info/refs") => Service::of_name(query?.strip_prefix("service=")?)?,
            (&Method::POST, name) => Service::of_name(name)?,
            _ => return None,
        };
        Some(Self { repository, service, advertises: method == Method::GET })
    }

    /// The path as git knows it, below the directory of all repositories.
    pub(super) fn path_info(&self) -> String {
        let rest = if self.advertises { "info/refs" } else { self.service.name() };
        format!("/{}.git/{rest}", self.repository)
    }
}

/// `<uuid>` or `<uuid>.git`, with the hyphens in their usual places.
fn repository_id(segment: &str) -> Option<Uuid> {
    let id = segment.strip_suffix(".git").unwrap_or(segment);
    Uuid::try_parse(id).ok().filter(|_| id.len() == 36)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0b5d8ff5-1a3c-4a87-8f6e-2c6a8f1d9e40";

    fn place(method: &Method, path: &str, query: Option<&str>) -> Option<(Service, bool, String)> {
        let place = Place::of(method, path, query)?;
        assert_eq!(place.repository.to_string(), ID);
        Some((place.service, place.advertises, place.path_info()))
    }

    #[test]
    fn the_smart_protocol() {
        let expected =
            |service, rest: &str| Some((service, rest == "info/refs", format!("/{ID}.git/{rest}")));
        for end in ["", ".git"] {
            let refs = format!("/{ID}{end}/info/refs");
            let ask = |service: &str| place(&Method::GET, &refs, Some(&format!("service={service}")));
            assert_eq!(ask("git-upload-pack"), expected(Service::UploadPack, "info/refs"));
            assert_eq!(ask("git-receive-pack"), expected(Service::ReceivePack, "info/refs"));
            let call = |service: &str| place(&Method::POST, &format!("/{ID}{end}/{service}"), None);
            assert_eq!(call("git-upload-pack"), expected(Service::UploadPack, "git-upload-pack"));
            assert_eq!(call("git-receive-pack"), expected(Service::ReceivePack, "git-receive-pack"));
        }
        let upper = format!("/{}/git-upload-pack", ID.to_uppercase());
        assert!(place(&Method::POST, &upper, None).is_some());
    }

    #[test]
    fn nothing_else() {
        let upload = Some("service=git-upload-pack");
        let get = |path: &str| place(&Method::GET, path, upload);
        for path in [
            format!("/{ID}"),
            format!("/{ID}/"),
            format!("//{ID}/info/refs"),
            format!("/{ID}//info/refs"),
            format!("/{ID}/info/refs/"),
            format!("/{ID}/info/./refs"),
            format!("/{ID}/info/../info/refs"),
            format!("/{ID}/../{ID}/info/refs"),
            format!("/../{ID}/info/refs"),
            format!("/%2e%2e/{ID}/info/refs"),
            format!("/{ID}%2fx/info/refs"),
            format!("/{ID}.git.git/info/refs"),
            format!("/{ID}.git%00/info/refs"),
            format!("/{{{ID}}}/info/refs"),
            format!("/urn:uuid:{ID}/info/refs"),
            format!("/{}/info/refs", ID.replace('-', "")),
            format!("/{ID}/info%2frefs"),
            format!("/{ID}/HEAD"),
            format!("/{ID}/config"),
            format!("/{ID}/objects/info/packs"),
            format!("/{ID}/git-upload-pack"),
            "/info/refs".to_owned(),
            "/".to_owned(),
            String::new(),
        ] {
            assert_eq!(get(&path), None, "{path}");
        }
        let refs = format!("/{ID}/info/refs");
        for query in [
            None,
            Some(""),
            Some("service="),
            Some("service=git-upload-archive"),
            Some("service=git-upload-pack&x"),
            Some("service=git-upload-pack&service=git-receive-pack"),
            Some("x&service=git-upload-pack"),
            Some("service=git%2Dupload-pack"),
            Some("service=../../bin/sh"),
        ] {
            assert_eq!(place(&Method::GET, &refs, query), None, "{query:?}");
        }
        for method in [Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            assert_eq!(place(&method, &refs, upload), None, "{method}");
        }
        assert_eq!(place(&Method::PUT, &format!("/{ID}/git-receive-pack"), None), None);
        assert_eq!(place(&Method::POST, &format!("/{ID}/git-upload-archive"), None), None);
    }
}
