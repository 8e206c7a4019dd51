//! Mails through a real mail server: STARTTLS, login, refusals. [GRT-3]

use sentri_server::{
    Config, Mailbox, Ports, Server, StartError,
    config::{Smtp, SmtpSecurity},
    ports::ManualClock,
};
use sentri_wire::Secret;

use crate::{
    mail_server::{MailServer, PASSWORD, USER},
    world::{BLE, DANA, HOUR, NOW, World, config},
};

const BO: &str = "bo@plumbing.example";

fn smtp(server: &MailServer) -> Smtp {
    Smtp {
        host: "localhost".into(),
        port: Some(server.port),
        security: SmtpSecurity::Starttls,
        ca_file: Some(server.ca_file.clone()),
        user: Some(USER.into()),
        password: Some(Secret::new(PASSWORD)),
        password_file: None,
    }
}

/// A world that has put an invitation into its outbox, which goes out by this mail server.
async fn invited(smtp: Smtp) -> World {
    let mut world = World::with(|config| config.deliver = false).await;
    world
        .restart(|config, ports| {
            (config.deliver, config.smtp) = (false, Some(smtp));
            ports.mail = None;
        })
        .await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    world
}

/// Refused twice, then taken: after growing waits, under one Message-ID, over TLS, with its text whole.
#[tokio::test]
async fn a_mail_goes_out_over_tls_and_again_after_a_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(folder.path()).await;
    let world = invited(smtp(&server)).await;
    server.refuse(2);
    let mut delivered = Vec::new();
    for wait in [0, 9, 1, 19, 1, 3600] {
        world.clock.advance(wait);
        delivered.push(world.server.deliver_due().await.unwrap());
    }
    assert_eq!(delivered, [0, 0, 0, 0, 1, 0]);
    let ids: Vec<_> = server.offered().iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0] && id.ends_with("@sentri.example>")), "{ids:?}");
    let mail = server.mail_to(BO).await;
    assert!(mail.over_tls);
    assert_eq!(mail.to, [BO]);
    assert_eq!(mail.header("From"), "Sentri <no-reply@sentri.example>");
    assert!(mail.header("Subject").contains("12 Oak St"), "{}", mail.data);
    assert!(mail.text().contains("/join#"), "{}", mail.text());
}

/// A wrong password, an untrusted certificate: nothing is sent, and it is tried again.
#[tokio::test]
async fn a_mail_server_that_cannot_be_trusted_or_refuses_the_login_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(folder.path()).await;
    for broken in [
        Smtp { password: Some(Secret::new("wrong")), ..smtp(&server) },
        Smtp { ca_file: None, ..smtp(&server) },
        Smtp { host: "127.0.0.1".into(), ..smtp(&server) },
        Smtp { security: SmtpSecurity::None, user: None, password: None, ..smtp(&server) },
    ] {
        let world = invited(broken).await;
        assert_eq!(world.server.deliver_due().await.unwrap(), 0);
    }
    assert!(server.offered().is_empty());
}

/// What can't be meant is told at the start, by the key's name.
#[tokio::test]
async fn a_configuration_of_mail_that_cannot_be_meant_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(folder.path()).await;
    let missing = folder.path().join("missing");
    for (broken, named) in [
        (Smtp { security: SmtpSecurity::None, ..smtp(&server) }, "smtp.security"),
        (Smtp { user: None, ..smtp(&server) }, "smtp.user"),
        (Smtp { password_file: Some(missing.clone()), ..smtp(&server) }, "smtp.password_file"),
        (
            Smtp { password: None, password_file: Some(missing.clone()), ..smtp(&server) },
            "smtp.password_file",
        ),
        (Smtp { ca_file: Some(missing.clone()), ..smtp(&server) }, "smtp.ca_file"),
    ] {
        let other = tempfile::tempdir().unwrap();
        let config = Config { smtp: Some(broken), ..config(other.path()).await };
        let ports = Ports::with_mailbox(ManualClock::at(NOW), &Mailbox::new());
        match Server::start(config, ports).await.map(drop) {
            Err(StartError::Config(text)) => assert!(text.contains(named), "{text}"),
            other => panic!("{named}: {other:?}"),
        }
    }
}
