/**
 * Why a GET failed. Each sentence names the URL without its query, which may hold a tracker's passkey.
 * @module
 */
import { type AppError, defineErrors } from '../lib/errors.ts';

/** Codes of the errors that httpGet rejects with, besides ERR_OFFLINE and the caller's abort reason. */
export type HttpErrorCode =
  /** Not an http or https URL, or one that the caller's rule refuses. */
  | 'ERR_HTTP_URL'
  /** No whole response in time. */
  | 'ERR_HTTP_TIMEOUT'
  /** The body is longer than allowed, before or after decompression. */
  | 'ERR_HTTP_TOO_LARGE'
  /** Too many redirects, one without a target, or one into a nearer network. */
  | 'ERR_HTTP_REDIRECT'
  /** DNS, connection, TLS, or a response that is no HTTP. */
  | 'ERR_HTTP_UNREACHABLE';

interface HttpFault {
  readonly url: string;
  readonly reason: string;
}

const sentence = ({ url, reason }: HttpFault): string => `GET ${url}: ${reason}`;

const make = defineErrors({
  ERR_HTTP_URL: sentence,
  ERR_HTTP_TIMEOUT: sentence,
  ERR_HTTP_TOO_LARGE: sentence,
  ERR_HTTP_REDIRECT: sentence,
  ERR_HTTP_UNREACHABLE: sentence,
});

/** An error of httpGet. `reason` says what was expected and what came. */
export function httpError(
  code: HttpErrorCode,
  url: URL | string,
  reason: string,
  cause?: unknown,
): AppError<HttpErrorCode, HttpFault> {
  return make(code, { url: withoutSecrets(url), reason }, cause);
}

function withoutSecrets(url: URL | string): string {
  if (typeof url !== 'string') return `${url.protocol}//${url.host}${url.pathname}`;
  return url
    .slice(0, 200)
    .replace(/[?#].*$/s, '')
    .replace(/\/\/[^/]*@/, '//');
}
