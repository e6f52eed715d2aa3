/**
 * Options that several commands share.
 * @module
 */
import type { AddOptions, NodeOptions } from '../node/api/index.ts';
import {
  listOption,
  numberOption,
  type OptionSpec,
  type OptionValues,
  switchOption,
  textOption,
} from './command.ts';
import { Output } from './output.ts';

/** Of every command; those that run no node take the last three without effect, so that scripts need no exceptions. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { help: 'print one JSON event a line on stdout' },
  quiet: { help: 'print results and problems only' },
  'no-discovery': {
    help: 'use only peers that were given: no trackers, peer exchange, DHT, local discovery or peers of earlier runs',
  },
  'download-limit': { value: 'bytes', help: 'bytes a second at most; 0: no limit' },
  'upload-limit': { value: 'bytes', help: 'bytes a second at most; 0: no limit' },
};

/** Of every command that speaks to the running node. */
export const NODE_OUTPUT_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { help: 'print one JSON object a line on stdout' },
  quiet: { help: 'print results and problems only' },
};

/** Of every command that gives or gets a torrent. */
export const WEB_SEED_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'web-seed': { value: 'url', isRepeatable: true, help: 'a web seed besides those of the torrent' },
  'no-web-seeds': { help: 'peers only' },
};

/** Of every command that seeds until it is stopped. */
export const WEB_OPTION: Readonly<Record<string, OptionSpec>> = {
  web: { value: 'host:port', help: 'serve the files over HTTP there too, as a web seed' },
};

/** Of every command that runs a node. */
export const NODE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  listen: { value: 'host:port', help: 'address to listen on; default: port 6881, or a free one' },
  bootstrap: { value: 'host:port', isRepeatable: true, help: 'a DHT node to begin with' },
  'no-dht': { help: 'do not take part in the DHT' },
  'no-lsd': { help: 'do not look for peers in the local network' },
  'no-port-mapping': { help: 'do not ask the router to let the port through' },
  gateway: { value: 'ip', help: 'the router to ask; default: the one of the default route' },
  'no-pex': { help: 'neither tell peers of other peers nor believe them about any' },
  ...COMMON_OPTIONS,
};

/** Where the command's words go. */
export function outputOf(values: OptionValues): Output {
  return new Output({ json: switchOption(values, 'json'), quiet: switchOption(values, 'quiet') });
}

/** Node options from command options; what is not switched off here is as the home's settings of privacy have it. */
export function nodeOptionsOf(values: OptionValues): NodeOptions {
  const listen = textOption(values, 'listen');
  const gateway = textOption(values, 'gateway');
  const download = numberOption(values, 'download-limit', 0);
  const upload = numberOption(values, 'upload-limit', 0);
  const isWithoutDht = switchOption(values, 'no-dht') || switchOption(values, 'no-discovery');
  const isWithoutLan = switchOption(values, 'no-lsd') || switchOption(values, 'no-discovery');
  return {
    ...(isWithoutDht ? { usesDht: false } : {}),
    bootstrap: listOption(values, 'bootstrap'),
    ...(isWithoutLan ? { usesLocalDiscovery: false } : {}),
    ...(switchOption(values, 'no-port-mapping') ? { usesPortMapping: false } : {}),
    ...(gateway === undefined ? {} : { gateway }),
    ...(listen === undefined ? {} : { listen }),
    ...(download === undefined ? {} : { downloadLimitBytesPerSec: download }),
    ...(upload === undefined ? {} : { uploadLimitBytesPerSec: upload }),
  };
}

/** How a torrent may find peers, from command options; DHT and local discovery are the node's. */
export function discoveryOf(
  values: OptionValues,
): Pick<AddOptions, 'isDiscovering' | 'usesPeerExchange'> {
  return {
    isDiscovering: !switchOption(values, 'no-discovery'),
    ...(switchOption(values, 'no-pex') ? { usesPeerExchange: false } : {}),
  };
}
