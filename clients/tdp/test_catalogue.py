"""The catalogue in grantd's own API and at the command line, and permissions by name in questions."""

import json

from harness import grantd

REPORTS = {
    "content_types": [
        {
            "app_label": "reports",
            "model": "report",
            "permissions": [
                {"codename": "view_report", "name": "Can view report"},
                {"codename": "send", "name": "Can send"},
            ],
        }
    ]
}


def test_sync_and_questions(server, tmp_path):
    api = server.client()
    dry = api.put("/api/v1/catalogue", {**REPORTS, "dry_run": True}).ok().json()
    assert dry["created"] == ["reports.report", "reports.report.view_report", "reports.report.send"]
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(REPORTS))
    env = {"GRANTD_URL": server.url, "GRANTD_API_KEY": server.key}
    done = grantd("catalogue", "sync", file, env=env)
    assert done.returncode == 0 and done.stdout.splitlines() == [f"+ {key}" for key in dry["created"]], done.stderr
    again = grantd("catalogue", "sync", file, "--json", env=env)
    assert json.loads(again.stdout) | {"revision": 0} == {
        "revision": 0, "created": [], "changed": [], "deleted": [], "unchanged": 2,
    }
    shown = grantd("catalogue", "show", env=env).stdout
    assert "reports.report" in shown and "view_report" in shown

    kinds = api.get("/api/v1/catalogue").ok().json()["content_types"]
    report = next(kind for kind in kinds if kind["app_label"] == "reports")
    send = next(one["id"] for one in report["permissions"] if one["codename"] == "send")
    api.post("/api/v1/users", {"login": "ann"}).ok()
    api.post("/api/v1/relationships", {
        "write": [{"resource": f"tdp_permission:{send}", "relation": "holder", "subject": "user:ann"}],
    }).ok()
    ask = {"subject": "user:ann", "action": "holder"}
    for resource, allowed in [
        (f"tdp_permission:{send}", True),
        ("tdp_permission:reports.send", True),
        ("tdp_permission:reports.report.send", True),
        ("tdp_permission:reports.view_report", False),
        ("tdp_permission:reports.nothing", False),
        ("tdp_permission:nothing.send", False),
        ("tdp_permission:send", False),
    ]:
        said = api.post("/api/v1/check", {**ask, "resource": resource, "explain": True}).ok().json()
        assert said["allowed"] is allowed, resource
        parts = {"type": "tdp_permission", "id": resource.partition(":")[2]}
        evaluation = {"subject": {"type": "user", "id": "ann"}, "action": {"name": "holder"}, "resource": parts}
        assert api.post("/access/v1/evaluation", evaluation).ok().json()["decision"] is allowed
        batch = api.post("/access/v1/evaluations", {"evaluations": [evaluation]}).ok().json()
        assert [one["decision"] for one in batch["evaluations"]] == [allowed]
    found = api.post("/api/v1/search/subjects", {
        "subject_type": "user", "action": "holder", "resource": "tdp_permission:reports.send",
    })
    assert found.status == 200, found.raw
    assert [one.get("subject", one) for one in found.json()["items"]] in ([["user:ann"]], ["user:ann"], [{"type": "user", "id": "ann"}])
    mine = api.post("/api/v1/search/resources", {
        "subject": "user:ann", "action": "holder", "resource_type": "tdp_permission",
    }).ok().json()["items"]
    assert str(send) in json.dumps(mine) and "reports" not in json.dumps(mine), "results are numbers"

    renamed = {"content_types": [{
        "app_label": "reports", "model": "yearly",
        "renamed_from": {"app_label": "reports", "model": "report"},
        "permissions": [{"codename": "submit", "name": "Can submit", "renamed_from": "send"}],
    }]}
    assert sorted(api.put("/api/v1/catalogue", renamed).ok().json()["changed"]) == [
        "reports.yearly", "reports.yearly.submit",
    ]
    assert api.post("/api/v1/check", {**ask, "resource": "tdp_permission:reports.submit"}).ok().json()["allowed"]
    pruned = api.put("/api/v1/catalogue", {**renamed, "prune": True}).ok().json()
    assert pruned["deleted"] == ["reports.yearly.view_report"]
    refused = api.post("/api/v1/relationships", {
        "write": [{"resource": "tdp_permission:reports.submit", "relation": "holder", "subject": "user:ben"}],
    })
    assert refused.status == 400 and "number" in refused.json()["detail"]
    bad = api.put("/api/v1/catalogue", {"content_types": [{"app_label": "A.b", "model": "m"}]})
    assert bad.status == 400 and bad.json()["field"] == "content_types"
    api.close()


def test_who_may(server):
    api = server.client()
    for grants, read, write in [(["checker"], 200, 403), (["writer"], 200, 200), (["requester"], 403, 403)]:
        key = api.post("/api/v1/keys", {"name": "k", "grants": grants}).ok().json()["key"]
        one = server.nobody(key=key)
        assert one.get("/api/v1/catalogue").status == read, grants
        assert one.put("/api/v1/catalogue", {"content_types": []}).status == write, grants
        one.close()
    api.close()
