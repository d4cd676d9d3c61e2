//! The compose files of the demo world.

/// The shop itself, a stack that Portainer keeps. The name of the database's secret comes from a variable.
pub(super) const SHOP: &str = r#"# The shop. Edited in Portainer: keep this comment.
version: "3.8"

services:
  web:
    image: nginx:1.27
    secrets:
      - site.key
      - source: site.crt
        target: site.crt
        mode: 0444
    configs:
      - source: site.conf
        target: /etc/nginx/conf.d/site.conf
    deploy:
      replicas: 2
      update_config:
        parallelism: 1
        order: start-first
        failure_action: rollback

  wordpress:
    image: wordpress:6.7
    environment:
      WORDPRESS_DB_HOST: mysql
      WORDPRESS_DB_USER: shop
      WORDPRESS_DB_PASSWORD_FILE: /run/secrets/db_password   # the _FILE convention
    secrets:
      - db_password
    deploy:
      replicas: 2
      labels:
        io.swarmsecrets.after: mysql
      update_config:
        parallelism: 1
        delay: 2s
        failure_action: pause

  mysql:
    image: mysql:8.4
    environment:
      MYSQL_DATABASE: shop
      MYSQL_USER: shop
      MYSQL_PASSWORD_FILE: /run/secrets/db_password
    secrets:
      - source: db_password
        target: db_password
        uid: "999"
        gid: "999"
        mode: 0400
    deploy:
      replicas: 1
      placement:
        constraints: [node.role == manager]
      update_config:
        failure_action: rollback
        monitor: 10s

  redis:
    image: redis:7.4
    secrets:
      - source: redis_password
        target: redis.pass
    healthcheck:
      test: ["CMD-SHELL", "redis-cli -a \"$$(cat /run/secrets/redis.pass)\" ping"]
      interval: 2s
      timeout: 1s
      retries: 3

secrets:
  site.key:
    external: true
  site.crt:
    external: true
  db_password:
    external: true
    name: ${DB_PASSWORD_SECRET:-db_password}
  redis_password:
    external: true

configs:
  site.conf:
    external: true
"#;

/// A stack that Portainer pulls from git.
pub(super) const NEWSLETTER: &str = r#"version: "3.8"
services:
  mailer:
    image: registry.example/newsletter:2.1
    environment:
      SMTP_PASSWORD_FILE: /run/secrets/smtp_password
    secrets: [smtp_password]
secrets:
  smtp_password:
    external: true
    name: newsletter_smtp_password
"#;

/// A stack that somebody deployed with the command line: Portainer sees its services and no file.
pub(super) const MONITORING: &str = r#"version: "3.8"
services:
  grafana:
    image: grafana/grafana:11.4.0
    environment:
      GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/grafana_admin
    secrets: [grafana_admin]
secrets:
  grafana_admin:
    external: true
    name: monitoring_grafana_admin
"#;

/// A stack that is stopped: nothing of it runs, and its file still names a secret.
pub(super) const CAMPAIGN: &str = r#"version: "3.8"
services:
  landing:
    image: nginx:1.27
    secrets:
      - source: campaign_api_key
        target: api_key
secrets:
  campaign_api_key:
    external: true
"#;

/// The templated config of the web server. It names the key by the target under which it is mounted.
pub(super) const SITE_CONF: &str = r#"# {{ .Service.Name }} on {{ .Node.Hostname }}
server {
    listen 443 ssl;
    ssl_certificate     /run/secrets/site.crt;
    ssl_certificate_key /run/secrets/site.key;
    add_header X-Key-Length "{{ len (secret "site.key") }}";
}
"#;
