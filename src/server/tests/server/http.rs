//! The HTTP calls, the page and TLS.

use reqwest::{Method, StatusCode, header};
use roomd_server::{ServerConfig, TlsMode, start};
use serde_json::{Value, json};

use crate::support::{API_KEY, Client, config, device, http};

const END: &str = "2099-01-01T00:00:00.000Z";

#[tokio::test]
async fn every_wrong_request_for_a_meeting_gets_field_value_and_remedy() {
    let server = start(config()).await.unwrap();
    let url = format!("http://{}/v1/meetings", server.local_addr());
    for (body, field) in [
        (json!({}), "endDate"),
        (json!({ "endDate": "soon" }), "endDate"),
        (json!({ "endDate": "2001-01-01T00:00:00Z" }), "endDate"),
        (json!({ "endDate": END, "isLocked": 1 }), "isLocked"),
        (json!({ "endDate": END, "roomMode": "big" }), "roomMode"),
        (
            json!({ "endDate": END, "roomNamePrefix": "Ä" }),
            "roomNamePrefix",
        ),
        (json!({ "endDate": END, "fields": ["x"] }), "fields"),
        (json!({ "endDate": END, "islocked": true }), "islocked"),
    ] {
        let request = http().post(&url).bearer_auth(API_KEY).json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let allowed = &response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN];
        assert_eq!(allowed, "*");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["field"], field, "{body}");
        assert!(answer["remedy"].as_str().unwrap().len() > 5, "{answer}");
    }
    let response = http()
        .post(&url)
        .bearer_auth(API_KEY)
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let huge = " ".repeat(20_000);
    let response = http()
        .post(&url)
        .bearer_auth(API_KEY)
        .body(huge)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for key in ["", "wrong", "an-api-key-for-testsX"] {
        let response = http()
            .post(&url)
            .bearer_auth(key)
            .json(&json!({ "endDate": END }));
        assert_eq!(
            response.send().await.unwrap().status(),
            StatusCode::UNAUTHORIZED
        );
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_meeting_is_made_read_used_and_deleted() {
    let server = start(config()).await.unwrap();
    let base = format!("http://{}", server.local_addr());
    let body = json!({ "endDate": END, "isLocked": true, "fields": ["hostRoomUrl"],
        "roomNamePrefix": "demo-" });
    let request = http()
        .post(format!("{base}/v1/meetings"))
        .bearer_auth(API_KEY);
    let response = request.json(&body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let meeting: Value = response.json().await.unwrap();
    let room = meeting["roomName"].as_str().unwrap();
    assert!(room.starts_with("/demo-"));
    assert_eq!(meeting["roomUrl"], format!("{base}{room}"));
    assert!(meeting.get("viewerRoomUrl").is_none());

    let one = format!(
        "{base}/v1/meetings/{}",
        meeting["meetingId"].as_str().unwrap()
    );
    let read = |fields: &'static str| {
        let request = http().get(format!("{one}{fields}")).bearer_auth(API_KEY);
        async { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    assert!(read("").await.get("hostRoomUrl").is_none());
    assert_eq!(read("?fields=hostRoomUrl").await["roomName"], room);

    let url = reqwest::Url::parse(meeting["hostRoomUrl"].as_str().unwrap()).unwrap();
    let (_, key) = url
        .query_pairs()
        .find(|(name, _)| name == "roomKey")
        .unwrap();
    let credentials = device(&server).await;
    let members = json!({ "roomName": room, "roomKey": key });
    let (mut host, joined) = Client::join(&server, &credentials, members).await;
    assert_eq!(joined["room"]["clients"][0]["role"]["roleName"], "host");
    let members = json!({ "roomName": room });
    let (_, refused) = Client::join(&server, &device(&server).await, members).await;
    assert_eq!(refused["error"], "room_locked");

    let delete = http()
        .delete(&one)
        .bearer_auth(API_KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(delete.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        host.expect("client_kicked").await["reasonId"],
        "room-deleted"
    );
    let again = http()
        .delete(&one)
        .bearer_auth(API_KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    server.shutdown().await;
}

#[tokio::test]
async fn meetings_are_switched_off_without_a_key() {
    let config = ServerConfig {
        api_key: None,
        ..config()
    };
    let server = start(config).await.unwrap();
    let url = format!("http://{}/v1/meetings", server.local_addr());
    let response = http().post(url).json(&json!({})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    server.shutdown().await;
}

#[tokio::test]
async fn the_organization_is_found_for_every_subdomain_and_for_none() {
    let server = start(config()).await.unwrap();
    let base = format!("http://{}/organization-subdomains", server.local_addr());
    let query = "?fields=permissions,account,onboardingSurvey";
    for (path, subdomain) in [("/acme/", "acme"), ("/127/", "127"), ("//", ""), ("/", "")] {
        let response = http()
            .get(format!("{base}{path}{query}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["organizationId"], "1");
        assert_eq!(answer["subdomain"], subdomain);
        assert!(answer["permissions"].is_object() && answer["limits"].is_object());
    }
    server.shutdown().await;
}

#[tokio::test]
async fn browsers_may_call_from_any_page() {
    let server = start(config()).await.unwrap();
    let base = format!("http://{}", server.local_addr());
    for path in ["/devices", "/organization-subdomains/acme/"] {
        let wanted = "authorization,x-appearin-device-platform";
        let request = http()
            .request(Method::OPTIONS, format!("{base}{path}"))
            .header("origin", "https://page.example.org")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", wanted);
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
        let headers = response.headers();
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let allowed = headers[header::ACCESS_CONTROL_ALLOW_HEADERS]
            .to_str()
            .unwrap();
        for name in wanted.split(',') {
            assert!(allowed.contains(name), "{allowed}");
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn devices_are_limited_per_address() {
    let mut limited = config();
    limited.limits.devices_per_minute = 3;
    let server = start(limited).await.unwrap();
    let url = format!("http://{}/devices", server.local_addr());
    for _ in 0..3 {
        assert!(
            http()
                .post(&url)
                .send()
                .await
                .unwrap()
                .status()
                .is_success()
        );
    }
    let response = http().post(&url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[header::RETRY_AFTER], "20");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    server.shutdown().await;
}

#[tokio::test]
async fn health_counts_who_is_there() {
    let server = start(config()).await.unwrap();
    let (_client, _) = Client::join(&server, &device(&server).await, json!({})).await;
    let url = format!("http://{}/healthz", server.local_addr());
    let health: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(
        (&health["rooms"], &health["clients"]),
        (&json!(1), &json!(1))
    );
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_no_websocket_is_refused_at_the_signal_address() {
    let server = start(config()).await.unwrap();
    let base = format!(
        "http://{}{}",
        server.local_addr(),
        roomd_protocol::SIGNAL_PATH
    );
    for query in ["", "?EIO=4&transport=polling", "?EIO=4&transport=websocket"] {
        let response = http().get(format!("{base}{query}")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_self_made_certificate_stays_the_same_over_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let config = || ServerConfig {
        tls: TlsMode::SelfSigned,
        state_dir: Some(directory.path().to_owned()),
        plain_listen: Some(([127, 0, 0, 1], 0).into()),
        ..config()
    };
    let mut fingerprints = Vec::new();
    for _ in 0..2 {
        let server = start(config()).await.unwrap();
        assert_eq!(server.page_url().scheme(), "https");
        // Nobody but this certificate is trusted, and its names have to fit.
        let pem = std::fs::read(directory.path().join("certificate.pem")).unwrap();
        http();
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
            .build()
            .unwrap();
        let url = format!("https://{}/healthz", server.local_addr());
        let health: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(health["status"], "ok");
        let url = format!("http://{}/healthz", server.plain_addr().unwrap());
        assert!(http().get(url).send().await.unwrap().status().is_success());
        fingerprints.push(server.fingerprint().unwrap().to_owned());
        server.shutdown().await;
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
    assert_eq!(fingerprints[0].len(), 32 * 3 - 1);
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let server = start(config()).await.unwrap();
    let config = ServerConfig {
        listen: server.local_addr(),
        ..config()
    };
    let error = start(config).await.err().unwrap().to_string();
    assert!(error.contains(&server.local_addr().to_string()), "{error}");
    server.shutdown().await;
}

#[tokio::test]
async fn the_page_is_delivered_for_every_room_with_a_strict_policy() {
    let server = start(config()).await.unwrap();
    let base = format!("http://{}", server.local_addr());
    let room = http().get(format!("{base}/standup")).send().await.unwrap();
    assert_eq!(room.status(), StatusCode::OK);
    let policy = room.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(
        policy.contains(&format!("wss://{}", server.local_addr())),
        "{policy}"
    );
    assert_eq!(room.headers()["referrer-policy"], "no-referrer");
    assert!(
        room.headers()["permissions-policy"]
            .to_str()
            .unwrap()
            .contains("camera=(self)")
    );
    let etag = room.headers()[header::ETAG].clone();
    let root = http()
        .get(&base)
        .header(header::IF_NONE_MATCH, etag)
        .send()
        .await
        .unwrap();
    assert_eq!(root.status(), StatusCode::NOT_MODIFIED);
    let nothing = http().get(format!("{base}/a/b")).send().await.unwrap();
    assert_eq!(nothing.status(), StatusCode::NOT_FOUND);
    server.shutdown().await;
}
