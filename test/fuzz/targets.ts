/**
 * Finds the fuzz targets: every `*.fuzz.ts` beside this file exports one as `target`.
 * @module
 */
import { readdir } from 'node:fs/promises';
import type { FuzzTarget } from './driver.ts';

/** All targets by name, in file order. */
export async function loadTargets(): Promise<Map<string, FuzzTarget>> {
  const targets = new Map<string, FuzzTarget>();
  const names = await readdir(import.meta.dirname);
  for (const name of names.filter((file) => file.endsWith('.fuzz.ts')).sort()) {
    const module: { target: FuzzTarget } = await import(`./${name}`);
    targets.set(module.target.name, module.target);
  }
  return targets;
}
