//! Codes and tokens: what is issued, once, to whom, and what ends it.

use std::collections::BTreeMap;

use grantd_realm::Refusal;
use grantd_realm::app::{AppCreated, RotateAppSecret, ShownClient, UpdateApp};
use grantd_realm::authorization::{Authorize, EndAuthorization, WithdrawScope};
use grantd_realm::caller::{Actor, Caller};
use grantd_realm::command::{self, Command, Context, RowWrite, Secret};
use grantd_realm::entropy::Entropy;
use grantd_realm::oauth_token::{
    ACCESS_LIFE, ACCESS_ROWS, AccessToken, CODE_LIFE, CODE_ROWS, Challenge, Code, CodeRequest, FAMILY_ROWS,
    Family, FoundToken, Give, Holder, IssueCode, RedeemCode, Redeemed, RefreshTokens, Refreshed, RevokeToken,
    ShownAccess, ShownCode, ShownRefresh, Tokens,
};
use grantd_realm::organization::{IssueOrganizationToken, RevokeOrganizationToken, Seat};
use grantd_realm::refusal::{ConsentProblem, GrantProblem};

use super::apps::{agreeing, app, organization, seat, settings};
use crate::support::{World, commit, root};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "https://shop.example/cb";

/// A realm with rows beside it, as a store has them.
struct Rig {
    world: World,
    rows: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    seeds: u64,
    org: String,
    ann: Caller,
}

impl Rig {
    fn new() -> Self {
        let mut world = World::new();
        let org = organization(&mut world);
        let ann = seat(&mut world, &org, "ann", Seat::Admin);
        Self { world, rows: BTreeMap::new(), seeds: 0, org, ann }
    }

    fn tries<C: Command>(&mut self, caller: &Caller, command: C) -> Result<C::Answer, Refusal> {
        self.seeds += 1;
        let entropy = Entropy::new(blake3::hash(&self.seeds.to_le_bytes()).as_bytes());
        let mut cx = Context { caller, now: self.world.now, entropy, commit };
        let decision = command::decide(&command, &self.world.state, &mut cx)?;
        for row in &decision.rows {
            if let RowWrite::Take { kind, key, value } = row
                && self.rows.get(&(*kind, key.clone())) != Some(value)
            {
                return Err(Refusal::Taken);
            }
        }
        for row in decision.rows {
            match row {
                RowWrite::Put { kind, key, value, expires } => {
                    assert!(expires > self.world.now);
                    self.rows.insert((kind, key), value);
                }
                RowWrite::Renew { .. } | RowWrite::Move { .. } => panic!("nothing stays here"),
                RowWrite::Delete { kind, key } | RowWrite::Take { kind, key, .. } => {
                    self.rows.remove(&(kind, key));
                }
            }
        }
        self.world.applies(decision.changes);
        Ok(decision.answer)
    }

    fn row(&self, kind: &'static str, key: Vec<u8>) -> Option<&Vec<u8>> {
        self.rows.get(&(kind, key))
    }

    fn family(&self, key: Vec<u8>) -> Option<Family> {
        let row = self.row(FAMILY_ROWS, key.clone())?;
        Some(Family::read(&key, row).unwrap())
    }

    /// Ann agrees, and the app gets a code.
    fn code(&mut self, made: &AppCreated, scopes: &str, request: CodeRequest) -> String {
        let give = Give::Code(request);
        let authorize = Authorize { give, ..agreeing(&made.client_id, &self.org.clone(), scopes) };
        let ann = self.ann.clone();
        self.tries(&ann, authorize).unwrap().code.unwrap().0
    }

    fn redeem(
        &mut self,
        client: &ShownClient,
        code: &str,
        change: impl Fn(&mut RedeemCode),
    ) -> Result<Redeemed, Refusal> {
        let code = ShownCode::parse(code).unwrap();
        let found = self.row(CODE_ROWS, code.key()).map(|row| Code::read(row).unwrap());
        let family = self.family(code.family_key());
        let (redirect_uri, verifier) = (Some(REDIRECT.into()), None);
        let mut command = RedeemCode { client: client.clone(), code, found, family, redirect_uri, verifier };
        change(&mut command);
        self.tries(&caller(client), command)
    }

