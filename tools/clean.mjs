// Removes dist/, so that a package holds what the source says and nothing an earlier build left behind.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true, maxRetries: 3 });
