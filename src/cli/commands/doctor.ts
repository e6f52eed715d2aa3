/**
 * `starling doctor`: tests the ways by which this node reaches others and is reached; says what is wrong and how to mend it.
 * @module
 */
import { type Check, examine } from '../../node/api/doctor.ts';
import { untilAborted } from '../../node/api/index.ts';
import { type CommandSpec, listOption, type OptionValues, textOption } from '../command.ts';
import { CommandEnd, EXIT } from '../exit.ts';
import { NODE_OPTIONS, nodeOptionsOf, outputOf } from '../options.ts';
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

async function diagnose(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const trackers = listOption(options, 'tracker');
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
        output.event({ type: 'check', ...check });
        output.result(linesOf(check));
      }
    },
  );
  const failed = checks.filter(({ status }) => status === 'failed').length;
  const warnings = checks.filter(({ status }) => status === 'warning').length;
  output.event({ type: 'done', failed, warnings });
  if (failed > 0) {
    const names = checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
    throw new CommandEnd(`Something is wrong: ${names.join(', ')}.`, { exitCode: EXIT.failed });
  }
  output.result(warnings === 0 ? 'All is well.' : 'It works, but could be better.');
}

function linesOf({ name, status, finding, mend }: Check): string {
  const line = `${MARKS[status]} ${name}: ${finding}`;
  return mend === undefined ? line : `${line}\n    ${mend}`;
}