    fn refresh(&mut self, client: &ShownClient, token: &str) -> Result<Refreshed, Refusal> {
        let refresh = ShownRefresh::parse(token).unwrap();
        let family = self.family(refresh.family_key()).ok_or(Refusal::Grant(GrantProblem::Refresh))?;
        let command = RefreshTokens { client: client.clone(), refresh, family, scopes: None };
        self.tries(&caller(client), command)
    }

    fn access(&self, token: &str) -> Option<AccessToken> {
        let shown = ShownAccess::parse(token).unwrap();
        if let Some(own) = AccessToken::of_organization(&self.world.state, &shown) {
            return Some(own);
        }
        let token = AccessToken::read(self.row(ACCESS_ROWS, shown.key().to_vec())?).unwrap();
        let Holder::App { family, .. } = &token.holder else { panic!("{token:?}") };
        self.row(FAMILY_ROWS, family.clone())?;
        token.is_live(&self.world.state, self.world.now).then_some(token)
    }

    fn granted(&self, token: &str, scope: &str) -> Option<bool> {
        Some(self.access(token)?.granted(&self.world.state, scope, self.world.now))
    }
}

fn caller(client: &ShownClient) -> Caller {
    Caller::local(Actor::App(client.client_id.clone()))
}

fn client(made: &AppCreated) -> ShownClient {
    ShownClient { client_id: made.client_id.clone(), secret: made.client_secret.clone() }
}

fn request(scopes: &[&str]) -> CodeRequest {
    CodeRequest {
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        redirect_uri: REDIRECT.into(),
        redirect_sent: true,
        challenge: None,
    }
}

fn with_challenge(scopes: &[&str]) -> CodeRequest {
    CodeRequest { challenge: Some(Challenge::parse(CHALLENGE, Some("S256")).unwrap()), ..request(scopes) }
}

fn tokens(redeemed: Result<Redeemed, Refusal>) -> (String, String, Vec<String>) {
    let Ok(Redeemed::Tokens(tokens)) = redeemed else { panic!("{redeemed:?}") };
    secrets(tokens)
}

fn secrets(tokens: Tokens) -> (String, String, Vec<String>) {
    assert_eq!(tokens.expires_in, 3_600);
    (tokens.access_token.unwrap().0, tokens.refresh_token.unwrap().0, tokens.scopes)
}

fn refreshed(refreshed: Result<Refreshed, Refusal>) -> (String, String, Vec<String>) {
    let Ok(Refreshed::Tokens(tokens)) = refreshed else { panic!("{refreshed:?}") };
    secrets(tokens)
}

fn problem<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> GrantProblem {
    let Err(Refusal::Grant(problem)) = outcome else { panic!("{outcome:?}") };
    problem
}

#[test]
fn a_code_becomes_tokens_once() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    let code = rig.code(&made, "payments.read orders.read", request(&["payments.read"]));
    assert!(code.len() == 35 && code.starts_with("auth_"), "{code}");
    let (access, refresh, scopes) = tokens(rig.redeem(&client(&made), &code, |_| {}));
    assert!(access.len() == 37 && refresh.len() == 38 && scopes == ["payments.read"]);
    assert_eq!(rig.granted(&access, "payments.read"), Some(true));
    assert_eq!(rig.granted(&access, "orders.read"), Some(false), "agreed on, but not asked for");
    assert_eq!(rig.granted(&access, "refunds.read"), Some(false));

    assert_eq!(rig.redeem(&client(&made), &code, |_| {}), Ok(Redeemed::Gone));
    assert_eq!(rig.granted(&access, "payments.read"), None, "a replay ends what the code gave");
    assert_eq!(problem(rig.refresh(&client(&made), &refresh)), GrantProblem::Refresh);
}

