import { publicUrlOf } from '../../config/addresses.ts';
import type { ControlOptions } from '../control.ts';
import { HttpAnalyserWire } from './analyser-wire.ts';
import { HostPostCall, type HostPostCallOptions } from './host-post-call.ts';

/** Puts together what happens to calls when they are over, as it is set. */
export function openPostCall(
  { settings, clock, log, version }: ControlOptions,
  parts: Pick<HostPostCallOptions, 'store' | 'recordings' | 'announce'>,
): HostPostCall {
  const { analyserUrl: url, analyserSecret: secret, egressAllow } = settings;
  const userAgent = `Omnivoice/${version}`;
  const analyser =
    url === undefined ? undefined : new HttpAnalyserWire({ url, secret, clock, egressAllow, userAgent });
  return new HostPostCall({ ...parts, analyser, publicUrl: publicUrlOf(settings), clock, log });
}
