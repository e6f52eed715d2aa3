/**
 * Port mapping: what is said to gateways so that a port can be reached from outside (PCP, NAT-PMP, UPnP), without any I/O.
 * @module
 */
export {
  FIRST_WAIT_MS,
  GATEWAY_PORT,
  LIFETIME_SECONDS,
  MAX_XML_BYTES,
  SSDP_GROUP,
  SSDP_PORT,
  SSDP_TTL,
} from './constants.ts';
export type { PortMappingErrorCode } from './errors.ts';
export {
  decodePcpMap,
  decodePmpAddress,
  decodePmpMap,
  encodePcpMap,
  encodePmpAddress,
  encodePmpMap,
  NONCE_BYTES,
} from './pcp.ts';
export type { GrantedMapping, MappingRequest, Transport } from './types.ts';
export {
  encodeAddMapping,
  encodeDeleteMapping,
  encodeGetExternalAddress,
  encodeSearches,
  parseActionAnswer,
  parseDescription,
  parseExternalAddress,
  parseSearchAnswer,
  type UpnpAction,
  type UpnpService,
} from './upnp.ts';