#[test]
fn of_two_at_once_one_redeems() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    let code = rig.code(&made, "payments.read", request(&["payments.read"]));
    let shown = ShownCode::parse(&code).unwrap();
    let found = rig.row(CODE_ROWS, shown.key()).map(|row| Code::read(row).unwrap());
    tokens(rig.redeem(&client(&made), &code, |_| {}));
    let late = rig.redeem(&client(&made), &code, |command| command.found = found.clone());
    assert_eq!(late, Err(Refusal::Taken));
}

#[test]
fn what_does_not_redeem_a_code() {
    let mut rig = Rig::new();
    let (made, other) = (app(&mut rig.world, false), app(&mut rig.world, false));
    let public = app(&mut rig.world, true);
    let code = rig.code(&made, "payments.read", request(&["payments.read"]));
    let mut refused =
        |client: &ShownClient, change: &dyn Fn(&mut RedeemCode)| problem(rig.redeem(client, &code, change));
    assert_eq!(refused(&client(&other), &|_| {}), GrantProblem::Code);
    assert_eq!(refused(&client(&public), &|_| {}), GrantProblem::Code);
    let wrong = ShownClient { secret: Some(Secret("gdc_wrong".into())), ..client(&made) };
    assert_eq!(refused(&wrong, &|_| {}), GrantProblem::Client);
    assert_eq!(refused(&ShownClient { secret: None, ..client(&made) }, &|_| {}), GrantProblem::Client);
    for uri in [None, Some("https://shop.example/cb/"), Some("https://shop.example/CB")] {
        let change = |command: &mut RedeemCode| command.redirect_uri = uri.map(Into::into);
        assert_eq!(refused(&client(&made), &change), GrantProblem::RedirectUri, "{uri:?}");
    }
    let change = |command: &mut RedeemCode| command.verifier = Some(VERIFIER.into());
    assert_eq!(refused(&client(&made), &change), GrantProblem::Verifier, "a challenge went missing");
    // None of these has used it up, but time does.
    rig.world.now += CODE_LIFE;
    assert_eq!(problem(rig.redeem(&client(&made), &code, |_| {})), GrantProblem::CodeExpired);
    // Nor can anybody else's caller speak for the client.
    let shown = ShownCode::parse(&code).unwrap();
    let command = RedeemCode {
        client: client(&made),
        code: shown,
        found: None,
        family: None,
        redirect_uri: None,
        verifier: None,
    };
    assert_eq!(problem(rig.tries(&root(), command)), GrantProblem::Client);
}

#[test]
fn a_replay_by_another_client_ends_nothing() {
    let mut rig = Rig::new();
    let (made, other) = (app(&mut rig.world, false), app(&mut rig.world, false));
    let code = rig.code(&made, "payments.read", request(&["payments.read"]));
    let (access, ..) = tokens(rig.redeem(&client(&made), &code, |_| {}));
    assert_eq!(rig.redeem(&client(&other), &code, |_| {}), Ok(Redeemed::Gone));
    assert_eq!(rig.granted(&access, "payments.read"), Some(true));
}

#[test]
fn a_challenge_asks_for_its_verifier() {
    let mut rig = Rig::new();
    let public = app(&mut rig.world, true);
    let give = Give::Code(request(&["payments.read"]));
    let authorize = Authorize { give, ..agreeing(&public.client_id, &rig.org.clone(), "payments.read") };
    let ann = rig.ann.clone();
    let bare = rig.tries(&ann, authorize);
    assert_eq!(problem(bare), GrantProblem::ChallengeMissing);
    let code = rig.code(&public, "payments.read", with_challenge(&["payments.read"]));
    for wrong in [None, Some("x".repeat(43))] {
        let change = |command: &mut RedeemCode| command.verifier.clone_from(&wrong);
        assert_eq!(problem(rig.redeem(&client(&public), &code, change)), GrantProblem::Verifier);
    }
    tokens(rig.redeem(&client(&public), &code, |command| command.verifier = Some(VERIFIER.into())));
}

