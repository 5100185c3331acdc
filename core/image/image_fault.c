/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/image.h"
#include "esp_image_format.h"

static const struct {
    const char *text;
    esp_err_t err;
} faults[] = {
    [IMAGE_OK] = {"no fault", ESP_OK},
    [IMAGE_FAULT_TRUNCATED] = {"ends before the image does", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_MAGIC] = {"not an image: first byte is not E9", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_SEGMENT_COUNT] = {"wrong number of segments", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_CHIP] = {"made for another chip", ESP_FAIL},
    [IMAGE_FAULT_REVISION] = {"not made for this chip revision", ESP_FAIL},
    [IMAGE_FAULT_SEGMENT_LEN] = {"wrong segment length", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_ADDRESS] = {"wrong segment address", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_TOO_LARGE] = {"too large for its place", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_DESC] = {"no app descriptor", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_SECURE_VERSION] = {"secure version below the anti-rollback floor", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_CHECKSUM] = {"checksum does not match", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_NO_HASH] = {"no appended SHA-256", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_HASH] = {"SHA-256 does not match", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_SINK] = {"data could not be stored", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_CRYPTO] = {"crypto library failed", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_UNSIGNED] = {"not signed", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_SIGNATURE_FORMAT] = {"damaged signature block", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_SIGNATURE_KEY] = {"not signed with a trusted key", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_SIGNATURE_REVOKED] = {"signed with a revoked key", ESP_ERR_IMAGE_INVALID},
    [IMAGE_FAULT_SIGNATURE] = {"signature does not match", ESP_ERR_IMAGE_INVALID},
};

static image_fault_t known(image_fault_t fault)
{
    return (size_t)fault < sizeof(faults) / sizeof(faults[0]) ? fault : IMAGE_FAULT_CRYPTO;
}

const char *image_fault_text(image_fault_t fault)
{
    return faults[known(fault)].text;
}

esp_err_t image_fault_err(image_fault_t fault)
{
    return faults[known(fault)].err;
}
