// Builds the dashboard, src/web, into dist/web: hashed assets, nothing inline, nothing from outside. `--watch` builds again whenever a file changes.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { build } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

await build({
  configFile: false,
  logLevel: 'warn',
  root: join(root, 'src/web'),
  base: './',
  plugins: [react()],
  publicDir: false,
  build: {
    outDir: join(root, 'dist/web'),
    emptyOutDir: true,
    target: 'es2023',
    // The server's policy refuses what stands in the page itself: every asset is a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    watch: process.argv.includes('--watch') ? {} : null,
  },
});
