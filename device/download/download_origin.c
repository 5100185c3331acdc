/* SPDX-License-Identifier: Apache-2.0 */
/* A redirect may lead to an address that is good for minutes only, and drops credentials: a new try begins at the start. */
#include <stdlib.h>
#include <string.h>

#include "device/download/download_internal.h"
#include "device/http/http_internal.h"
#include "otter/otter_crypto.h"

static bool copy(char **dst, const char *text)
{
    return http_replace_text(dst, text);
}

static const char *header_of(esp_http_client_handle_t client)
{
    char *value = NULL;
    return esp_http_client_get_header(client, "Authorization", &value) == ESP_OK ? value : NULL;
}

esp_err_t download_remember_origin(download_t *download)
{
    esp_http_client_handle_t client = download->client;
    download_origin_t *origin = &download->origin;
    origin->auth_type = client->auth_type;
    bool ok = copy(&origin->url, client->url) && copy(&origin->username, client->username) &&
              copy(&origin->password, client->password) && copy(&origin->authorization, header_of(client));
    return ok ? ESP_OK : ESP_ERR_NO_MEM;
}

static esp_err_t restore_credentials(esp_http_client_handle_t client, const download_origin_t *origin)
{
    esp_err_t err = esp_http_client_set_username(client, origin->username);
    if (err == ESP_OK) {
        err = esp_http_client_set_password(client, origin->password);
    }
    if (err == ESP_OK) {
        err = esp_http_client_set_authtype(client, origin->auth_type);
    }
    return err == ESP_OK ? esp_http_client_set_header(client, "Authorization", origin->authorization) : err;
}

esp_err_t download_return_to_origin(download_t *download)
{
    if (strcmp(download->client->url, download->origin.url) == 0) {
        return ESP_OK;
    }
    esp_err_t err = esp_http_client_set_url(download->client, download->origin.url);
    return err == ESP_OK ? restore_credentials(download->client, &download->origin) : err;
}

static void wipe(char *secret)
{
    if (secret != NULL) {
        otter_wipe(secret, strlen(secret));
    }
    free(secret);
}

void download_forget_origin(download_t *download)
{
    free(download->origin.url);
    free(download->origin.username);
    wipe(download->origin.password);
    wipe(download->origin.authorization);
    download->origin = (download_origin_t){0};
}
