/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/servers/vsftpd.h"

#include <unistd.h>

#include "tests/support/test.h"

/* Whom anonymous users are: somebody with a home. */
static const char *const *frame_for(bool is_root)
{
    static const char *const frames[] = {"run_as_launching_user=YES\nftp_username=@USER@\n", "ftp_username=daemon\n"};
    return &frames[is_root];
}

site_server_t *vsftpd_start(site_t *site, const char *lines)
{
    static const char frame[] =
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port=@PORT@\nbackground=NO\nanonymous_enable=YES\n"
        "anon_root=@HOME@/www\nno_anon_password=YES\nlocal_enable=NO\nwrite_enable=NO\n"
        "secure_chroot_dir=@HOME@/tmp\nseccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\nconnect_from_port_20=NO\n"
        "xferlog_enable=YES\nxferlog_std_format=NO\nlog_ftp_protocol=YES\nvsftpd_log_file=@HOME@/vsftpd.log\n%s%s";
    const char *program = site_need("vsftpd");
    char text[2048];
    char conf[SITE_PATH_BYTES];
    uint16_t port = site_free_port();
    snprintf(text, sizeof(text), frame, *frame_for(geteuid() == 0), lines);
    site_configure(site, "vsftpd.conf", text, port);
    const char *const argv[] = {program, site_path(site, "vsftpd.conf", conf), NULL};
    site_server_t *server = site_start(site, "", argv, "vsftpd", port);
    if (server == NULL) {
        site_skip("vsftpd does not run here");
    }
    return server;
}
