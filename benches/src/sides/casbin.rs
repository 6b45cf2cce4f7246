//! The casbin crate with its RBAC model.

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};

use crate::data::Ask;
use crate::data::rbac::{self, Rbac};

/// Casbin's own RBAC model, as its examples have it.
const MODEL: &str = "\
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, obj, act

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
";

/// An enforcer with one size of the benchmark.
pub(crate) fn build(rbac: Rbac) -> anyhow::Result<Enforcer> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let model = DefaultModel::from_str(MODEL).await?;
        let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
        // The links are built once, below; with each policy it would take hours.
        enforcer.enable_auto_build_role_links(false);
        let policies = (0..rbac.roles())
            .map(|n| vec![rbac::role(n), rbac::resource(n / 10), "read".to_owned()])
            .collect();
        enforcer.add_policies(policies).await?;
        let members = (0..rbac.users).map(|n| vec![rbac::user(n), rbac::role(n / 10)]).collect();
        enforcer.add_grouping_policies(members).await?;
        enforcer.build_role_links()?;
        Ok(enforcer)
    })
}

pub(crate) fn check(enforcer: &Enforcer, ask: &Ask) -> anyhow::Result<bool> {
    Ok(enforcer.enforce((ask.subject.as_str(), ask.resource.as_str(), ask.action))?)
}