#[test]
fn codes_are_for_what_is_had_and_go_where_they_may() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    let sam = rig.world.user("sam");
    let issue = |rig: &Rig, request| IssueCode {
        app: made.client_id.clone(),
        organization: rig.org.clone(),
        request,
    };
    let ann = rig.ann.clone();
    let before = rig.tries(&ann, issue(&rig, request(&["payments.read"])));
    assert_eq!(problem(before), GrantProblem::Ended);
    rig.code(&made, "payments.read", request(&["payments.read"]));
    let command = issue(&rig, request(&["payments.read"]));
    assert!(rig.tries(&ann, command).unwrap().code.is_some(), "nothing new: no consent is needed");
    let more = issue(&rig, request(&["payments.read", "refunds.read"]));
    assert_eq!(problem(rig.tries(&ann, more)), GrantProblem::Scope);
    let redirect_uri = "https://evil.example/".into();
    let elsewhere = issue(&rig, CodeRequest { redirect_uri, ..request(&["payments.read"]) });
    assert_eq!(problem(rig.tries(&ann, elsewhere)), GrantProblem::RedirectUri);
    for stranger in [&sam, &root()] {
        let command = issue(&rig, request(&["payments.read"]));
        let refused = rig.tries(stranger, command).map(|_| ());
        assert_eq!(refused, Err(Refusal::Consent(ConsentProblem::NotMember)));
    }
}

#[test]
fn a_confidential_app_keeps_its_refresh_token() {
    let mut rig = Rig::new();
    let (made, other) = (app(&mut rig.world, false), app(&mut rig.world, false));
    let code = rig.code(&made, "payments.read orders.read", request(&["payments.read", "orders.read"]));
    let (first, refresh, _) = tokens(rig.redeem(&client(&made), &code, |_| {}));
    let (second, same, scopes) = refreshed(rig.refresh(&client(&made), &refresh));
    assert!(same == refresh && second != first && scopes == ["orders.read", "payments.read"]);
    assert_eq!(problem(rig.refresh(&client(&other), &refresh)), GrantProblem::Refresh);
    let wrong =
        format!("{}{}", &refresh[..refresh.len() - 1], if refresh.ends_with('x') { 'y' } else { 'x' });
    assert_eq!(problem(rig.refresh(&client(&made), &wrong)), GrantProblem::Refresh);
    assert_eq!(rig.granted(&second, "payments.read"), Some(true), "a wrong guess ends nothing");

    // For less, but never for more than was given.
    let narrowed = |rig: &mut Rig, scopes: &[&str]| {
        let shown = ShownRefresh::parse(&refresh).unwrap();
        let family = rig.family(shown.family_key()).unwrap();
        let scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
        let command = RefreshTokens { client: client(&made), refresh: shown, family, scopes };
        rig.tries(&caller(&client(&made)), command)
    };
    let (narrow, _, scopes) = refreshed(narrowed(&mut rig, &["orders.read"]));
    assert_eq!(
        (scopes, rig.granted(&narrow, "payments.read")),
        (vec!["orders.read".to_owned()], Some(false))
    );
    assert_eq!(problem(narrowed(&mut rig, &["refunds.read"])), GrantProblem::Scope);

    // The secret is looked at on the state that is decided on.
    rig.world.does(RotateAppSecret { client_id: made.client_id.clone() });
    assert_eq!(problem(rig.refresh(&client(&made), &refresh)), GrantProblem::Client);
}

#[test]
fn a_public_apps_refresh_token_is_good_once() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, true);
    let code = rig.code(&made, "payments.read", with_challenge(&["payments.read"]));
    let redeemed = rig.redeem(&client(&made), &code, |command| command.verifier = Some(VERIFIER.into()));
    let (_, first, _) = tokens(redeemed);
    let shown = ShownRefresh::parse(&first).unwrap();
    let found = rig.family(shown.family_key()).unwrap();
    let (access, second, _) = refreshed(rig.refresh(&client(&made), &first));
    assert_ne!(first, second);
    // Another node that saw the family as it was.
    let late = RefreshTokens { client: client(&made), refresh: shown, family: found, scopes: None };
    assert_eq!(rig.tries(&caller(&client(&made)), late), Err(Refusal::Taken));
    let (_, third, _) = refreshed(rig.refresh(&client(&made), &second));
    assert_eq!(rig.granted(&access, "payments.read"), Some(true));
    assert_eq!(rig.refresh(&client(&made), &first), Ok(Refreshed::Reused));
    assert_eq!(problem(rig.refresh(&client(&made), &third)), GrantProblem::Refresh, "the family is over");
    assert_eq!(rig.granted(&access, "payments.read"), None);
}

