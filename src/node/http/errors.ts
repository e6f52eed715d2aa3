/**
 * Errors of the HTTP API that are not those of what it was asked to do.
 * @module
 */
import { defineErrors } from '../../lib/errors.ts';

/** Code → sentence. */
export const apiErrorTable = {
  ERR_API_TOKEN: (d: { where: string }): string =>
    `This needs the token of the node, and none or a wrong one came: send "Authorization: Bearer TOKEN" with what "starling token" prints, or open the URL that the start prints. It is in ${d.where}.`,
  ERR_API_TOO_MANY_TRIES: (d: { seconds: number }): string =>
    `Too many wrong tokens or passwords came from there: try again in ${d.seconds} s.`,
  ERR_API_HOST: (d: { host: string }): string =>
    `The request is for the host "${d.host}", which is not this node: use the address that the start prints, or name the host in the setting api.hosts.`,
  ERR_API_ORIGIN: (d: { origin: string }): string =>
    `A page of ${d.origin} asked for this: only the node's own dashboard may. Programs leave the Origin header out.`,
  ERR_API_CSRF: (): string =>
    'With a cookie alone nothing is changed: send the header "X-Starling-Request: 1", too.',
  ERR_API_INVALID: (d: { what: string; mistakes: string }): string => `${d.what}: ${d.mistakes}.`,
  ERR_API_NOT_FOUND: (d: { what: string; hint: string }): string =>
    `There is no ${d.what}: ${d.hint}.`,
  ERR_API_CONFLICT: (d: { reason: string; remedy: string }): string => `${d.reason}: ${d.remedy}.`,
  ERR_API_MEDIA_TYPE: (d: { got: string }): string =>
    `expected a body of application/json, got ${d.got}.`,
  ERR_API_TOO_LARGE: (d: { most: number }): string => `The body is larger than ${d.most} bytes.`,
  ERR_API_TOO_MANY: (d: { what: string; most: number }): string =>
    `There are too many ${d.what} (${d.most} at most): end some first.`,
  ERR_API_INTERNAL: (): string =>
    'The node failed at this; its log says more. Please report it with the line of the log.',
} as const;

/** Makes an error of this table. */
export const apiError: ReturnType<typeof defineErrors<typeof apiErrorTable>> =
  defineErrors(apiErrorTable);
