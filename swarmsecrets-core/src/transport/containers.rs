//! Containers, and commands in them. Of what a command prints nothing is asked for: it may hold a value.

use serde::Serialize;

use super::request::{Method, Node};
use super::requests::{Read, Write, filter, write_json};
use crate::ids::{ContainerId, EnvironmentId, ExecId, TaskId, quoted};

impl Read {
    /// The containers of a task: one or none, and none if it runs on a node that this environment does not reach.
    #[must_use]
    pub fn containers_of(environment: EnvironmentId, task: &TaskId) -> Self {
        let label = format!("com.docker.swarm.task.id={task}");
        Self::docker(environment, "containers/json", format!("look for the container of task {task}"))
            .with("filters", filter("label", &[&label]))
            .at(Node::Each)
    }

    /// How a command in a container on a node goes.
    #[must_use]
    pub fn exec(environment: EnvironmentId, node: &Node, id: &ExecId) -> Self {
        Self::docker(environment, &format!("exec/{id}/json"), "ask how a command in a container goes").at(node.clone())
    }
}

impl Write {
    /// Prepares a command in a container on a node. Nothing runs yet.
    pub(crate) fn create_exec(
        environment: EnvironmentId,
        node: &Node,
        container: &ContainerId,
        command: &[String],
    ) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body<'a> {
            attach_stdout: bool,
            attach_stderr: bool,
            cmd: &'a [String],
        }
        let program = quoted(command.first().map_or("", String::as_str));
        let mut body = Vec::new();
        write_json(&mut body, &Body { attach_stdout: false, attach_stderr: false, cmd: command });
        Self::new(
            Method::Post,
            format!("/api/endpoints/{environment}/docker/containers/{container}/exec"),
            format!("prepare the command {program} in a container"),
        )
        .body(body)
        .at(node.clone())
    }

    /// Starts a command that was prepared, and does not wait for it.
    pub(crate) fn start_exec(environment: EnvironmentId, node: &Node, id: &ExecId) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body {
            detach: bool,
            tty: bool,
        }
        let mut body = Vec::new();
        write_json(&mut body, &Body { detach: true, tty: false });
        Self::new(
            Method::Post,
            format!("/api/endpoints/{environment}/docker/exec/{id}/start"),
            "start a command in a container".into(),
        )
        .body(body)
        .at(node.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENV: EnvironmentId = EnvironmentId(3);

    #[test]
    fn a_command_takes_three_requests_and_a_look_for_its_container() {
        assert_eq!(
            format!("{:?}", Read::containers_of(ENV, &"t1".parse().unwrap())),
            "GET /api/endpoints/3/docker/containers/json?filters={\"label\":[\"com.docker.swarm.task.id=t1\"]}"
        );
        let command = ["pg_isready".to_owned(), "-q".to_owned()];
        let node = Node::Named("worker-2".into());
        let create = Write::create_exec(ENV, &node, &"c1".parse().unwrap(), &command);
        assert_eq!(format!("{create:?}"), "POST /api/endpoints/3/docker/containers/c1/exec [body not shown]");
        let body = br#"{"AttachStdout":false,"AttachStderr":false,"Cmd":["pg_isready","-q"]}"#;
        assert_eq!(create.view().body.unwrap(), body);
        let start = Write::start_exec(ENV, &node, &"e1".parse().unwrap());
        assert_eq!([create.view().node, start.view().node], [&node, &node]);
        assert_eq!(start.view().body.unwrap(), br#"{"Detach":true,"Tty":false}"#);
        assert_eq!(
            format!("{:?}", Read::exec(ENV, &node, &"e1".parse().unwrap())),
            "GET /api/endpoints/3/docker/exec/e1/json"
        );
    }
}