#[test]
fn withdrawing_and_ending_bite_at_once() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    let code = rig.code(&made, "payments.read orders.read", request(&["payments.read", "orders.read"]));
    let (access, refresh, _) = tokens(rig.redeem(&client(&made), &code, |_| {}));
    let authorization = rig.access(&access).map(|token| match token.holder {
        Holder::App { bound, .. } => bound.authorization,
        Holder::Organization { .. } => panic!("an app's"),
    });
    let authorization = authorization.unwrap();
    rig.world.does(WithdrawScope { authorization, scope: "payments.read".into() });
    assert_eq!(rig.granted(&access, "payments.read"), Some(false));
    assert_eq!(rig.granted(&access, "orders.read"), Some(true));
    let (_, _, scopes) = refreshed(rig.refresh(&client(&made), &refresh));
    assert_eq!(scopes, ["orders.read"]);
    rig.world.does(EndAuthorization { authorization });
    assert_eq!(rig.granted(&access, "orders.read"), None);
    assert_eq!(problem(rig.refresh(&client(&made), &refresh)), GrantProblem::Ended);
    // What is agreed on anew is another authorization.
    rig.code(&made, "orders.read", request(&["orders.read"]));
    assert_eq!(rig.granted(&access, "orders.read"), None);
}

#[test]
fn a_forced_consent_ends_what_was_issued() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    let code = rig.code(&made, "payments.read", request(&["payments.read"]));
    let (access, refresh, _) = tokens(rig.redeem(&client(&made), &code, |_| {}));
    let pending = rig.code(&made, "payments.read", request(&["payments.read"]));
    let ann = rig.ann.clone();
    let forced = Authorize { force: true, ..agreeing(&made.client_id, &rig.org.clone(), "payments.read") };
    rig.tries(&ann, forced).unwrap();
    assert_eq!(rig.granted(&access, "payments.read"), None);
    assert_eq!(problem(rig.refresh(&client(&made), &refresh)), GrantProblem::Ended);
    assert_eq!(problem(rig.redeem(&client(&made), &pending, |_| {})), GrantProblem::Ended);
}

#[test]
fn an_access_token_lives_an_hour() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    let code = rig.code(&made, "payments.read", request(&["payments.read"]));
    let (access, ..) = tokens(rig.redeem(&client(&made), &code, |_| {}));
    rig.world.now += ACCESS_LIFE - 1;
    assert_eq!(rig.granted(&access, "payments.read"), Some(true));
    rig.world.now += 1;
    assert_eq!(rig.granted(&access, "payments.read"), None);
}

#[test]
fn a_client_revokes_its_own_tokens() {
    let mut rig = Rig::new();
    let (made, other) = (app(&mut rig.world, false), app(&mut rig.world, false));
    let code = rig.code(&made, "payments.read", request(&["payments.read"]));
    let (access, refresh, _) = tokens(rig.redeem(&client(&made), &code, |_| {}));
    let found =
        |rig: &Rig| FoundToken::Access(ShownAccess::parse(&access).unwrap(), rig.access(&access).unwrap());
    let revoke = |rig: &mut Rig, by: &AppCreated, token| {
        rig.tries(&caller(&client(by)), RevokeToken { client: client(by), token })
    };
    let token = found(&rig);
    assert_eq!(problem(revoke(&mut rig, &other, token)), GrantProblem::OtherClient);
    let token = found(&rig);
    revoke(&mut rig, &made, token).unwrap();
    assert_eq!(rig.granted(&access, "payments.read"), None);
    let (second, ..) = refreshed(rig.refresh(&client(&made), &refresh));
    let family = rig.family(ShownRefresh::parse(&refresh).unwrap().family_key()).unwrap();
    revoke(&mut rig, &made, FoundToken::Refresh(family)).unwrap();
    assert_eq!(rig.granted(&second, "payments.read"), None, "with the refresh token goes all that it gave");
}

