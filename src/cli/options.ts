/**
 * Options that several commands share, and how their words are read.
 * @module
 */
import type { Command } from 'commander';
import { usageError } from './exit.ts';
import type { OutputOptions } from './output.ts';

/** Options of commands that run a node. */
export interface NodeCommandOptions extends OutputOptions {
  readonly listen?: string;
  readonly discovery: boolean;
  readonly downloadLimit?: number;
  readonly uploadLimit?: number;
}

/** Collects a repeatable option. */
export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

/** Reads a number of at least `least`. */
export function numberOption(name: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value >= least) return value;
    throw usageError(`${name}: expected a number of at least ${least}, got "${text}".`);
  };
}

/** Adds --json and --quiet. */
export function withOutput(command: Command): Command {
  return command
    .option('--json', 'print one JSON event a line on stdout')
    .option('--quiet', 'print results and problems only');
}

/** Adds what every command that runs a node has. */
export function withNode(command: Command): Command {
  return withOutput(command)
    .option('--listen <host:port>', 'address to listen on (default: port 6881 or a free one)')
    .option('--no-discovery', 'use only peers that were given: no trackers')
    .option(
      '--download-limit <bytes>',
      'bytes a second at most, 0 for no limit',
      numberOption('--download-limit', 0),
    )
    .option(
      '--upload-limit <bytes>',
      'bytes a second at most, 0 for no limit',
      numberOption('--upload-limit', 0),
    );
}
