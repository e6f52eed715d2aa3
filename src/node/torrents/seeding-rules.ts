/**
 * When a seed has given enough: what the torrent says, else its category, else the node.
 * @module
 */
import type { ShareAction, ShareLimits } from '../share-limits.ts';
import type { ShareLimitsRecord } from '../store/torrent-table.ts';

/** The node's own limits, as its settings have them; 0: none. */
export interface NodeSeedingLimits {
  readonly ratio: number;
  readonly seconds: number;
  readonly idleSeconds: number;
  readonly action: 'pause' | 'remove' | 'super-seed';
}

/** The engine's limits for a torrent; undefined: it seeds for ever. A limit that is null is lifted, whatever stands behind it. */
export function shareLimitsFor(
  own: ShareLimitsRecord | undefined,
  category: ShareLimitsRecord | undefined,
  node: NodeSeedingLimits,
): ShareLimits | undefined {
  const pick = (
    name: 'ratio' | 'seedingSeconds' | 'idleSeconds',
    fallback: number,
  ): number | undefined => {
    const said = own?.[name] !== undefined ? own[name] : category?.[name];
    if (said === null) return undefined;
    if (said !== undefined) return said;
    return fallback > 0 ? fallback : undefined;
  };
  const ratio = pick('ratio', node.ratio);
  const seedingSeconds = pick('seedingSeconds', node.seconds);
  const idleSeconds = pick('idleSeconds', node.idleSeconds);
  if (ratio === undefined && seedingSeconds === undefined && idleSeconds === undefined) {
    return undefined;
  }
  return {
    ...(ratio === undefined ? {} : { ratio }),
    ...(seedingSeconds === undefined ? {} : { seedingSeconds }),
    ...(idleSeconds === undefined ? {} : { idleSeconds }),
    action: actionOf(own?.action ?? category?.action ?? node.action),
  };
}

/** The engine stops a torrent that is to be removed; its owner then takes it from the list. */
function actionOf(action: NonNullable<ShareLimitsRecord['action']>): ShareAction {
  return action === 'remove' ? 'stop' : action;
}
