use super::*;

fn read(text: &str) -> Result<Settings, Vec<String>> {
    let none = std::iter::empty();
    Settings::read(text, Path::new("/etc/cae"), none)
        .map_err(|faults| faults.0.iter().map(ToString::to_string).collect())
}

#[test]
fn little_has_to_be_said() {
    let settings = read("engine = \"engine.json\"").unwrap();
    assert_eq!(
        settings.engine,
        EngineSource::File("/etc/cae/engine.json".into())
    );
    assert_eq!(settings.listen.authorization.to_string(), "127.0.0.1:8180");
    assert_eq!(settings.store.file, Path::new("/etc/cae/cae.redb"));
    assert_eq!(settings.authorization.trusted_proxies, 1);
    assert_eq!(
        settings.authorization.uri_header,
        Some(HeaderName::from_static("x-original-uri"))
    );
    assert_eq!(settings.decision_log, None);
    assert_eq!(settings.simulator, None);
}

#[test]
fn everything_can_be_said() {
    let settings = read(
        r#"
        [engine.resource]
        audiences = ["api://orders"]
        [listen]
        signals = false
        administration = "[::1]:9"
        [authorization]
        proxy = "envoy"
        trustedProxies = 2
        forwardingHeader = "forwarded"
        countryHeader = "X-Country"
        publicOrigin = "https://API.example"
        [administration]
        simulator = "page"
        [decisionLog]
        allowedPerThousand = 10
        include = ["address"]
        [tls]
        certificateFile = "c.pem"
        keyFile = "/k.pem"
        listeners = ["signals"]
        [[transmitter]]
        name = "kc"
        issuer = "https://kc.example/realms/r"
        delivery = "poll"
        oauth = { tokenEndpoint = "https://kc.example/token", clientId = "c", clientSecretFile = "s" }
        "#,
    )
    .unwrap();
    assert!(matches!(settings.engine, EngineSource::Here(_)));
    assert_eq!(
        settings.simulator.as_deref(),
        Some(Path::new("/etc/cae/page"))
    );
    assert_eq!(settings.listen.signals, None);
    assert!(settings.authorization.request_is_original);
    assert_eq!(
        settings.authorization.country_header,
        Some(HeaderName::from_static("x-country"))
    );
    assert_eq!(
        settings.authorization.public_origin.as_deref(),
        Some("https://api.example")
    );
    let tls = settings.tls.unwrap();
    assert_eq!(
        (tls.certificate.as_path(), tls.key.as_path()),
        (Path::new("/etc/cae/c.pem"), Path::new("/k.pem"))
    );
    assert!(tls.signals && !tls.authorization && !tls.administration);
    let log = settings.decision_log.unwrap();
    assert!(log.address && !log.subject && !log.path);
    let transmitter = &settings.transmitters[0];
    assert!(transmitter.manage, "credentials are there to manage with");
    assert_eq!(transmitter.verify_every, Some(Duration::from_secs(600)));
}

#[test]
fn every_fault_is_named_with_its_place() {
    let faults = read(
        r#"
        [listen]
        authorisation = "127.0.0.1:1"
        administration = "here"
        [authorization]
        publicOrigin = "https://api.example/path"
        [[transmitter]]
        name = "Key cloak"
        issuer = "https://a.example"
        metadataUri = "http://a.example/x"
        accessTokenFile = "t"
        [[transmitter]]
        name = "b"
        issuer = "https://b.example"
        delivery = "poll"
        "#,
    )
    .unwrap_err();
    for expected in [
        "/engine: `engine` is missing",
        "/listen/authorisation: unknown member `authorisation`; did you mean `authorization`?",
        "/listen/administration: is not an address and port",
        "/authorization/publicOrigin: is not an origin",
        "/transmitter/0/name: is not lower-case letters",
        "/transmitter/0/metadataUri: is not an https URL",
        "/transmitter/0/pushUri: is missing",
        "/transmitter/1/pollUri: is missing",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(expected)),
            "{expected}: {faults:#?}"
        );
    }
    assert_eq!(faults.len(), 8, "{faults:#?}");
    let faults = read("engine = 7\n[store\n").unwrap_err();
    assert!(faults[0].starts_with("/: line 2:"), "{faults:?}");
}

const TENANT: &str = r#"
    engine = "engine.json"
    [entra]
    tenant = "AAAABBBB-0000-cccc-1111-dddd2222eeee"
    clientId = "00001111-aaaa-2222-bbbb-3333cccc4444"
"#;

