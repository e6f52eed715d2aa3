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
