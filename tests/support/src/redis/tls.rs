//! A certificate authority of one's own, by `openssl`.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

pub(super) const CA_CERTIFICATE: &str = "ca.crt";

/// Clients need no certificate.
pub(super) const SETTINGS: &str = "\
tls-cert-file server.crt
tls-key-file server.key
tls-ca-cert-file ca.crt
tls-auth-clients no";

/// Complete, because a small system has no configuration of its own.
const OPENSSL_CONFIG: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = cache test
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:127.0.0.1, DNS:localhost
extendedKeyUsage = serverAuth
";

const COMMANDS: [&str; 3] = [
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
     -config openssl.conf -extensions authority -keyout ca.key -out ca.crt",
    "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
     -config openssl.conf -keyout server.key -out server.csr",
    "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -set_serial 2 -days 2 \
     -extfile openssl.conf -extensions server -out server.crt",
];

/// Makes an authority and a server's certificate; keeps what is there from an earlier start.
pub(super) async fn make_certificates(directory: &Path) {
    if directory.join("server.crt").exists() {
        return;
    }
    fs::write(directory.join("openssl.conf"), OPENSSL_CONFIG).expect("a writable directory");
    for command in COMMANDS {
        let output = Command::new("openssl")
            .args(command.split_whitespace())
            .current_dir(directory)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap_or_else(|error| {
                panic!("cannot run openssl ({error}); `tests/run` installs what the tests need")
            });
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {command}: {complaint}");
    }
}
