//! Words that stand in logs everywhere: all that is ever shown of a line. Sorted, in lower case.

/// Whether a word may be shown.
pub(super) fn is_common(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    WORDS.binary_search(&lower.as_str()).is_ok()
}

#[rustfmt::skip] // One word a line would make it long.
const WORDS: &[&str] = &[
    "a", "abort", "aborted", "aborting", "accept", "accepted", "access", "account", "active", "address", "after",
    "again", "all", "already", "an", "and", "api", "application", "are", "argument", "as", "assertion", "at",
    "attempt", "attempts", "auth", "authenticate", "authenticated", "authenticating", "authentication",
    "authorization", "authorized", "available", "aws", "backend", "bad", "be", "because", "been", "before", "begin",
    "bind", "body", "broken", "buffer", "bug", "but", "by", "cache", "call", "called", "calling", "can", "cannot",
    "certificate", "channel", "check", "child", "class", "cleanup", "client", "close", "closed", "closing",
    "cluster", "code", "command", "commit", "config", "configuration", "configure", "connect", "connected",
    "connecting", "connection", "connections", "consumer", "container", "context", "continue", "control", "corrupt",
    "could", "crash", "crashed", "create", "created", "creating", "critical", "current", "data", "database", "db",
    "deadline", "deadlock", "debug", "default", "delete", "denied", "deprecated", "deserialize", "detail", "did",
    "directory", "disabled", "disconnect", "disconnected", "disk", "dns", "does", "done", "down", "driver", "due",
    "duplicate", "during", "dying", "emerg", "emergency", "empty", "enabled", "encountered", "encryption", "end",
    "endpoint", "engine", "environment", "err", "error", "errors", "event", "exceeded", "exception", "exec",
    "execute", "executing", "execution", "exist", "exists", "exit", "exited", "exiting", "expected", "expired",
    "external", "fail", "failed", "failing", "failover", "failure", "fatal", "fetch", "field", "file", "files",
    "find", "for", "forbidden", "found", "from", "full", "function", "gateway", "get", "goroutine", "group", "had",
    "handle", "handler", "handshake", "has", "have", "header", "health", "healthy", "heap", "host", "http", "https",
    "id", "if", "ignored", "in", "incorrect", "index", "info", "information", "initialize", "input", "instance",
    "insufficient", "internal", "interrupted", "invalid", "io", "is", "issue", "it", "item", "job", "json",
    "keepalive", "key", "kill", "killed", "last", "leader", "length", "level", "limit", "line", "list", "listen",
    "listening", "load", "loading", "local", "lock", "locked", "log", "login", "logs", "lost", "main", "malformed",
    "master", "max", "maximum", "memory", "message", "method", "migration", "missing", "module", "mysql", "name",
    "negative", "network", "new", "no", "node", "none", "not", "null", "number", "object", "occurred", "of",
    "offline", "offset", "on", "only", "open", "opening", "operation", "option", "or", "out", "output", "over",
    "overflow", "packet", "panic", "parameter", "parse", "parsing", "partition", "password", "path", "peer",
    "pending", "permission", "permitted", "pipe", "pool", "port", "postgres", "postgresql", "primary", "process",
    "producer", "protocol", "provider", "proxy", "query", "queue", "quota", "rate", "read", "reading", "ready",
    "reason", "received", "reconnect", "reconnecting", "redis", "refused", "reject", "rejected", "release",
    "remote", "remove", "replica", "replication", "request", "requests", "required", "reset", "resolve", "resource",
    "response", "restart", "restarting", "result", "retries", "retry", "retrying", "return", "returned", "role",
    "rollback", "route", "run", "running", "runtime", "saving", "schema", "secret", "segmentation", "send",
    "sending", "server", "service", "session", "set", "severe", "shutdown", "shutting", "signal", "size", "slow",
    "socket", "space", "sql", "ssl", "stack", "stale", "start", "started", "starting", "startup", "state",
    "statement", "status", "still", "stop", "stopped", "stopping", "storage", "stream", "string", "such", "support",
    "supported", "syntax", "system", "table", "task", "tcp", "temporary", "terminate", "terminated", "terminating",
    "than", "that", "the", "thread", "threads", "thrown", "time", "timed", "timeout", "tls", "to", "token", "too",
    "topic", "traceback", "transaction", "tried", "try", "trying", "type", "unable", "unauthorized", "unavailable",
    "uncaught", "undefined", "unexpected", "unhandled", "unhealthy", "unknown", "unreachable", "unrecoverable",
    "unresolved", "unsupported", "until", "update", "upstream", "uri", "url", "use", "user", "username", "using",
    "valid", "validation", "value", "version", "volume", "wait", "waiting", "warn", "warning", "was", "when",
    "while", "will", "with", "within", "without", "worker", "write", "writing", "wrong",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted_and_plain() {
        assert!(WORDS.is_sorted_by(|a, b| a < b));
        assert!(WORDS.iter().all(|w| w.bytes().all(|b| b.is_ascii_lowercase())));
        assert!(is_common("FATAL") && is_common("Timeout") && !is_common("hunter"));
    }
}
