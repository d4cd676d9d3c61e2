//! Each pattern with a line as it is really worded.

use super::auth::AuthSearch;
use super::auth_table::PATTERNS;

/// A line for each pattern, in the order of the table.
const LINES: &[&str] = &[
    "cat: /run/secrets/db_password: Permission denied",
    "PermissionError: [Errno 2] No such file or directory: '/run/secrets/db_password'",
    "2026-11-21 12:00:01.123 UTC [77] FATAL:  password authentication failed for user \"app\"",
    "FATAL:  no pg_hba.conf entry for host \"10.0.1.5\", user \"app\", database \"shop\", no encryption",
    "psql: error: connection to server at \"db\" (10.0.1.3), port 5432 failed: FATAL:  role \"app\" does not exist",
    "FATAL:  role \"app\" is not permitted to log in",
    "  severity: 'FATAL', code: '28P01', detail: undefined,",
    "connection to server at \"db\" (10.0.1.3), port 5432 failed: fe_sendauth: no password supplied",
    "org.postgresql.util.PSQLException: The server requested SCRAM-based authentication, but no password was provided.",
    "Error: SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string",
    "connection to server at \"pgbouncer\" (10.0.1.9), port 6432 failed: FATAL:  SASL authentication failed",
    "SQLSTATE[HY000] [1045] Access denied for user 'app'@'10.0.1.5' (using password: YES)",
    "java.sql.SQLInvalidAuthorizationSpecException: (conn=42) Could not connect",
    "<h1>Error establishing a database connection</h1>",
    "Login failed for user 'sa'. Reason: Password did not match that for the login provided.",
    "ORA-01017: invalid username/password; logon denied",
    "(error) WRONGPASS invalid username-password pair or user is disabled.",
    "redis.exceptions.AuthenticationError: NOAUTH Authentication required.",
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    "ReplyError: ERR invalid password",
    "MongoServerError: Authentication failed.",
    "com.mongodb.MongoSecurityException: Exception authenticating MongoCredential{mechanism=SCRAM-SHA-1, userName='app'}",
    "{\"c\":\"ACCESS\",\"msg\":\"Authentication failed\",\"attr\":{\"mechanism\":\"SCRAM-SHA-256\",\"error\":\"AuthenticationFailed: SCRAM authentication failed\"}}",
    "pymongo.errors.OperationFailure: {'ok': 0.0, 'errmsg': 'auth failed', 'code': 18, 'codeName': 'AuthenticationFailed'}",
    "2026-11-21 12:00:01 [error] <0.731.0> PLAIN login refused: user 'app' - invalid credentials",
    "com.rabbitmq.client.AuthenticationFailureException: ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
    "Error: Handshake terminated by server: 403 (ACCESS-REFUSED) with message \"no\"",
    "pika.exceptions.ProbableAuthenticationError: ConnectionClosedByBroker: (403)",
    "org.apache.kafka.common.errors.SaslAuthenticationException: Invalid username or password",
    "%3|1763726401.123|FAIL|rdkafka#producer-1| [thrd:sasl_ssl://kafka:9093]: SASL authentication error: Authentication failed",
    "[SocketServer] Failed authentication with /10.0.1.5 (channelId=1) (Authentication failed)",
    "ldap_bind: Invalid credentials (49)",
    "javax.naming.AuthenticationException: [LDAP: error code 49 - Invalid Credentials]",
    "LDAP Result Code 49 \"Invalid Credentials\": ",
    "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data 52e, v4563",
    "conn=1002 op=0 RESULT tag=97 err=49 text=",
    "nginx: [emerg] cannot load certificate key \"/run/secrets/tls_key\": PEM_read_bio_PrivateKey() failed",
    "SSL_CTX_use_PrivateKey(\"/tls/key\") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)",
    "[ALERT] (1) : config : unable to load SSL private key from file '/certs/site.pem'",
    "Failed to load private key from <inline>, Cause: error:0900006e:PEM routines",
    "panic: tls: private key does not match public key",
    "tls: failed to find any PEM data in key input",
    "http: TLS handshake error from 10.0.1.5:40122: remote error: tls: bad certificate",
    "javax.net.ssl.SSLHandshakeException: PKIX path building failed",
    "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed",
    "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed (_ssl.c:1000)",
    "Get \"https://pay/\": x509: certificate signed by unknown authority",
    "code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'",
    "code: 'DEPTH_ZERO_SELF_SIGNED_CERT'",
    "deploy@10.0.1.7: Permission denied (publickey,password).",
    "backup@10.0.1.7: Permission denied (password,keyboard-interactive).",
    "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none password], no supported methods remain",
    "com.jcraft.jsch.JSchException: Auth fail",
    "Failed password for app from 10.0.1.5 port 51234 ssh2",
    "fatal: Authentication failed for 'https://git.example.org/shop.git/'",
    "535 5.7.8 Error: authentication failed: authentication failure",
    "535-5.7.8 Username and Password not accepted. For more information, go to",
    "smtplib.SMTPAuthenticationError: (535, b'no')",
    "SMTP Error: Could not authenticate.",
    "Error: Invalid login: 535 Authentication credentials invalid",
    "postfix/smtpd[77]: warning: unknown[10.0.1.5]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
    "postfix/smtpd[77]: warning: unknown[10.0.1.5]: SASL PLAIN authentication failed:",
    "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<app>, method=PLAIN",
    "An error occurred (InvalidAccessKeyId) when calling the ListBuckets operation",
    "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided.",
    "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation",
    "UnrecognizedClientException: no",
    "An error occurred (ExpiredToken) when calling the PutObject operation: The provided token has expired.",
    "The security token included in the request is invalid.",
    "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
    "NoCredentialProviders: no valid providers in chain. Deprecated.",
    "AADSTS7000215: Invalid client secret provided.",
    "{\"error\":\"invalid_client\",\"error_description\":\"Client authentication failed\"}",
    "google.auth.exceptions.RefreshError: ('invalid_grant: Invalid JWT Signature.')",
    "Error making API request. Code: 403. Errors: * permission denied",
    "Error response from daemon: unauthorized: authentication required",
    "unable to authenticate user [app] for REST request [/shop/_search]",
    "security_exception: missing authentication credentials for REST request [/]",
    "DB::Exception: app: Authentication failed: password is incorrect, or there is no user with such name.",
    "AuthenticationFailed('Bad credentials': Provided username app and/or password are incorrect)",
    "nats: Authorization Violation",
    "etcdserver: authentication failed, invalid user ID or password",
    "Connection error: Connection Refused: not authorised.",
    "Connection error: Connection Refused: bad user name or password.",
    "JsonWebTokenError: invalid signature",
    "AxiosError: Request failed with status code 401",
    "unexpected status code: 401",
    "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.org/v1",
    "urllib.error.HTTPError: HTTP Error 401: Unauthorized",
    "org.springframework.web.client.HttpClientErrorException$Unauthorized: 401 : [no body]",
    "curl: (22) The requested URL returned error: 401",
    "Invalid API Key provided: sk_test_********",
    "Incorrect API key provided: made-up.",
    "AxiosError: Request failed with status code 403",
    "unexpected status code: 403",
    "requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://api.example.org/v1",
    "urllib.error.HTTPError: HTTP Error 403: Forbidden",
    "org.springframework.web.client.HttpClientErrorException$Forbidden: 403 : [no body]",
    "curl: (22) The requested URL returned error: 403",
    "upstream answered 403 Forbidden",
    "10.0.1.5 - app [21/Nov/2026:12:00:01 +0000] \"GET /api HTTP/1.1\" 401 179 \"-\" \"curl/8.5.0\"",
    "10.0.1.5 - app [21/Nov/2026:12:00:01 +0000] \"GET /api HTTP/1.1\" 403 179 \"-\" \"curl/8.5.0\"",
    "upstream answered 401 Unauthorized",
    "user \"app\": password mismatch, client: 10.0.1.5, server: _, request: \"GET / HTTP/1.1\"",
    "AH01617: user app: authentication failed for \"/\": Password Mismatch",
    "worker: authentication failed",
    "worker: authentication failure",
    "worker: invalid credentials",
    "worker: bad credentials",
    "worker: invalid password",
    "worker: incorrect password",
    "worker: wrong password",
    "worker: login failed",
];

