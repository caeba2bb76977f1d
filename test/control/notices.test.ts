import { describe, expect, it } from 'vitest';
import { endpointNotice, Notices } from '../../src/control/notices.ts';
import type { EventRecord } from '../../src/events/envelope.ts';
import type { JournalEntry } from '../../src/events/journal.ts';
import { FakeClock } from '../fakes/clock.ts';
import { anEndpoint, anEnvelope } from '../fakes/outbox.ts';

describe('notices of an endpoint', () => {
  it('that another process told meanwhile keep their number, and ours comes after them', async () => {
    const entries: JournalEntry[] = [];
    const commit = (sequence: number): void => {
      entries.push({ position: entries.length + 1, envelope: anEnvelope('whk_1', sequence) });
    };
    const told: number[] = [];
    const events = new Notices({
      journal: { read: async ({ after = 0 }) => entries.filter(({ position }) => position > after) },
      publish: async (records: readonly EventRecord[]) => {
        // The journal takes a number once.
        const fresh = records.filter(
          ({ envelope }) => !entries.some((entry) => entry.envelope.sequence === envelope.sequence),
        );
        for (const { envelope } of fresh) {
          commit(envelope.sequence);
          told.push(envelope.sequence);
        }
        return fresh;
      },
      region: 'local',
      clock: new FakeClock(),
      log: { error: () => undefined },
    });
    const notice = { type: 'endpoint.disabled', endpoint: anEndpoint(), data: { reason: 'gone' } } as const;
    events.announce(endpointNotice(notice));
    await events.close();
    commit(2);
    commit(3);
    events.announce(endpointNotice(notice));
    await events.close();
    expect([told, events.stats]).toEqual([[1, 4], { told: 2, failed: 0, refused: 0 }]);
  });
});
