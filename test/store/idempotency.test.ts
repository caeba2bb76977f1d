import { expect, it } from 'vitest';
import { FakeClock } from '../fakes/clock.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from './temp-store.ts';

describeOnEachEngine('answers kept for repeated requests', () => {
  const answer = { success: true, data: { secret: 'omf_live_geheim' } };

  it('are given again to the same key until they expire', async () => {
    const clock = new FakeClock();
    const { idempotency } = await openTempStore({ clock });
    const entry = { bodyHash: 'h', status: 201, answer, expiresUnixMs: clock.unixMs() + 1_000 };
    await idempotency.remember('key_1', 'once', entry);
    expect(await idempotency.find('key_1', 'once')).toEqual({ bodyHash: 'h', status: 201, answer });
    expect(await idempotency.find('key_2', 'once')).toBeUndefined();
    expect(await idempotency.find('key_1', 'other')).toBeUndefined();
    clock.advance(999);
    expect(await idempotency.find('key_1', 'once')).toBeDefined();
    clock.advance(1);
    expect(await idempotency.find('key_1', 'once')).toBeUndefined();
  });

  it('keep the first answer while it lives, and take a new one after', async () => {
    const clock = new FakeClock();
    const { idempotency } = await openTempStore({ clock });
    const remember = (bodyHash: string) =>
      idempotency.remember('key_1', 'once', {
        bodyHash,
        status: 201,
        answer,
        expiresUnixMs: clock.unixMs() + 1_000,
      });
    await remember('first');
    await remember('second');
    expect(await idempotency.find('key_1', 'once')).toMatchObject({ bodyHash: 'first' });
    clock.advance(1_000);
    await remember('third');
    expect(await idempotency.find('key_1', 'once')).toMatchObject({ bodyHash: 'third' });
  });

  it('are encrypted in the file, for they show secrets once', async () => {
    const path = tempPath();
    const { idempotency } = await openTempStore({ path });
    await idempotency.remember('key_1', 'once', { bodyHash: 'h', status: 201, answer, expiresUnixMs: 9e12 });
    expect(JSON.stringify(await rowsIn(path, 'select * from idempotency'))).not.toContain('geheim');
  });
});
