// What `npm start` runs: the command line, and without arguments the node with its dashboard.
import { argv } from 'node:process';

if (argv.length === 2) argv.push('node');
await import('../bin/starling.mjs');
