/**
 * What a core may ask of its surroundings, as interfaces: the node, the simulator or a browser plugs them in.
 * @module
 */

/** Small synchronous digests. Bulk hashing is asynchronous work for the data plane instead. */
export interface Crypto {
  /** 20 bytes, FIPS 180-4. */
  sha1(bytes: Uint8Array): Uint8Array;
  /** 32 bytes, FIPS 180-4. */
  sha256(bytes: Uint8Array): Uint8Array;
}

/** Signatures by Ed25519 (RFC 8032). Synchronous: what is signed is short. */
export interface Ed25519 {
  /** The public key, 32 bytes, of a seed of 32 bytes. */
  publicKey(seed: Uint8Array): Uint8Array;
  /** The signature, 64 bytes, of a message by the owner of a seed. */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** False also for a key or a signature that is none. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** A password to be made slow to guess. */
export interface Argon2idJob {
  readonly password: Uint8Array;
  /** 8 bytes or more. */
  readonly salt: Uint8Array;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  /** Of the result; 4 or more. */
  readonly bytes: number;
}

/** Argon2id, version 1.3 (RFC 9106). Asynchronous: it takes a second and a lot of memory. */
export type Argon2id = (job: Argon2idJob) => Promise<Uint8Array>;