#[test]
fn each_pattern_finds_its_line() {
    let search = AuthSearch::new().unwrap();
    assert_eq!(LINES.len(), PATTERNS.len(), "each pattern has a line");
    let missed = |(pattern, line): &(_, &&str)| search.find(line.as_bytes()) != Some(*pattern);
    let missed: Vec<_> =
        PATTERNS.iter().zip(LINES).filter(missed).map(|(pattern, line)| (pattern.key(), *line)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn calm_lines_fit_none() {
    let search = AuthSearch::new().unwrap();
    for line in [
        "2026-11-21 12:00:01.123 UTC [1] LOG:  database system is ready to accept connections",
        "connection authenticated: identity=\"app\" method=scram-sha-256",
        "10.0.1.5 - - [21/Nov/2026:12:00:01 +0000] \"GET /orders/401 HTTP/1.1\" 200 403 \"-\" \"curl/8.5.0\"",
        "Accepted password for app from 10.0.1.5 port 51234 ssh2",
        "password changed for user 401",
        "loaded /run/secrets/db_password",
        "Ready to accept connections tcp",
        "user 'app' authenticated and granted access to vhost '/'",
        "",
    ] {
        assert_eq!(search.find(line.as_bytes()).map(|p| p.parts), None, "{line}");
    }
}

#[test]
fn no_two_patterns_share_a_key() {
    let keys: std::collections::BTreeSet<String> = PATTERNS.iter().map(|p| p.key()).collect();
    assert_eq!(keys.len(), PATTERNS.len());
}

#[test]
fn a_part_may_stand_more_than_once_and_in_any_place() {
    let search = AuthSearch::new().unwrap();
    let twice = b"/run/secrets/a /run/secrets/b";
    assert_eq!(search.find(twice), None, "one part twice is not two parts");
    assert!(search.find(b"permission denied: /run/secrets/a").is_some());
    assert!(search.find(b"\xff\xfeWRONGPASS invalid username-password pair\xff").is_some());
}
