//! A git repository and git's own server before it: `git http-backend`, which is a CGI program, behind a socket.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, thread};

use tempfile::TempDir;

/// A repository `shop.git` with a branch `main`, served on 127.0.0.1 while this process lives.
pub struct GitServer {
    folder: TempDir,
    url: String,
}

impl GitServer {
    /// Makes an empty repository and serves it.
    ///
    /// # Errors
    /// Those of files, of sockets and of `git`, which must be installed.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(repository(folder.path()))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/shop.git", listener.local_addr()?);
        let root = folder.path().to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One that goes away in the middle is no matter of the next one.
                let _ = answer(&stream, &root);
            }
        });
        let server = Self { folder, url };
        server.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(server)
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Commits a file, and gives the commit.
    ///
    /// # Errors
    /// As [`GitServer::start`].
    pub fn commit(&self, path: &str, content: &str) -> Result<String> {
        fs::write(repository(self.folder.path()).join(path), content)?;
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", "a change"])?;
        Ok(self.git(&["rev-parse", "HEAD"])?.trim().to_owned())
    }

    /// Runs `git` in it, and gives what it prints.
    ///
    /// # Errors
    /// As [`GitServer::start`].
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        const SOMEBODY: [&str; 6] =
            ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false"];
        run(Command::new("git").arg("-C").arg(repository(self.folder.path())).args(SOMEBODY).args(arguments))
    }
}

/// A file of the newest commit of a branch or tag of a repository, and that commit, as `git` fetches it.
///
/// # Errors
/// Those of files and of `git`.
pub(crate) fn fetch(url: &str, reference: &str, path: &str) -> Result<(String, String)> {
    let folder = tempfile::tempdir()?;
    let git = |arguments: &[&str]| run(Command::new("git").arg("-C").arg(folder.path()).args(arguments));
    git(&["init", "--quiet"])?;
    git(&["fetch", "--quiet", "--depth", "1", "--", url, reference])?;
    let commit = git(&["rev-parse", "FETCH_HEAD"])?;
    Ok((git(&["show", &format!("FETCH_HEAD:{path}")])?, commit.trim().to_owned()))
}

fn repository(folder: &Path) -> PathBuf {
    folder.join("shop.git")
}

fn run(command: &mut Command) -> Result<String> {
    let done = command.env("GIT_TERMINAL_PROMPT", "0").output()?;
    if !done.status.success() {
        return Err(Error::other(format!("git: {}", String::from_utf8_lossy(&done.stderr))));
    }
    String::from_utf8(done.stdout).map_err(Error::other)
}

/// Answers one request, and closes the connection.
fn answer(mut stream: &TcpStream, folder: &Path) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut program = Command::new("git");
    program.arg("http-backend").env("GIT_PROJECT_ROOT", folder).env("GIT_HTTP_EXPORT_ALL", "1");
    program.env("REQUEST_METHOD", method).env("PATH_INFO", path).env("QUERY_STRING", query);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                length = value.parse().map_err(Error::other)?;
                program.env("CONTENT_LENGTH", value);
            }
            "content-type" => drop(program.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(program.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(program.env("GIT_PROTOCOL", value)),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(&body)?;
    }
    let said = child.wait_with_output()?.stdout;
    let status = if said.starts_with(b"Status: ") { "404 Not Found" } else { "200 OK" };
    stream.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n").as_bytes())?;
    stream.write_all(&said)
}
