#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The esp_encrypted_img format a second time, by the standards and with nothing but Python's own library.

Slow, and not for secrets: it is what tests compare otter with.

    encrypted_reference.py encrypt IMAGE KEY.pem FILE      KEY: public or private, RSA-3072 or P-256
    encrypted_reference.py decrypt FILE KEY IMAGE          KEY: private, or an HMAC key of 32 bytes
    encrypted_reference.py hmac-key KEY.bin PUBLIC.pem     makes an HMAC key, and the public key that follows from it
"""
import base64
import hashlib
import hmac
import os
import sys

MAGIC = 0x0788B6CF
PBKDF2_SALT = bytes.fromhex('0e2160642dae76d33448e43d7720123d9f3b1eceb88e573a4e8f7fb94ff0c869')


def refuse(why):
    sys.exit('reference: ' + why)


# ---- AES-256 (FIPS 197), encryption only ----

def _times2(x):
    return (x << 1 ^ 0x11B) & 0xFF if x & 0x80 else x << 1


def _make_sbox():
    log, exp, x = [0] * 256, [0] * 255, 1
    for i in range(255):
        exp[i], log[x] = x, i
        x ^= _times2(x)
    box = []
    for x in range(256):
        b = exp[(255 - log[x]) % 255] if x else 0
        s = 0x63
        for shift in range(5):
            s ^= (b << shift | b >> (8 - shift)) & 0xFF
        box.append(s)
    return box


SBOX = _make_sbox()


class Aes:
    def __init__(self, key):
        words = [list(key[i:i + 4]) for i in range(0, 32, 4)]
        rcon = 1
        while len(words) < 60:
            w = list(words[-1])
            if len(words) % 8 == 0:
                w = [SBOX[b] for b in w[1:] + w[:1]]
                w[0] ^= rcon
                rcon = _times2(rcon)
            elif len(words) % 8 == 4:
                w = [SBOX[b] for b in w]
            words.append([a ^ b for a, b in zip(w, words[-8])])
        self.keys = [sum(words[i:i + 4], []) for i in range(0, 60, 4)]

    def block(self, data):
        s = [a ^ b for a, b in zip(data, self.keys[0])]
        for turn in range(1, 15):
            s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if turn < 14:
                mixed = []
                for c in range(0, 16, 4):
                    column = s[c:c + 4]
                    for i in range(4):
                        a, b = column[i], column[(i + 1) % 4]
                        mixed.append(_times2(a) ^ _times2(b) ^ b ^ column[(i + 2) % 4] ^ column[(i + 3) % 4])
                s = mixed
            s = [a ^ b for a, b in zip(s, self.keys[turn])]
        return bytes(s)


# ---- GCM (SP 800-38D) without additional data ----

class Gcm:
    def __init__(self, key, iv):
        self.aes = Aes(key)
        self.h = int.from_bytes(self.aes.block(bytes(16)), 'big')
        self.j0 = iv + b'\0\0\0\1' if len(iv) == 12 else self._ghash(iv)

    def _multiply(self, x):
        z, v = 0, self.h
        for i in range(127, -1, -1):
            if x >> i & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        return z

    def _ghash(self, data):
        y = 0
        for i in range(0, len(data), 16):
            y = self._multiply(y ^ int.from_bytes(data[i:i + 16].ljust(16, b'\0'), 'big'))
        return self._multiply(y ^ len(data) * 8).to_bytes(16, 'big')

    def crypt(self, data):
        out = bytearray()
        counter = int.from_bytes(self.j0[12:], 'big')
        for i in range(0, len(data), 16):
            counter = (counter + 1) & 0xFFFFFFFF
            stream = self.aes.block(self.j0[:12] + counter.to_bytes(4, 'big'))
            out += bytes(a ^ b for a, b in zip(data[i:i + 16], stream))
        return bytes(out)

    def tag(self, cipher):
        return bytes(a ^ b for a, b in zip(self._ghash(cipher), self.aes.block(self.j0)))


# ---- P-256 (FIPS 186) ----

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    product = None
    while k:
        if k & 1:
            product = add(product, point)
        point = add(point, point)
        k >>= 1
    return product


def point_of(raw):
    x, y = int.from_bytes(raw[:32], 'big'), int.from_bytes(raw[32:], 'big')
    if len(raw) != 64 or (y * y - x * x * x + 3 * x - B) % P:
        refuse('not a point of P-256')
    return x, y


def raw_of(point):
    return point[0].to_bytes(32, 'big') + point[1].to_bytes(32, 'big')


# ---- Keys ----

def der(data, at=0):
    """(tag, contents, where the next one begins)"""
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[at:at + size], 'big'), at + size
    return tag, data[at:at + length], at + length


def items(data):
    at, out = 0, []
    while at < len(data):
        tag, contents, at = der(data, at)
        out.append((tag, contents))
    return out


def numbers(data):
    return [int.from_bytes(contents, 'big') for _, contents in items(data)]


def load_key(path):
    """('rsa', n, e, d or None), ('p256', point, number or None)"""
    with open(path, 'rb') as file:
        data = file.read()
    if len(data) == 32:
        number = hmac_number(data)
        return 'p256', multiply(number, G), number
    text = data.decode()
    private = 'PRIVATE' in text
    body = ''.join(line for line in text.splitlines() if not line.startswith('-----'))
    whole = der(base64.b64decode(body))[1]
    if 'RSA PRIVATE' in text:
        return ('rsa', *numbers(whole)[1:4])
    top = items(whole)
    is_rsa = bytes.fromhex('2a864886f70d010101') in (top[1] if private else top[0])[1]
    if private:
        inner = der(top[2][1])[1]
        if is_rsa:
            n, e, d = numbers(inner)[1:4]
            return 'rsa', n, e, d
        number = int.from_bytes(items(inner)[1][1], 'big')
        return 'p256', multiply(number, G), number
    bits = top[1][1][1:]
    if is_rsa:
        n, e = numbers(der(bits)[1])
        return 'rsa', n, e, None
    return 'p256', point_of(bits[1:]), None


def hmac_number(key):
    return int.from_bytes(hashlib.pbkdf2_hmac('sha256', key, PBKDF2_SALT, 2048), 'big')


def public_pem(point):
    head = bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d030107034200')
    text = base64.encodebytes(head + b'\4' + raw_of(point)).decode()
    return '-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----\n' % text


def hkdf(secret, salt):
    extracted = hmac.new(salt, secret, 'sha256').digest()
    return hmac.new(extracted, b'_esp_enc_img_ecc\1', 'sha256').digest()


# ---- The format ----

def wrap(key):
    """(the image's key, what the header says of it)"""
    if key[0] == 'rsa':
        secret = os.urandom(32)
        filler = bytes(b or 1 for b in os.urandom(384 - 3 - 32))
        padded = b'\0\2' + filler + b'\0' + secret
        return secret, pow(int.from_bytes(padded, 'big'), key[2], key[1]).to_bytes(384, 'big')
    own = int.from_bytes(os.urandom(40), 'big') % (N - 1) + 1
    salt = os.urandom(32)
    secret = multiply(own, key[1])[0].to_bytes(32, 'big')
    return hkdf(secret, salt), raw_of(multiply(own, G)) + salt + bytes(288)


def unwrap(key, field):
    if key[-1] is None:
        refuse('a private key is needed')
    if key[0] == 'rsa':
        padded = pow(int.from_bytes(field, 'big'), key[3], key[1]).to_bytes(384, 'big')
        if padded[:2] != b'\0\2' or padded.find(b'\0', 2) != 384 - 33:
            refuse('the padding is wrong')
        return padded[-32:]
    secret = multiply(key[2], point_of(field[:64]))[0].to_bytes(32, 'big')
    return hkdf(secret, field[64:96])


def encrypt(image, key):
    secret, field = wrap(key)
    iv = os.urandom(16)
    gcm = Gcm(secret, iv)
    cipher = gcm.crypt(image)
    return MAGIC.to_bytes(4, 'little') + field + iv + len(image).to_bytes(4, 'little') + gcm.tag(cipher) + bytes(88) + cipher


def decrypt(file, key):
    if int.from_bytes(file[:4], 'little') != MAGIC:
        refuse('wrong magic')
    if int.from_bytes(file[404:408], 'little') != len(file) - 512:
        refuse('wrong length')
    gcm = Gcm(unwrap(key, file[4:388]), file[388:404])
    if gcm.tag(file[512:]) != file[408:424]:
        refuse('wrong tag')
    return gcm.crypt(file[512:])


def self_check():
    """A vector of FIPS 197 and one of the GCM specification, so that a mistake here is not taken for one of otter's."""
    key = bytes(range(32))
    assert Aes(key).block(bytes(range(0, 256, 17))).hex() == '8ea2b7ca516745bfeafc49904b496089'
    gcm = Gcm(bytes(32), bytes(12))
    assert gcm.crypt(bytes(16)).hex() == 'cea7403d4d606b6e074ec5d3baf39d18'
    assert gcm.tag(gcm.crypt(bytes(16))).hex() == 'd0d1c8a799996bf0265b98b5d48ab919'
    assert multiply(N, G) is None and point_of(raw_of(multiply(12345, G)))


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)


def main():
    self_check()
    what, paths = sys.argv[1], sys.argv[2:]
    if what == 'encrypt':
        write(paths[2], encrypt(read(paths[0]), load_key(paths[1])))
    elif what == 'decrypt':
        write(paths[2], decrypt(read(paths[0]), load_key(paths[1])))
    elif what == 'hmac-key':
        key = os.urandom(32)
        write(paths[0], key)
        write(paths[1], public_pem(multiply(hmac_number(key), G)).encode())
    else:
        refuse('unknown: ' + what)


if __name__ == '__main__':
    main()
