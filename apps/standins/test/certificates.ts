// X.509 certificates for tests, written byte by byte: node:crypto reads certificates and makes none.
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";

const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, Math.floor(length / 256), length % 256];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
};
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const sha256WithRsa = sequence(oid("2a864886f70d01010b"), der(0x05));
const names = { CN: "550403", serialNumber: "550405", organizationIdentifier: "550461" } as const;
const name = (parts: Partial<Record<keyof typeof names, string>>) =>
  sequence(
    ...Object.entries(parts).map(([key, value]) =>
      der(0x31, sequence(oid(names[key as keyof typeof names]), der(0x0c, Buffer.from(value)))),
    ),
  );
const time = (seconds: number) => {
  const digits = new Date(seconds * 1000).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(0x18, Buffer.from(digits));
};

export interface Authority {
  readonly subject: Buffer;
  readonly key: KeyObject;
  readonly pem: string;
}

export interface Certificate {
  readonly base64: string;
  readonly pem: string;
}

/** A certificate for a key, signed by an authority; a year from `from`. */
export function certificateFor(
  publicKey: KeyObject,
  subject: Partial<Record<keyof typeof names, string>>,
  by: { subject: Buffer; key: KeyObject },
  from: number,
): Certificate {
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([7])),
    sha256WithRsa,
    by.subject,
    sequence(time(from), time(from + 31_536_000)),
    name(subject),
    publicKey.export({ format: "der", type: "spki" }),
  );
  const signature = sign("sha256", content, by.key);
  const base64 = sequence(content, sha256WithRsa, der(0x03, Buffer.from([0]), signature)).toString("base64");
  const lines = base64.match(/.{1,64}/g)?.join("\n") ?? "";
  return { base64, pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n` };
}

/** A certificate authority of a test's own. */
export function authority(from: number): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const subject = name({ CN: "Test authority" });
  const { pem } = certificateFor(publicKey, { CN: "Test authority" }, { subject, key: privateKey }, from);
  return { subject, key: privateKey, pem };
}
