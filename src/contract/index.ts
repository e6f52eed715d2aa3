/**
 * The contract of the HTTP API: the shapes of what goes in and out, from which OpenAPI is generated and by which requests are checked. Knows nothing else; node, command line and dashboard import it.
 * @module
 */

export * from './events.ts';
export * from './network.ts';
export * from './node.ts';
export * from './people.ts';
export * from './publications.ts';
export * from './shapes.ts';
export * from './tiers.ts';
export * from './torrents.ts';