#[test]
fn tokens_without_a_code_are_an_operators_to_give() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    let authorize = Authorize {
        give: Give::Tokens,
        consent: None,
        ..agreeing(&made.client_id, &rig.org.clone(), "payments.read")
    };
    let given = rig.tries(&root(), authorize).unwrap();
    let (access, refresh, scopes) = secrets(given.tokens.unwrap());
    assert_eq!((rig.granted(&access, "payments.read"), scopes.len()), (Some(true), 1));
    refreshed(rig.refresh(&client(&made), &refresh));
}

#[test]
fn an_organizations_own_token_has_its_own_list() {
    let mut rig = Rig::new();
    let issue = |rig: &Rig, scope: &str| IssueOrganizationToken {
        organization: rig.org.clone(),
        name: "ci".into(),
        scopes: vec![scope.into()],
    };
    let sam = rig.world.user("sam");
    let command = issue(&rig, "payments.read");
    assert!(matches!(rig.tries(&sam, command), Err(Refusal::NotAllowed(_))));
    let (ann, command) = (rig.ann.clone(), issue(&rig, "payments.read"));
    let issued = rig.tries(&ann, command).unwrap();
    let token = issued.token.unwrap().0;
    assert!(token.len() == 37 && token.starts_with("access_"));
    assert_eq!(rig.granted(&token, "payments.read"), Some(true));
    assert_eq!(rig.granted(&token, "payments.write"), Some(false));
    rig.world.now += 1_000 * ACCESS_LIFE;
    assert_eq!(rig.granted(&token, "payments.read"), Some(true), "it has no end");
    let found = rig.access(&token).unwrap();
    rig.world.does(RevokeOrganizationToken { organization: rig.org.clone(), id: issued.id });
    assert_eq!(rig.granted(&token, "payments.read"), None);
    assert!(
        !found.is_live(&rig.world.state, rig.world.now),
        "nor does one that somebody still holds in memory count"
    );
}

#[test]
fn no_secret_prints() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    let code = rig.code(&made, "payments.read", request(&["payments.read"]));
    let redeemed = rig.redeem(&client(&made), &code, |_| {});
    let printed = format!("{redeemed:?} {:?} {:?}", client(&made), ShownCode::parse(&code));
    let (access, refresh, _) = tokens(redeemed);
    for secret in [&code, &access, &refresh, &made.client_secret.unwrap().0] {
        assert!(!printed.contains(secret.as_str()));
        assert!(!rig.rows.values().any(|row| row.windows(8).any(|part| secret.as_bytes().ends_with(part))));
    }
}

#[test]
fn what_is_no_token_is_not_looked_for() {
    let thirty = "a".repeat(30);
    for bad in [
        String::new(),
        format!("auth_{}", &thirty[1..]),
        format!("auth_{thirty}a"),
        format!("auth_{}-", &thirty[1..]),
    ] {
        assert!(ShownCode::parse(&bad).is_none(), "{bad}");
    }
    // One kind is never another.
    assert!(ShownCode::parse(&format!("access_{thirty}")).is_none());
    assert!(ShownAccess::parse(&format!("refresh_{thirty}")).is_none());
    assert!(ShownRefresh::parse(&format!("auth_{thirty}")).is_none());
    assert!(ShownAccess::parse(&format!("access_{thirty}")).is_some());
}

#[test]
fn a_redirect_taken_off_the_list_gets_no_more_codes() {
    let mut rig = Rig::new();
    let made = app(&mut rig.world, false);
    rig.code(&made, "payments.read", request(&["payments.read"]));
    let mut changed = settings();
    changed.redirect_uris = vec!["https://shop.example/new".into()];
    rig.world.does(UpdateApp { client_id: made.client_id.clone(), name: None, settings: Some(changed) });
    let (app, organization) = (made.client_id.clone(), rig.org.clone());
    let ann = rig.ann.clone();
    let refused = rig.tries(&ann, IssueCode { app, organization, request: request(&["payments.read"]) });
    assert_eq!(problem(refused), GrantProblem::RedirectUri);
}
