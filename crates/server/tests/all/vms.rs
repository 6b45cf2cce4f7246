//! VMs by grantd's own API.

use serde_json::json;

use crate::support::Rig;

/// Made by `ssh-keygen`.
const HOST_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn a_vm_is_registered_changed_and_removed() {
    let rig = Rig::new().await;
    let body = |address: &str| json!({"address": address, "host_key": format!("{HOST_KEY} root@build")});
    let made = rig.call("PUT", "/api/v1/vms/a%2Fb").json(body("10.0.0.7")).await.is(201).body;
    assert_eq!((&made["id"], &made["address"]), (&json!("a/b"), &json!("10.0.0.7:22")));
    assert_eq!(made["host_key"], HOST_KEY);
    let line = made["gateway_key"].as_str().unwrap().to_owned();
    assert!(line.starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI") && line.ends_with(" grantd-gateway"));
    let before = rig.revision().await;
    let again = rig.call("PUT", "/api/v1/vms/a%2Fb").json(body("10.0.0.7:22")).await.is(200).body;
    assert_eq!((again, rig.revision().await), (made.clone(), before));
    let moved = rig.call("PUT", "/api/v1/vms/a%2Fb").json(body("[::1]:2222")).await.is(200).body;
    assert_eq!((&moved["address"], &moved["gateway_key"]), (&json!("[::1]:2222"), &made["gateway_key"]));
    assert_eq!(moved["previous_gateway_key"], json!(null));

    let rotated = rig.call("POST", "/api/v1/vms/a%2Fb/gateway-key").send().await.is(200).body;
    assert_ne!(rotated["gateway_key"], made["gateway_key"]);
    assert_eq!(rotated["previous_gateway_key"], made["gateway_key"]);
    rig.clock.advance(24 * 3_600 * 1_000_000);
    let read = rig.call("GET", "/api/v1/vms/a%2Fb").send().await.is(200).body;
    assert_eq!(
        (&read["gateway_key"], &read["previous_gateway_key"]),
        (&rotated["gateway_key"], &json!(null))
    );

    rig.call("PUT", "/api/v1/vms/c").json(body("c.example")).await.is(201);
    let first = rig.call("GET", "/api/v1/vms?limit=1").send().await.is(200).body;
    assert_eq!(first["items"][0], read);
    let next = first["next"].as_str().unwrap();
    let rest = rig.call("GET", &format!("/api/v1/vms?limit=1&cursor={next}")).send().await.is(200).body;
    assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&json!("c"), &json!(null)));

    let identity = rig.identity().await;
    let grant = format!("/identity/v1/identities/{identity}/permissions/vm/a%2Fb");
    rig.call("POST", &grant).json(json!({})).await.is(200);
    let removed = rig.call("DELETE", "/api/v1/vms/a%2Fb").send().await.is(200).body;
    assert_eq!(removed, json!({"grants": 1}));
    rig.call("GET", &grant).send().await.is_freestyle(404, "VM_PERMISSION_NOT_FOUND");
    for (method, path) in [("GET", ""), ("DELETE", ""), ("POST", "/gateway-key")] {
        rig.call(method, &format!("/api/v1/vms/a%2Fb{path}")).send().await.is_problem(404, "not_found");
    }
    let anew = rig.call("PUT", "/api/v1/vms/a%2Fb").json(body("10.0.0.7")).await.is(201).body;
    assert_ne!(anew["gateway_key"], rotated["gateway_key"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_vm_is_named_by_its_field() {
    let rig = Rig::new().await;
    for (address, host_key, field) in [
        ("no address", HOST_KEY, "address"),
        ("10.0.0.7:0", HOST_KEY, "address"),
        ("10.0.0.7", "ssh-dss AAAA", "host_key"),
        ("10.0.0.7", "", "host_key"),
    ] {
        let body = json!({"address": address, "host_key": host_key});
        let answer = rig.call("PUT", "/api/v1/vms/v").json(body).await.is_problem(400, "invalid_request");
        assert_eq!(answer.body["field"], field);
    }
}
