/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/servers/nginx.h"

#include <unistd.h>

#include "tests/support/test.h"

site_server_t *nginx_start(site_t *site, const char *listen, const char *http_lines, const char *server_lines)
{
    static const char frame[] =
        "daemon off; worker_processes 1; pid @HOME@/nginx.pid; error_log @HOME@/error.log info;\n"
        "worker_shutdown_timeout 50ms;\n"
        "%s events { worker_connections 64; }\n"
        "http {\n"
        "log_format t escape=none '$request_method $uri $server_protocol $status range=<$http_range> "
        "if_range=<$http_if_range> "
        "tls=$ssl_protocol client=$ssl_client_verify sent=$body_bytes_sent from=$remote_addr connection=$connection';\n"
        "access_log @HOME@/access.log t; client_body_temp_path @HOME@/tmp/a; proxy_temp_path @HOME@/tmp/b;\n"
        "fastcgi_temp_path @HOME@/tmp/c; uwsgi_temp_path @HOME@/tmp/d; scgi_temp_path @HOME@/tmp/e;\n"
        "%s server { listen %s; root @HOME@/www; default_type application/octet-stream;\n"
        "ssl_certificate @HOME@/cert.pem; ssl_certificate_key @HOME@/key.pem;\n"
        "%s } }\n";
    const char *program = site_need("nginx");
    char text[4096];
    char conf[SITE_PATH_BYTES];
    uint16_t port = site_free_port();
    snprintf(text, sizeof(text), frame, geteuid() == 0 ? "user root;" : "", http_lines, listen, server_lines);
    site_configure(site, "nginx.conf", text, port);
    const char *const argv[] = {program, "-e", "stderr", "-p", site->home, "-c", site_path(site, "nginx.conf", conf),
                                NULL};
    site_server_t *server = site_start(site, "", argv, "nginx", port);
    assert_non_null(server);
    return server;
}
