//! The approvers that a policy names.

use std::path::Path;
use std::sync::Arc;

use swarmsecrets_core::approval::Approver;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::policy::{Guard, Server, System, SystemKind};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_host::read_credential;
use swarmsecrets_jira::JiraApprover;
use swarmsecrets_servicenow::ServiceNowApprover;
use swarmsecrets_webhook::WebhookApprover;

use crate::entries::authority;

/// The servers among the approvers of the policy that comes first, each by its name there. Approvers that a program hands over, and
/// the terminal, are not among them. Files are read, and nothing is sent.
///
/// # Errors
/// `Settings` if one cannot be made, `Io` if a file that it names cannot be read: with the approver's name.
pub fn approvers(guards: &[Guard]) -> Result<Vec<(String, Arc<dyn Approver>)>> {
    let systems = guards.first().and_then(|guard| guard.policy().approvals()).map_or(&[][..], |all| &all.systems);
    let mut made = Vec::new();
    for System { name, kind } in systems {
        if let Some(approver) = approver(kind).map_err(|e| e.context(format!("the approver {}", quoted(name))))? {
            made.push((name.clone(), approver));
        }
    }
    Ok(made)
}

/// The webhooks among them, for a program that listens for what their receivers send by themselves.
///
/// # Errors
/// As [`approvers()`].
pub fn webhooks(guards: &[Guard]) -> Result<Vec<(String, Arc<WebhookApprover>)>> {
    let systems = guards.first().and_then(|guard| guard.policy().approvals()).map_or(&[][..], |all| &all.systems);
    let mut made = Vec::new();
    for System { name, kind } in systems {
        if let SystemKind::Webhook { server, answers } = kind {
            let made_of = webhook(server, answers.as_deref());
            made.push((
                name.clone(),
                Arc::new(made_of.map_err(|e| e.context(format!("the approver {}", quoted(name))))?),
            ));
        }
    }
    Ok(made)
}

fn webhook(server: &Server, answers: Option<&str>) -> Result<WebhookApprover> {
    let (secret, pem) = entered(server)?;
    let builder = WebhookApprover::builder(&server.url, secret);
    let builder = answers.iter().fold(builder, |builder, url| builder.answers(url));
    pem.iter().fold(builder, |builder, pem| builder.ca_certificate(pem)).build()
}

fn approver(kind: &SystemKind) -> Result<Option<Arc<dyn Approver>>> {
    Ok(Some(match kind {
        SystemKind::Webhook { server, answers } => Arc::new(webhook(server, answers.as_deref())?),
        SystemKind::Jira { server, project, issue_type, approved, denied, fields } => {
            let (token, pem) = entered(server)?;
            let builder =
                JiraApprover::builder(&server.url, server.user.as_deref().unwrap_or_default(), token, project);
            let builder = builder.issue_type(issue_type).approved(approved).denied(denied).fields(fields.clone());
            Arc::new(pem.iter().fold(builder, |builder, pem| builder.ca_certificate(pem)).build()?)
        }
        SystemKind::ServiceNow { server, fields } => {
            let (secret, pem) = entered(server)?;
            let builder = ServiceNowApprover::builder(&server.url, server.user.as_deref(), secret);
            let builder = builder.fields(fields.clone());
            Arc::new(pem.iter().fold(builder, |builder, pem| builder.ca_certificate(pem)).build()?)
        }
        SystemKind::Program | SystemKind::Terminal => return Ok(None),
        _ => return Err(Error::new(ErrorKind::Settings, "is of a kind that this version cannot make")),
    }))
}

/// The credential of a server, and whose certificates are believed.
fn entered(server: &Server) -> Result<(SecretValue, Option<Vec<u8>>)> {
    let secret = read_credential(Path::new(&server.secret_file))?;
    Ok((secret, authority(Path::new(""), server.ca_file.as_deref().map(Path::new))?))
}

#[cfg(test)]
mod tests {
    use swarmsecrets_host::{parse_policy, policy_in_force};

    use super::*;

    fn made(folder: &Path, more: &str) -> Result<Vec<String>> {
        let folder = folder.display();
        let text = format!(
            "schema = 1\n[approval]\nfolder = '{folder}/r'\nstate = '{folder}/s'\n[approvers.chat]\nkind = 'program'\nidentities = {{ u = 'alice' }}\n[approvers.desk]\nkind = 'terminal'\n{more}"
        );
        let guards = [policy_in_force("p", parse_policy(&text)?)?];
        Ok(approvers(&guards)?.into_iter().map(|(name, approver)| format!("{name}: {}", approver.name())).collect())
    }

    #[test]
    fn servers_are_made_of_their_entries() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "made-up-token-of-a-server\n").unwrap();
        let token = format!("secret_file = '{}/token'", dir.path().display());
        let hook = format!("[approvers.hook]\nkind = 'webhook'\nurl = 'http://127.0.0.1:9/hook'\n{token}\n");
        let jira = format!(
            "[approvers.jira]\nkind = 'jira'\nurl = 'http://127.0.0.1:9'\nuser = 'bot'\nproject = 'OPS'\napproved = ['Done']\nidentities = {{ a = 'bob' }}\n{token}\n"
        );
        let snow = format!(
            "[approvers.snow]\nkind = 'servicenow'\nurl = 'http://127.0.0.1:9'\nidentities = {{ a = 'bob' }}\n{token}\n"
        );
        let wanted = [
            "hook: the webhook at http://127.0.0.1:9",
            "jira: Jira at http://127.0.0.1:9, project OPS",
            "snow: ServiceNow at http://127.0.0.1:9",
        ];
        assert_eq!(made(dir.path(), &format!("{hook}{jira}{snow}")).unwrap(), wanted);
        assert!(made(dir.path(), "").unwrap().is_empty());
        for (wrong, kind) in [
            (hook.replace("/token", "/nothing"), ErrorKind::Settings),
            (hook.replace("http://127.0.0.1:9", "http://hooks.example.org"), ErrorKind::Settings),
            (jira.replace("'OPS'", "'O P S'"), ErrorKind::Settings),
        ] {
            let error = made(dir.path(), &wrong).unwrap_err();
            assert!([kind, ErrorKind::Io].contains(&error.kind()), "{error}");
            assert!(error.to_string().contains("the approver `") && !error.to_string().contains("made-up"), "{error}");
        }
    }
}
