//! One attempt to deliver: from the row to the answer.

use std::time::Duration;

use bytes::Bytes;
use grantd_node::Realm;
use grantd_node::realm::webhook::{Attempt, Delivery, Verdict, Webhook, signing_secret};
use http::{Request, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use url::Url;

use super::answer::Answer;
use super::failure::Failure;
use super::receiver::Receiver;
use super::{Sender, message, signature};

/// From the resolution of the name to the head of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The most bytes of the head of an answer. Its body is not read.
const MOST: usize = 16 << 10;

/// Tries it; says what came of it and what follows.
pub(super) async fn attempt(
    sender: &Sender,
    realm: &Realm,
    receiver: &Receiver,
    delivery: &Delivery,
) -> (Attempt, Verdict) {
    let tried = tokio::time::timeout(TIMEOUT, post(sender, realm, receiver, delivery)).await;
    let at = sender.now();
    match tried.unwrap_or(Err(Failure::Timeout)) {
        Ok(answer) => {
            let status = Some(answer.status.as_u16());
            (Attempt { at, status, problem: answer.problem() }, answer.verdict())
        }
        Err(failure) => {
            (Attempt { at, status: None, problem: Some(failure.to_string()) }, Verdict::Again(None))
        }
    }
}

async fn post(
    sender: &Sender,
    realm: &Realm,
    receiver: &Receiver,
    delivery: &Delivery,
) -> Result<Answer, Failure> {
    let url = receiver.url().text().and_then(|url| sender.targets.check(url).ok()).ok_or(Failure::Target)?;
    let request = match receiver {
        Receiver::Webhook(webhook) => told(sender, realm, webhook, delivery, &url).await?,
        Receiver::Trigger(_) => pushed(sender, delivery, &url)?,
    };
    let connection = sender.connector.connect(&url, |address| sender.targets.admits(address)).await?;
    let mut http = http1::Builder::new();
    let handshake = http.max_buf_size(MOST).handshake(TokioIo::new(connection)).await;
    let (mut sending, connection) = handshake.map_err(|_| Failure::Protocol)?;
    let (answered, connection) = (sending.send_request(request), connection);
    tokio::pin!(answered, connection);
    let answered = tokio::select! {
        biased;
        answered = &mut answered => answered,
        // A receiver may hang up behind its answer, which is there all the same.
        _hung_up = &mut connection => answered.await,
    };
    let answer = answered.map_err(|_| Failure::Protocol)?;
    Ok(Answer::new(answer.status(), answer.headers(), sender.now()))
}

/// What a webhook is sent: the message, and its signatures by Standard Webhooks. The time is that of the attempt, in seconds, so that a
/// receiver can refuse old ones.
async fn told(
    sender: &Sender,
    realm: &Realm,
    webhook: &Webhook,
    delivery: &Delivery,
    url: &Url,
) -> Result<Request<Full<Bytes>>, Failure> {
    let mut secrets = Vec::new();
    for version in webhook.secrets(sender.now()) {
        // One that went with a lost master key must not keep the one after it from signing.
        secrets
            .extend(realm.secret(&signing_secret(webhook.id, version)).await.map_err(|_| Failure::Secret)?);
    }
    if secrets.is_empty() {
        return Err(Failure::Secret);
    }
    if !message::is_known(&delivery.event, &realm.published().state) {
        // A row can be read a moment before its entry is published here, and longer where another node made it.
        let _as_far_as_it_goes = realm.refresh().await;
    }
    let body = message::body(&delivery.event, realm.name(), &realm.published().state, &sender.public_url);
    let (id, timestamp) = (message::name(delivery), sender.now() / 1_000_000);
    let signature = signature::signatures(&secrets, &id, timestamp, &body).ok_or(Failure::Secret)?;
    let headers =
        [("webhook-id", id), ("webhook-timestamp", timestamp.to_string()), ("webhook-signature", signature)];
    request(url, &headers, body)
}

/// What a trigger is sent: which branch of which repository names which commit now, with a token that vouches for it.
fn pushed(sender: &Sender, delivery: &Delivery, url: &Url) -> Result<Request<Full<Bytes>>, Failure> {
    let body = message::push(&delivery.event).ok_or(Failure::Target)?;
    let signature = sender.push_keys.sign(&sender.public_url, delivery.id, &body, sender.now());
    request(url, &[("x-freestyle-signature", signature.ok_or(Failure::Secret)?)], body)
}

fn request(url: &Url, headers: &[(&str, String)], body: Vec<u8>) -> Result<Request<Full<Bytes>>, Failure> {
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = url.host_str().ok_or(Failure::Target)?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut request = Request::post(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("grantd/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Full::new(Bytes::from(body))).map_err(|_| Failure::Target)
}
