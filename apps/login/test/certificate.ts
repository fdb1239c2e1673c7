// A certificate that a server signs for itself, written by hand (X.509, RFC 5280): tests need no other program for it.
import { generateKeyPairSync, sign } from "node:crypto";
import { isIPv4 } from "node:net";

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
  time: 0x17,
} as const;

/** One DER element (X.690 section 8.1): tag, length, content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

const oid = (hex: string): Buffer => der(tags.oid, Buffer.from(hex, "hex"));
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(tags.sequence, ...parts);
const text = (value: string): Buffer => Buffer.from(value, "latin1");
const extension = (id: string, value: Uint8Array): Buffer => sequence(oid(id), der(tags.octets, value));

/** A host as RFC 5280 section 4.2.1.6 writes it: a name, or an IPv4 address. */
function alternativeName(host: string): Buffer {
  return isIPv4(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, text(host));
}

/** A key and a certificate for one host, good from 2020 to 2049. */
export function selfSigned(host: string): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
  const name = sequence(der(tags.set, sequence(oid("550403"), der(tags.utf8, text(host)))));
  const version = der(0xa0, der(tags.integer, Buffer.of(2)));
  const validity = sequence(der(tags.time, text("200101000000Z")), der(tags.time, text("491231235959Z")));
  const subjectAltName = extension("551d11", sequence(alternativeName(host)));
  const basicConstraints = extension("551d13", sequence(der(tags.boolean, Buffer.of(0xff))));
  const body = sequence(
    version,
    der(tags.integer, Buffer.of(1)),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(subjectAltName, basicConstraints)),
  );
  const signature = der(tags.bits, Buffer.of(0), sign("sha256", body, privateKey));
  const certificate = sequence(body, ecdsaWithSha256, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replace(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE-----\n`,
  };
}