#[test]
fn a_tenant_needs_little() {
    use entra::{Credential, Feature};
    let settings = read(&format!("{TENANT}clientSecretFile = \"s\""));
    let tenant = settings.unwrap().entra.unwrap();
    assert_eq!(tenant.tenant, "aaaabbbb-0000-cccc-1111-dddd2222eeee");
    assert_eq!(tenant.credential, Credential::Secret("/etc/cae/s".into()));
    assert_eq!(tenant.graph, "https://graph.microsoft.com");
    assert_eq!(tenant.features, Feature::all().collect::<Vec<_>>());
    assert_eq!(tenant.poll_every, Duration::from_secs(60));
    assert_eq!(tenant.notifications, None);
    let china = r#"
        cloud = "china"
        certificateFile = "c.pem"
        privateKeyFile = "k.pem"
        features = ["users"]
        [entra.notifications]
        uri = "https://a.example/entra/notifications/"
    "#;
    let settings = read(&format!("{TENANT}{china}"));
    let tenant = settings.unwrap().entra.unwrap();
    assert_eq!(tenant.login, "https://login.chinacloudapi.cn");
    assert_eq!(tenant.issuers, "https://login.partner.microsoftonline.cn");
    assert_eq!(tenant.graph, "https://microsoftgraph.chinacloudapi.cn");
    assert_eq!(tenant.features, [Feature::Users]);
    let notifications = tenant.notifications.unwrap();
    assert_eq!(notifications.uri, "https://a.example/entra/notifications");
    assert_eq!(notifications.lifetime, Duration::from_secs(253_800));
    // The environment says it as well.
    let variables = [
        ("CAE__ENTRA__POLL_SECONDS", "7"),
        ("CAE__ENTRA__CLIENT_SECRET_FILE", "/run/secret"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::read(TENANT, Path::new("/etc/cae"), variables.into_iter());
    let tenant = settings.unwrap().entra.unwrap();
    assert_eq!(tenant.poll_every, Duration::from_secs(7));
    assert_eq!(tenant.credential, Credential::Secret("/run/secret".into()));
}

#[test]
fn every_fault_of_a_tenant_is_named() {
    let secret = "clientSecretFile = \"s\"\n";
    for (more, expected) in [
        (String::new(), "/entra/clientSecretFile: is missing"),
        (
            "certificateFile = \"c\"".to_owned(),
            "/entra/privateKeyFile: is missing",
        ),
        (
            "privateKeyFile = \"c\"".to_owned(),
            "/entra/certificateFile: is missing",
        ),
        (
            format!("{secret}certificateFile = \"c\""),
            "/entra/clientSecretFile: stands beside a certificate",
        ),
        (format!("{secret}cloud = \"moon\""), "/entra/cloud: "),
        (
            format!("{secret}graphUri = \"http://a.example\""),
            "/entra/graphUri: ",
        ),
        (
            format!("{secret}features = [\"mail\"]"),
            "/entra/features/0: ",
        ),
        (format!("{secret}pollSeconds = 0"), "/entra/pollSeconds: "),
        (
            format!("{secret}notifications = {{}}"),
            "/entra/notifications",
        ),
        (
            format!("{secret}notifications = {{uri = \"https://a.example/?x\"}}"),
            "/entra/notifications/uri: ",
        ),
        (
            format!("{secret}[[transmitter]]\nname = \"entra\"\nissuer = \"https://t.example\""),
            "/transmitter/0/name: is the name of the transmitter that [entra] is",
        ),
    ] {
        let faults = read(&format!("{TENANT}{more}")).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.starts_with(expected)),
            "{more}: {faults:?}"
        );
    }
    let domain = TENANT.replace("AAAABBBB-0000-cccc-1111-dddd2222eeee", "contoso.com");
    let faults = read(&format!("{domain}{secret}")).unwrap_err();
    assert!(faults[0].contains("a GUID, not a domain"), "{faults:?}");
}

#[test]
fn http_leads_nowhere_but_here() {
    for sound in [
        "https://a.example/x?y=z",
        "http://127.0.0.1:8190/x",
        "http://localhost",
        "http://[::1]:1/",
    ] {
        assert!(is_url(sound), "{sound}");
    }
    for bad in [
        "http://a.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example/",
        "https://",
        "ftp://x",
        "https://a b",
    ] {
        assert!(!is_url(bad), "{bad}");
    }
}

/// The schema knows the keys that the reader knows, and no others.
#[test]
fn the_schema_is_that_of_the_reader() {
    let schema: Value = serde_json::from_str(schema()).unwrap();
    let keys = |pointer: &str| -> Vec<String> {
        let properties = schema.pointer(&format!("{pointer}/properties"));
        let mut keys: Vec<String> = properties
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        keys.sort();
        keys
    };
    for (pointer, known) in reading::ALL_KEYS {
        let mut known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
        known.sort();
        assert_eq!(keys(pointer), known, "{pointer}");
    }
}
