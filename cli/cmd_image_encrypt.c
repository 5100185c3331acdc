/* SPDX-License-Identifier: Apache-2.0 */
/* otter image encrypt */
#include <stdlib.h>
#include <string.h>

#include "cli/encrypted_file.h"
#include "cli/files.h"
#include "cli/output.h"
#include "otter/otter_encrypt.h"
#include "otter/otter_os.h"

#define KEY_FILE_MAX_BYTES 32768

/* What is encrypted, for whom, to what. */
typedef struct job {
    const char *path; /* Of the image. */
    uint8_t *image;
    size_t len;
    otter_decrypt_key_t device; /* The device's key, the public half at least. */
    uint8_t key[ENCRYPTED_KEY_BYTES];
    encrypted_header_t header;
    uint8_t *file; /* The header, the encrypted image. */
} job_t;

/* ---- Input ---- */

static int load_image(job_t *job)
{
    int status = cli_read_file(job->path, CLI_ENCRYPTED_IMAGE_MAX, &job->image, &job->len);
    if (status != CLI_OK) {
        return status;
    }
    if (job->len == 0) {
        return cli_fail("%s is empty", job->path);
    }
    if (encrypted_is_magic(job->image, job->len)) {
        return cli_fail("%s is encrypted already", job->path);
    }
    return CLI_OK;
}

static int load_key(const char *path, otter_decrypt_key_t *key)
{
    char reason[OTTER_DECRYPT_REASON_BYTES];
    uint8_t *pem;
    size_t len;
    int status = cli_read_file(path, KEY_FILE_MAX_BYTES, &pem, &len);
    if (status != CLI_OK) {
        return status;
    }
    if (otter_decrypt_load_key(key, pem, len, reason) != ESP_OK) {
        status = cli_fail("%s: %s", path, reason);
    }
    otter_wipe(pem, len);
    free(pem);
    return status;
}

/* ---- The image's key ---- */

static esp_err_t wrap_rsa(job_t *job)
{
    job->header.scheme = ENCRYPTED_RSA3072;
    esp_err_t err = otter_entropy(job->key, sizeof(job->key));
    return err == ESP_OK
               ? otter_encrypt_rsa3072(&job->device, (otter_bytes_t){job->key, sizeof(job->key)}, job->header.wrapped)
               : err;
}

/* The secret is what a key of this image alone and the device's key agree on. */
static esp_err_t agree(const job_t *job, const otter_decrypt_key_t *own, uint8_t secret[OTTER_P256_SECRET_BYTES])
{
    uint8_t point[OTTER_P256_POINT_BYTES];
    esp_err_t err = otter_encrypt_public_point(&job->device, point);
    return err == ESP_OK ? otter_decrypt_ecdh(own, point, secret) : err;
}

static esp_err_t derive_p256(job_t *job)
{
    otter_decrypt_key_t own;
    uint8_t secret[OTTER_P256_SECRET_BYTES];
    job->header.scheme = ENCRYPTED_P256;
    esp_err_t err = otter_encrypt_new_key(&own);
    if (err == ESP_OK) {
        err = otter_encrypt_public_point(&own, job->header.point);
    }
    if (err == ESP_OK) {
        err = agree(job, &own, secret);
    }
    if (err == ESP_OK) {
        err = otter_entropy(job->header.salt, sizeof(job->header.salt));
    }
    if (err == ESP_OK) {
        err = otter_hkdf_sha256(
            (otter_bytes_t){job->header.salt, sizeof(job->header.salt)}, (otter_bytes_t){secret, sizeof(secret)},
            (otter_bytes_t){ENCRYPTED_HKDF_INFO, sizeof(ENCRYPTED_HKDF_INFO) - 1}, job->key, sizeof(job->key));
    }
    otter_wipe(secret, sizeof(secret));
    otter_decrypt_free_key(&own);
    return err;
}

/* ---- The image ---- */

static esp_err_t seal(job_t *job)
{
    otter_gcm_t gcm = {{0}};
    otter_bytes_t iv = {job->header.iv, sizeof(job->header.iv)};
    esp_err_t err = otter_entropy(job->header.iv, sizeof(job->header.iv));
    if (err == ESP_OK) {
        err = otter_gcm_begin(&gcm, OTTER_GCM_ENCRYPT, job->key, iv);
    }
    if (err == ESP_OK) {
        err = otter_gcm_update(&gcm, job->image, job->len, job->file + ENCRYPTED_HEADER_BYTES);
    }
    if (err == ESP_OK) {
        err = otter_gcm_seal(&gcm, job->header.tag);
    }
    otter_gcm_free(&gcm);
    return err;
}

static int encrypt(job_t *job)
{
    job->file = malloc(ENCRYPTED_HEADER_BYTES + job->len);
    if (job->file == NULL) {
        return cli_fail("out of memory");
    }
    job->header.image_len = (uint32_t)job->len;
    bool is_rsa = otter_decrypt_kind(&job->device) == OTTER_DECRYPT_RSA3072;
    esp_err_t err = is_rsa ? wrap_rsa(job) : derive_p256(job);
    if (err == ESP_OK) {
        err = seal(job);
    }
    otter_wipe(job->key, sizeof(job->key));
    if (err != ESP_OK) {
        return cli_fail("%s: cannot encrypt it: the crypto library fails", job->path);
    }
    encrypted_build(&job->header, job->file);
    return CLI_OK;
}

static void free_job(job_t *job)
{
    otter_decrypt_free_key(&job->device);
    free(job->image);
    free(job->file);
}

static int run(const cli_args_t *args)
{
    static const char *const keys[] = {"key", NULL};
    job_t job = {.path = args->positional[0]};
    int status = cli_check_encrypted_usage(args, keys);
    if (status == CLI_OK) {
        status = load_key(cli_value(args, "key"), &job.device);
    }
    if (status == CLI_OK) {
        status = load_image(&job);
    }
    if (status == CLI_OK) {
        status = encrypt(&job);
    }
    size_t file_len = ENCRYPTED_HEADER_BYTES + job.len;
    if (status == CLI_OK) {
        status = cli_write_file(cli_value(args, "output"), 0666, job.file, file_len);
    }
    if (status == CLI_OK && cli_has(args, "json")) {
        status = cli_print_json(cli_encrypted_json(&job.header, file_len));
    }
    free_job(&job);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTION_OUTPUT("encrypted image to write (required)"),
    {.name = "key", .value = "FILE", .help = "the device's key, public or private: rsa3072 or p256 (required)"},
    CLI_OPTION_JSON,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_image_encrypt = {
    .group = "image",
    .name = "encrypt",
    .summary = "encrypt an image for a device",
    .arguments = "IMAGE",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "The format is that of ESP-IDF's esp_encrypted_img: a header of 512 bytes, then\n"
               "the image, encrypted with AES-256-GCM under a key of its own. The device's key\n"
               "decides how that one travels: encrypted with RSA-3072, or agreed on with\n"
               "P-256. Only who has the private half can decrypt: otter image decrypt does,\n"
               "and a device that updates with it. - reads standard input.\n"
               "\n"
               "Encryption keeps the image secret; it does not say whose it is. Sign it first,\n"
               "and with another key: otter image sign.\n",
    .run = run,
};
