//! A disk that is full, in earnest: the service runs on a small file system of its own.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use cae_tests::service::{Folder, Service, ask, free_port, wait_for};
use serde_json::json;

use super::own::{Own, PUSHED, SET};

/// How this machine lets a process have file systems of its own.
fn unshare() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];
    ways.into_iter().find(|way| {
        let mut command = Command::new("unshare");
        command
            .args(*way)
            .args(["mount", "-t", "tmpfs", "none", "/mnt"]);
        command.output().is_ok_and(|output| output.status.success())
    })
}

#[test]
fn a_full_disk_stops_acknowledgements_and_nothing_else() {
    let Some(way) = unshare() else {
        eprintln!("note: no file system can be made here, a full disk is not checked");
        return;
    };
    let folder = Folder::new("disk");
    let disk = folder.path().join("disk");
    fs::create_dir_all(&disk).unwrap();
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let configuration = format!("{PUSHED}[store]\nfile = \"disk/cae.redb\"\n");
    let on_small_disk = |inner: Command| {
        let mut command = Command::new("unshare");
        command.args(way).arg("sh").arg("-c");
        command
            .arg("mount -t tmpfs -o size=6m none \"$0\" && exec \"$@\"")
            .arg(&disk);
        command.arg(inner.get_program()).args(inner.get_args());
        command
    };
    let Some(service) = Service::start_within(&folder, &configuration, free_port(), on_small_disk)
    else {
        return;
    };
    let push = |set: &str| {
        ask(service.signals, "POST", "/events/own", &[SET], Some(set))
            .unwrap()
            .status
    };
    let status = |user: &str| service.authorize(&own.token(user, &json!({})), "/").status;
    assert_eq!(push(&own.revoked("early")), 202);

    // As that process sees it.
    let seen = PathBuf::from(format!(
        "/proc/{}/root{}",
        service.process.id(),
        disk.display()
    ));
    let filler = seen.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 4_096]).is_ok() {}
    drop(file);
    // The database has room of its own for a while.
    let mut acknowledged = vec!["early".to_owned()];
    let (user, set) = (0..20_000)
        .find_map(|n| {
            let user = format!("user-{n}");
            let set = own.revoked(&user);
            match push(&set) {
                202 => {
                    acknowledged.push(user);
                    None
                }
                status => {
                    assert_eq!(status, 503, "again, later");
                    Some((user, set))
                }
            }
        })
        .expect("a full disk");
    for user in acknowledged.iter().rev().take(20).chain([&acknowledged[0]]) {
        assert_eq!(status(user), 401, "{user} was acknowledged");
    }
    assert_eq!(status("nobody"), 200, "decisions go on");
    let ready = service.ready();
    assert_eq!(ready.status, 503);
    assert!(
        ready.json()["store"]["failing"]["what"].is_string(),
        "{ready:?}"
    );
    assert_eq!(service.metric("cae_store_failing"), Some(1.0));

    fs::remove_file(&filler).unwrap();
    wait_for("room", || push(&set) == 202);
    assert_eq!(status(&user), 401);
    wait_for("readiness", || service.ready().status == 200);
    assert_eq!(service.metric("cae_store_failing"), Some(0.0));
}
