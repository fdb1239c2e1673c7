/**
 * What is used of `node:crypto`. It is asked for at run time, not imported, so that this package also loads where there is
 * none (browsers, edge runtimes); there WebCrypto does the same at about twice the cost.
 */
export interface NativeCrypto {
  createPublicKey(input: { key: object; format: "jwk" }): object;
  createPrivateKey(input: { key: object; format: "jwk" }): object;
  verify(hash: string | null, data: Uint8Array, key: object, signature: Uint8Array): boolean;
  sign(hash: string | null, data: Uint8Array, key: object): Uint8Array;
  sign(
    hash: string | null,
    data: Uint8Array,
    key: object,
    callback: (error: Error | null, signature: Uint8Array) => void,
  ): void;
}

interface Host {
  readonly process?: { getBuiltinModule?(id: string): unknown };
}

/** `node:crypto`, where the runtime has it. */
export function nativeCrypto(): NativeCrypto | undefined {
  return nativeModule("node:crypto", "createPublicKey") as NativeCrypto | undefined;
}

/** A module of Node's, where the runtime has it with that member. */
export function nativeModule(id: string, member: string): object | undefined {
  const found = (globalThis as Host).process?.getBuiltinModule?.(id);
  return typeof found === "object" && found !== null && member in found ? found : undefined;
}
