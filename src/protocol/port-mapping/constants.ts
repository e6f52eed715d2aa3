/**
 * Numbers of port mapping.
 * @module
 */

// Specification constants

/** RFC 6886 section 3.1, RFC 6887 section 19.4: where a gateway listens. */
export const GATEWAY_PORT = 5351;
/** RFC 6886 section 3.1, RFC 6887 section 8.1.1: first wait for an answer; it doubles with each try. */
export const FIRST_WAIT_MS = 250;
/** RFC 6886 section 3.3: "The RECOMMENDED Port Mapping Lifetime is 7200 seconds (two hours)." */
export const LIFETIME_SECONDS = 7_200;
/** UPnP Device Architecture 1.1, section 1.1.2: where devices listen for searches. */
export const SSDP_GROUP = '239.255.255.250';
export const SSDP_PORT = 1_900;
/** The same, section 1.1.1: "The TTL for the IP packet SHOULD default to 2". */
export const SSDP_TTL = 2;

// Implementation limits

/** Longest answer to a search that is read. */
export const MAX_SSDP_BYTES = 4_096;
/** Longest description or answer of a router that is read: those of large ones have 20 KiB. */
export const MAX_XML_BYTES = 262_144;
/** Services in a description that are looked at. */
export const MAX_SERVICES = 64;
/** Longest URL of a router. */
export const MAX_URL_CHARACTERS = 1_024;
/** Longest reason of a router that is shown. */
export const MAX_REASON_CHARACTERS = 120;
