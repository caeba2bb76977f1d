import type { Static } from 'typebox';
import type { Clock } from '../../../base/clock.ts';
import { VoiceError } from '../../../base/errors.ts';
import { newPrivateKey, newSecret } from '../../../delivery/wire/signature.ts';
import type { StoredEndpoint } from '../../ports.ts';
import { checkedSecret, checkedShared } from './endpoint-wish.ts';
import type { Rotation } from './endpoint-shapes.ts';

const OVERLAP_S_DEFAULT = 86_400;
const LIVE_KEYS_MAX = 10;
const SHARED_BYTES = 24;

/**
 * New keys; the old ones sign as well until the overlap is over. Without an overlap every old key ends now,
 * those of earlier rotations too: that is what a leak asks for.
 */
export function rotated(
  { keys, retiringKeys }: StoredEndpoint,
  wish: Static<typeof Rotation>,
  clock: Pick<Clock, 'unixMs' | 'randomBytes'>,
): Pick<StoredEndpoint, 'keys' | 'retiringKeys'> {
  const nowUnixMs = clock.unixMs();
  const overlapMs = (wish.overlap_s ?? OVERLAP_S_DEFAULT) * 1000;
  const live = retiringKeys.filter(({ untilUnixMs }) => untilUnixMs > nowUnixMs);
  const retiring = overlapMs === 0 ? [] : [{ ...keys, untilUnixMs: nowUnixMs + overlapMs }, ...live];
  if (retiring.length >= LIVE_KEYS_MAX) {
    const sentence = `${LIVE_KEYS_MAX} keys are live: wait for one to retire, or end all with overlap_s 0`;
    throw new VoiceError('failed_precondition', sentence, { field: 'overlap_s' });
  }
  const ownShared = keys.shared === null ? null : clock.randomBytes(SHARED_BYTES).toString('hex');
  return {
    keys: {
      symmetric: checkedSecret(wish.secret ?? newSecret(clock)),
      shared: checkedShared(wish.shared_secret ?? ownShared),
      asymmetric: keys.asymmetric === null ? null : newPrivateKey(clock),
    },
    retiringKeys: retiring,
  };
}
