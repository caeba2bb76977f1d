import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../src/events/envelope.ts';
import { LegFates } from '../../../src/node/cluster/leg-fates.ts';
import {
  addCluster,
  newTakeoverCounts,
  type ClusterFigures,
} from '../../../src/telemetry/cluster-metrics.ts';
import { expositionOf, snapshotOf } from '../../../src/telemetry/exposition.ts';

function told(callId: string, type: string, data: object = {}): EventRecord {
  const envelope = { type, resource: { type: 'call', id: callId }, data: { dialect: 'twilio', ...data } };
  return { envelope } as unknown as EventRecord;
}

const back = (callId: string, legId: string): EventRecord =>
  told(callId, 'leg_connected', { leg_id: legId, resumed: true });
const lost = (callId: string, legId: string, reason = 'connection_lost'): EventRecord =>
  told(callId, 'leg_disconnected', { leg_id: legId, reason });

/** What `/metrics` shows of these fates, where it is not 0. */
async function shownOf(fates: LegFates): Promise<readonly string[]> {
  const registry = new Registry();
  const none = { arrival: newTakeoverCounts(), handover: newTakeoverCounts() };
  const dropped = { message: 0, audio: 0, waiting: 0 };
  const relays = {
    opened: 0,
    refused: 0,
    lostOwners: 0,
    followed: 0,
    legs: { here: 0, elsewhere: 0 },
    dropped,
  };
  const conflicts = { fenced_write: 0, moved_race: 0, replaced: 0 };
  const peers = { open: 0, suspect: 0, closed: 0 };
  const figures = { takeovers: none, legs: fates, relays, conflicts, peers } as unknown as ClusterFigures;
  addCluster(registry, () => figures);
  const lines = expositionOf(await snapshotOf(registry)).split('\n');
  return lines.filter((line) => line.startsWith('omnivoice_legs_') && !line.endsWith(' 0'));
}

describe('the fate of a leg', () => {
  it('is its own connection’s where its call was here all along', async () => {
    const fates = new LegFates(['native', 'twilio']);
    fates.told(back('call_1', 'leg_1'));
    fates.told(lost('call_1', 'leg_1'));
    expect(await shownOf(fates)).toEqual([
      'omnivoice_legs_resumed_total{provider="twilio",cause="connection"} 1',
      'omnivoice_legs_lost_total{provider="twilio",cause="connection"} 1',
    ]);
  });

  it('has the cause for which its call came here, once for each leg', async () => {
    const fates = new LegFates(['native', 'twilio']);
    fates.took('call_1', 'hang');
    fates.told(back('call_1', 'leg_1'));
    // Its line broke again, which the former owner has nothing to do with.
    fates.told(back('call_1', 'leg_1'));
    // It came first when the call was here already.
    fates.told(told('call_1', 'leg_connected', { leg_id: 'leg_3' }));
    fates.told(lost('call_1', 'leg_3'));
    fates.told(lost('call_1', 'leg_2'));
    expect(await shownOf(fates)).toEqual([
      'omnivoice_legs_resumed_total{provider="twilio",cause="connection"} 1',
      'omnivoice_legs_resumed_total{provider="twilio",cause="hang"} 1',
      'omnivoice_legs_lost_total{provider="twilio",cause="connection"} 1',
      'omnivoice_legs_lost_total{provider="twilio",cause="hang"} 1',
    ]);
  });

  it('is no loss where it hung up, or its call ended or went on', async () => {
    const fates = new LegFates(['twilio']);
    fates.took('call_1', 'crash');
    fates.told(lost('call_1', 'leg_1', 'hangup'));
    fates.told(lost('call_1', 'leg_2', 'call_ended'));
    fates.took('call_2', 'crash');
    fates.forget('call_2');
    fates.told(back('call_2', 'leg_1'));
    expect(await shownOf(fates)).toEqual([
      'omnivoice_legs_resumed_total{provider="twilio",cause="connection"} 1',
    ]);
  });

  it('is a broken connection where more calls came than are remembered', async () => {
    const fates = new LegFates(['twilio']);
    for (let call = 0; call <= 10_000; call++) fates.took(`call_${call}`, 'drain');
    fates.told(back('call_0', 'leg_1'));
    fates.told(back('call_1', 'leg_1'));
    expect(fates.forgottenCauses).toBe(1);
    expect(await shownOf(fates)).toEqual([
      'omnivoice_legs_resumed_total{provider="twilio",cause="connection"} 1',
      'omnivoice_legs_resumed_total{provider="twilio",cause="drain"} 1',
    ]);
  });
});
