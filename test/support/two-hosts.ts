/**
 * Tests on two hosts: a test file runs again in a process that lives on the first one, where it defines its real tests.
 * @module
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { needing, TestBed } from './cli-child.ts';
import { makeTwoHosts, type NamespaceHost, namespaceObstacle } from './namespace.ts';

const HOSTS = 'STARLING_TEST_HOSTS';
const TIMEOUT_MS = 240_000;

/** The hosts, in the process that lives on the first of them; undefined in the one that the test runner started. */
export function hostsInside(): readonly [NamespaceHost, NamespaceHost] | undefined {
  const inside = process.env[HOSTS];
  return inside === undefined ? undefined : JSON.parse(inside);
}

/** How a file is run on two hosts. */
export interface TwoHostsPlan {
  /** `import.meta.filename` of the test. */
  readonly file: string;
  /** How many tests it defines there. */
  readonly count: number;
  /** Programs that it needs besides `ip`. */
  readonly needs: readonly string[];
  readonly prepare?: (hosts: readonly [NamespaceHost, NamespaceHost]) => void;
}

/** A test that runs the file there, and insists that all its tests pass. */
export function itOnTwoHosts(title: string, { file, count, needs, prepare }: TwoHostsPlan): void {
  const needed = needing('ip', ...needs);
  const obstacle = process.env['CI'] === 'true' ? false : namespaceObstacle();
  const options = { ...needed, skip: needed.skip || obstacle, timeout: TIMEOUT_MS };
  it(title, options, async () => {
    await using bed = new TestBed();
    const hosts = makeTwoHosts(bed);
    prepare?.(hosts);
    const [program, ...args] = [...hosts[0].prefix, process.execPath, file];
    const env = { [HOSTS]: JSON.stringify(hosts), NODE_TEST_CONTEXT: undefined };
    const exit = await bed.start(program!, args, { env }).exit(TIMEOUT_MS);
    assert.equal(exit.code, 0, `${exit.stdout}\n${exit.stderr}`);
    assert.match(exit.stdout, new RegExp(`pass ${count}\\b`));
  });
}
