import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { Problem } from '../../contract/index.ts';
import { nodeError } from '../errors.ts';
import { apiError, apiErrorTable } from './errors.ts';
import { problemOf } from './problems.ts';

const isProblem = new Ajv({ strict: false }).compile(Problem);
const details = { where: 'w', seconds: 3, host: 'h', origin: 'o', what: 'w', mistakes: 'm' };
const more = { hint: 'h', reason: 'r', remedy: 'r', got: 'g', most: 9 };

test('every error of the API is a whole problem, with its status, and its code is documented', () => {
  const page = readFileSync(
    path.join(import.meta.dirname, '..', '..', '..', 'docs', 'reference', 'errors.md'),
    'utf8',
  );
  for (const code of Object.keys(apiErrorTable) as (keyof typeof apiErrorTable)[]) {
    const problem = problemOf(apiError(code, { ...details, ...more } as never));
    assert.ok(isProblem(problem), `${code}: ${JSON.stringify(isProblem.errors)}`);
    assert.equal(problem.code, code);
    assert.equal(problem.type, `urn:starling:error:${code}`);
    if (code !== 'ERR_API_INTERNAL') assert.notEqual(problem.title, 'Failed', code);
    assert.doesNotMatch(problem.detail, /undefined/);
    assert.ok(page.includes(code), `${code} in docs/reference/errors.md`);
  }
});

test('statuses say whose fault it is', () => {
  const statusOf = (error: Parameters<typeof problemOf>[0]): number => problemOf(error).status;
  assert.equal(statusOf(apiError('ERR_API_TOKEN', { where: 'x' })), 401);
  assert.equal(statusOf(apiError('ERR_API_TOO_MANY_TRIES', { seconds: 1 })), 429);
  assert.equal(statusOf(apiError('ERR_API_HOST', { host: 'x' })), 421);
  assert.equal(statusOf(apiError('ERR_API_CSRF', undefined)), 403);
  assert.equal(statusOf(apiError('ERR_API_INVALID', { what: 'x', mistakes: 'y' })), 400);
  assert.equal(statusOf(nodeError('ERR_DUPLICATE', { infoHash: 'x' })), 409);
  assert.equal(statusOf(nodeError('ERR_SOURCE', { what: 'x', reason: 'y' })), 400);
});

test('each mistake is told with the place where it is', () => {
  const errors = [{ pointer: '/tags/0', detail: 'must be string' }];
  const problem = problemOf(apiError('ERR_API_INVALID', { what: 'body', mistakes: 'm' }), errors);
  assert.deepEqual(problem.errors, errors);
  assert.ok(isProblem(problem));
});
