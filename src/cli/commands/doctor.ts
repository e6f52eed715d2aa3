/**
 * `starling doctor`: tests the ways by which this node reaches others and is reached; says what is wrong and how to mend it. A node that runs on the home tests itself: it is its port that others have to reach.
 * @module
 */
import type { Finding } from '../../contract/index.ts';
import { type Check, examine } from '../../node/api/doctor.ts';
import { untilAborted } from '../../node/api/index.ts';
import { type CommandSpec, listOption, type OptionValues, textOption } from '../command.ts';
import { CommandEnd, EXIT } from '../exit.ts';
import { nodeToUse } from '../handover.ts';
import type { NodeClient } from '../node-client.ts';
import { NODE_OPTIONS, nodeOptionsOf, outputOf } from '../options.ts';
import type { Output } from '../output.ts';
import { withPeerNode } from '../session.ts';

const MARKS = { ok: '✓', warning: '!', failed: '✗', skipped: '–' } as const;

/** The command. */
export const doctorCommand: CommandSpec = {
  name: 'doctor',
  argument: '',
  summary: 'test port, UDP, DHT, tracker, local network and clock; say how to mend what is wrong',
  options: {
    tracker: { value: 'url', isRepeatable: true, help: 'a tracker to test' },
    ...NODE_OPTIONS,
  },
  run: (_, options) => diagnose(options),
};

const STATUSES = { ok: 'ok', warning: 'warning', problem: 'failed', unknown: 'skipped' } as const;

async function diagnose(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  // Which nodes of the DHT it begins with is a process's own.
  const isOwn = listOption(options, 'bootstrap').length > 0;
  const running = isOwn ? undefined : await nodeToUse(options, output);
  const trackers = listOption(options, 'tracker');
  const checks =
    running === undefined
      ? await examineHere(options, trackers, output)
      : await examineNode(running, trackers, output);
  const failed = checks.filter(({ status }) => status === 'failed');
  const warnings = checks.filter(({ status }) => status === 'warning').length;
  output.event({ type: 'done', failed: failed.length, warnings });
  if (failed.length > 0) {
    const names = failed.map(({ name }) => name).join(', ');
    throw new CommandEnd(`Something is wrong: ${names}.`, { exitCode: EXIT.failed });
  }
  output.result(warnings === 0 ? 'All is well.' : 'It works, but could be better.');
}

function tell(check: Check, output: Output): void {
  output.event({ type: 'check', ...check });
  output.result(linesOf(check));
}

async function examineNode(
  client: NodeClient,
  trackers: readonly string[],
  output: Output,
): Promise<readonly Check[]> {
  output.note('The running node tests itself; it takes some seconds.');
  const { findings } = await client.post<{ findings: Finding[] }>(
    `/doctor?${new URLSearchParams(trackers.map((url) => ['tracker', url]))}`,
  );
  const checks = findings.map(({ what, state, text, remedy }) => ({
    name: what,
    status: STATUSES[state],
    finding: text,
    ...(remedy === null ? {} : { mend: remedy }),
  }));
  for (const check of checks) tell(check, output);
  return checks;
}

async function examineHere(
  options: OptionValues,
  trackers: readonly string[],
  output: Output,
): Promise<readonly Check[]> {
  const nodeOptions = nodeOptionsOf(options);
  const isListenGiven = textOption(options, 'listen') !== undefined;
  const checks: Check[] = [];
  await withPeerNode(
    nodeOptions,
    output,
    () => 'Interrupted.',
    async (node, signal) => {
      for (const url of trackers) node.policy.give(url);
      const { lan: usesLocalDiscovery } = node.switches;
      const examination = examine(node, { trackers, isListenGiven, usesLocalDiscovery });
      for (;;) {
        const { value: check } = await untilAborted(signal, examination.next());
        if (check === undefined) return;
        checks.push(check);
        tell(check, output);
      }
    },
  );
  return checks;
}

function linesOf({ name, status, finding, mend }: Check): string {
  const line = `${MARKS[status]} ${name}: ${finding}`;
  return mend === undefined ? line : `${line}\n    ${mend}`;
}
